"""`infra/local test`: everything that must hold, step by step, with one line for each at the end."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import api, every_condition, examples, judges, licences, lifecycle, paths, prerequisites, servers
from .prerequisites import say
from .state import Stack

SAM = ["aws-sam-cli==1.170.0"]
CHECKOV = ["checkov==3.3.30"]


class Failed(Exception):
    """A step that did not hold, in one sentence."""


def command(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Runs a program in the working copy's root, its output shown."""
    say("$ " + " ".join(str(a) for a in arguments))
    done = subprocess.run([str(a) for a in arguments], cwd=paths.ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(a) for a in arguments[:3])} ended with status {done.returncode}")


def fmt() -> None:
    """rustfmt."""
    command("cargo", "fmt", "--all", "--check")


def clippy() -> None:
    """clippy, warnings denied."""
    command("cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings")


def cfn_lint() -> None:
    """cfn-lint on template.yaml."""
    command(paths.VENV / "bin" / "cfn-lint", "--non-zero-exit-code", "informational", "template.yaml")


def sam_validate() -> None:
    """sam validate --lint, with a SAM CLI of the working copy's own."""
    prerequisites.venv(paths.LOCAL / "venv-sam", SAM, "the SAM CLI")
    command(
        paths.LOCAL / "venv-sam" / "bin" / "sam",
        "validate",
        "--lint",
        environment={"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"},
    )


def checkov() -> None:
    """checkov on template.yaml, from a venv of its own; whatever is suppressed must say why, beside it."""
    prerequisites.venv(paths.LOCAL / "venv-checkov", CHECKOV, "checkov")
    file = every_condition.write()
    program = [paths.LOCAL / "venv-checkov" / "bin" / "checkov", "-f", file, "--framework", "cloudformation", "--skip-download"]
    command(*program, "--compact", "--quiet")
    told = subprocess.run([str(a) for a in [*program, "-o", "json"]], cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
    results = json.loads(told)["results"]
    passed, skipped = len(results["passed_checks"]), results["skipped_checks"]
    if passed < 100:
        raise Failed(f"checkov has made only {passed} checks: it did not read the whole template")
    for check in skipped:
        if len(check["check_result"].get("suppress_comment") or "") < 20:
            raise Failed(f"{check['resource']} suppresses {check['check_id']} and does not say why")
    say(f"checkov: {passed} passed, {len(skipped)} suppressed, each with its reason")


def licence_rules() -> None:
    """deny.toml."""
    wrong = licences.check()
    for line in wrong:
        print(f"  {line}", flush=True)
    if wrong:
        raise Failed(wrong[0])


def cost() -> None:
    """The tables of infra/cost/README.md are those of its model."""
    command(sys.executable, "infra/cost/model.py", "--check")


def openapi() -> None:
    """functions/api/openapi.json is OpenAPI 3.1; that it is the API's is for cargo test."""
    if wrong := api.validate():
        raise Failed(wrong)


STATIC: dict[str, Callable[[], None]] = {
    "fmt": fmt,
    "cfn-lint": cfn_lint,
    "sam-validate": sam_validate,
    "checkov": checkov,
    "licences": licence_rules,
    "cost": cost,
    "openapi": openapi,
    "clippy": clippy,
}


def environment(stack: Stack, versions: dict[int, str]) -> dict[str, str]:
    """What the end-to-end tests read."""
    programs = Path(json.loads((paths.LOCAL / "lambda-host.json").read_text())["functions"][0]["command"][0]).parent
    dumps = judges.dumps()
    found = {
        "PGBATON_TEST_PG_URL": stack.postgres_url,
        "PGBATON_TEST_PG_SERVERS": " ".join(versions.values()),
        "PGBATON_TEST_PG_BIN": stack.postgres_bin,
        "PGBATON_TEST_PG_DUMPS": " ".join(f"{major}={folder}" for major, folder in dumps.items()),
        "PGBATON_TEST_AWS_ENDPOINT": stack.aws_endpoint,
        "PGBATON_TEST_HOST_BIN": str(programs / "lambda-host"),
        "PGBATON_TEST_FUNCTIONS": str(programs),
        "PGBATON_TEST_STACK": str(paths.STATE),
    }
    ssl = judges.ssl_server()
    if ssl is not None:
        found["PGBATON_TEST_SSL_PG_BIN"] = str(ssl)
    zstd = judges.zstd_client(dumps)
    if zstd is not None:
        found["PGBATON_TEST_PG_RESTORE_ZSTD"] = str(zstd / "pg_restore")
        found["PGBATON_TEST_PG_DUMP_ZSTD"] = str(zstd / "pg_dump")
    return found


SECRET = {"PGBATON_TEST_PG_URL": "(the server of the stack)", "PGBATON_TEST_PG_SERVERS": "(the servers of all versions)"}
"""The superusers' URLs hold passwords: what is shown in their place."""


def run(only: list[str], arguments: list[str]) -> int:
    """Runs the steps; gives the exit status. Stops its stack also after a failure."""
    names = [*STATIC, "tests", "api", "examples"]
    if unknown := [name for name in only if name not in names]:
        print(f"steps: {', '.join(names)}")
        return 0 if unknown == ["list"] else 2
    outcome: dict[str, str] = {}
    for name in only or names:
        begun = time.monotonic()
        say(f"== {name}")
        try:
            if name == "tests":
                tests(arguments)
            elif name == "api":
                explore()
            elif name == "examples":
                run_examples()
            else:
                STATIC[name]()
            outcome[name] = "ok"
        except (Failed, subprocess.CalledProcessError, SystemExit) as e:
            outcome[name] = f"FAILED: {e}"
            print(f"{name}: FAILED: {e}", flush=True)
        outcome[name] += f" ({time.monotonic() - begun:.0f} s)"
    return summary(outcome)


def tests(arguments: list[str]) -> None:
    """cargo test of the workspace, on a stack of its own or the one that runs, and servers of every version."""
    stack, started = lifecycle.up()
    try:
        with servers.running(stack.mark) as versions:
            if len(versions) < servers.ENOUGH:
                have = ", ".join(map(str, versions)) or "none"
                raise Failed(f"servers of {servers.ENOUGH} major versions are needed, there are: {have}; npm must reach its registry once")
            variables = environment(stack, versions)
            for name, value in sorted(variables.items()):
                say(f"{name}={SECRET.get(name, value)}")
            command("cargo", "test", "--workspace", "--locked", "--no-fail-fast", *arguments, environment=variables)
    finally:
        if started:
            lifecycle.down()


def explore() -> None:
    """schemathesis over the document, against the API of a stack."""
    if wrong := api.explore():
        raise Failed(wrong)


def run_examples() -> None:
    """infra/calls.md."""
    if wrong := examples.run():
        raise Failed(wrong)


def summary(outcome: dict[str, str]) -> int:
    """One line for each step, and one for all."""
    sys.stderr.flush()
    print()
    width = shutil.get_terminal_size().columns
    for name, how in outcome.items():
        print(f"{name:<14}{how}"[: max(width, 120)])
    failed = [name for name, how in outcome.items() if not how.startswith("ok")]
    print(f"infra/local test: {'FAILED: ' + ', '.join(failed) if failed else 'OK'}")
    print(f"steps: {len(outcome) - len(failed)} passed, {len(failed)} failed", flush=True)
    return 1 if failed else 0
