"""The functions and the Lambda host: built, configured, started, called."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import aws, paths, processes
from .prerequisites import fail
from .state import Stack
from .template import Deployed


def build(profile: str) -> Path:
    """Builds every program of the workspace with a cargo profile; gives their folder."""
    # The whole workspace at once: so its dependencies have the same features as in the tests and are compiled once.
    command = ["cargo", "build", "--workspace", "--bins", "--profile", profile]
    if subprocess.run(command, cwd=paths.ROOT, stdin=subprocess.DEVNULL).returncode != 0:
        fail(f"the build failed: {' '.join(command)}")
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=paths.ROOT, check=True, capture_output=True, text=True
    )
    return Path(json.loads(told.stdout)["target_directory"]) / ("debug" if profile == "dev" else profile)


def start(stack: Stack, deployed: Deployed, programs: Path) -> None:
    """Starts the host and notes its addresses and names in the stack."""
    invoke, front, states = (processes.free_port() for _ in range(3))
    stack.invoke_url, stack.api_url = f"http://127.0.0.1:{invoke}", f"http://127.0.0.1:{front}"
    stack.states_url = f"http://127.0.0.1:{states}"
    delays = os.environ.get("PGBATON_RETRY_DELAYS", "60,120")
    config = {
        "region": stack.region,
        "account": aws.ACCOUNT,
        "invoke": f"127.0.0.1:{invoke}",
        "front": f"127.0.0.1:{front}",
        "states": f"127.0.0.1:{states}",
        "awsEndpoint": stack.aws_endpoint,
        "logs": str(paths.LOGS),
        "retryDelaysSeconds": [float(d) for d in delays.split(",")],
        "environment": {
            **aws.CREDENTIALS,
            "AWS_ENDPOINT_URL": stack.aws_endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": stack.invoke_url,
            "AWS_ENDPOINT_URL_SFN": stack.states_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PGBATON_STACK": stack.mark,
            # Where this machine keeps the roots of TLS, if not in the usual place.
            **{name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ},
        },
        "functions": [
            {
                "name": f["name"],
                "command": [str(programs / f["binary"])],
                "memory": f["memory"],
                "timeout": f["timeout"],
                "retries": f["retries"],
                "environment": f["environment"],
            }
            for f in deployed.functions.values()
        ],
        "api": {"function": deployed.functions[deployed.api]["name"]},
        "schedules": deployed.schedules,
        "scheduleGroups": deployed.schedule_groups,
        "stateMachines": [
            {"name": m["name"], "arn": m["arn"], "definitionFile": str(m["definition"]), "substitutions": m["substitutions"]}
            for m in deployed.state_machines
        ],
    }
    file = paths.LOCAL / "lambda-host.json"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        json.dump(config, f, indent=2)
    pid = processes.start("lambda-host", [str(programs / "lambda-host"), str(file)], stack.mark)
    stack.pids = {"lambda-host": pid, **stack.pids}
    processes.wait("the Lambda host", lambda: aws.answers(f"{stack.invoke_url}/host/health"), pid, "lambda-host")


def call(url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """POST; gives status, headers in lower case, and body."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=1000) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, {k.lower(): v for k, v in e.headers.items()}, e.read()
    except OSError as e:
        fail(f"the Lambda host does not answer ({e}): infra/local up")


def function_name(stack: Stack, name: str) -> str:
    """The stack's name of a function given as on the command line (`scheduled-backup`) or as it is."""
    if name not in stack.functions and name not in stack.functions.values():
        fail(f"there is no function {name}; there are {', '.join(sorted(stack.functions))}")
    return stack.functions.get(name, name)


def invoke(stack: Stack, name: str, event: dict[str, Any]) -> tuple[bool, bytes]:
    """Invokes a function and waits; gives whether it succeeded, and its answer."""
    status, headers, body = _invoke(stack, name, event, "RequestResponse")
    return status < 300 and "x-amz-function-error" not in headers, body


def invoke_later(stack: Stack, name: str, event: dict[str, Any]) -> str:
    """Invokes a function asynchronously; gives the request id."""
    status, headers, body = _invoke(stack, name, event, "Event")
    if status != 202:
        fail(f"{name} was not accepted: {body.decode(errors='replace')}")
    return headers["x-amzn-requestid"]


def _invoke(stack: Stack, name: str, event: dict[str, Any], kind: str) -> tuple[int, dict[str, str], bytes]:
    url = f"{stack.invoke_url}/2015-03-31/functions/{function_name(stack, name)}/invocations"
    return call(url, json.dumps(event).encode(), {"X-Amz-Invocation-Type": kind, "Content-Type": "application/json"})


def log(stack: Stack, name: str) -> str:
    """All that a function has logged."""
    file = paths.LOGS / f"{function_name(stack, name)}.log"
    return file.read_text(errors="replace") if file.exists() else ""


def refusal(stack: Stack, name: str, request_id: str) -> str | None:
    """The error that the first attempt of an invoke ended with; none while it runs, or when it succeeded."""
    _, started, after = log(stack, name).partition(f"START RequestId: {request_id} ")
    attempt, ended, report = after.partition(f"REPORT RequestId: {request_id}\t")
    if not started or not ended or "Status:" not in report.partition("\n")[0]:
        return None
    for line in reversed(attempt.splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") == "ERROR":
            return str(entry.get("message"))
    return f"{name} failed; see infra/local logs {name}"


def fire(stack: Stack, schedule: str) -> dict[str, Any]:
    """Fires a schedule now; gives the event that the function gets."""
    status, _, body = call(f"{stack.invoke_url}/host/schedules/{schedule}/fire")
    if status != 202:
        fail(f"schedule {schedule} cannot be fired: {body.decode(errors='replace')}")
    return json.loads(json.loads(body)["input"])
