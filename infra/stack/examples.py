"""infra/calls.md, run: each example must answer the status of its title, and each call that is built must have one."""

import json
import re
import shlex
import time
import urllib.error
import urllib.request
from string import Template
from typing import Any

import psycopg
from psycopg import sql

from . import aws, host, lifecycle, paths, postgres, sample, token
from .prerequisites import say
from .state import Stack

DOCUMENT = paths.ROOT / "infra" / "calls.md"
MADE = ["shop_copy", "shop_structure"]
"""Databases that the examples make."""
PATIENCE = 120
"""Seconds for one run."""
AUTH = "Authorization: Bearer "
EXAMPLE = re.compile(r"^### (?P<title>.+?)[.?] (?P<status>\d{3})$.*?^```sh\n(?P<command>.+?)\n```$", re.MULTILINE | re.DOTALL)


class Wrong(Exception):
    """An example that is not true."""


class Session:
    """The variables that the examples name, and the calls that were made."""

    def __init__(self, stack: Stack) -> None:
        secret = aws.put_secret(stack.aws_endpoint, "pgbaton/crm", postgres.with_database(stack.postgres_url, sample.NAME), stack.region)
        self.variables = {"API": f"{stack.api_url}/backup", "AUTH": AUTH + token.make(stack, "backup:admin"), "SECRET_ARN": secret}
        self.made: list[tuple[str, str]] = []
        """Method and path of each call."""

    def call(self, method: str, url: str, headers: dict[str, str], body: str | None) -> tuple[int, dict[str, Any]]:
        """One request; the status and the JSON of the answer."""
        request = urllib.request.Request(url, method=method, headers=headers, data=None if body is None else body.encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            return e.code, json.load(e)

    def get(self, path: str) -> dict[str, Any]:
        """A record."""
        name, _, value = self.variables["AUTH"].partition(": ")
        return self.call("GET", f"{self.variables['API']}{path}", {name: value}, None)[1]

    def run(self, command: str) -> tuple[int, dict[str, Any]]:
        """A command line of curl, the options that the document uses; any other is an error."""
        program, *words = shlex.split(Template(command).substitute(self.variables))
        if program != "curl":
            raise Wrong(f"it is no command of curl: {command}")
        method, headers, body, urls = None, {}, None, []
        while words:
            word = words.pop(0)
            match word:
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    body = words.pop(0)
                case _ if word.startswith("-"):
                    raise Wrong(f"the option {word} of curl is not known here")
                case _:
                    urls.append(word)
        if len(urls) != 1:
            raise Wrong(f"there must be one URL: {command}")
        if body is not None:
            # As curl sends it.
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        method = method or ("GET" if body is None else "POST")
        self.made.append((method, urls[0].split("?")[0].removeprefix(self.variables["API"])))
        return self.call(method, urls[0], headers, body)

    def settle(self, record: dict[str, Any]) -> None:
        """Waits for a run that was begun, and keeps its id under the name that later examples use."""
        path = f"/restores/{record['id']}" if record["kind"] == "restore" else f"/{record['id']}"
        end = time.monotonic() + PATIENCE
        while (now := self.get(path)).get("status") not in ("completed", "failed"):
            if time.monotonic() > end:
                raise Wrong(f"the run {record['id']} does not end: {now}")
            time.sleep(0.3)
        if now["status"] == "failed" and "is not empty, and nothing in it was touched" not in now["message"]:
            raise Wrong(f"the run {record['id']} failed: {now['message']}")
        if record["kind"] == "backup":
            self.variables.setdefault("ID", record["id"])
            self.variables["NEWEST"] = record["id"]
        elif record["kind"] == "restore":
            self.variables.setdefault("RESTORE", record["id"])


def run() -> str | None:
    """What is wrong with the examples, if anything."""
    stack, started = lifecycle.up()
    try:
        sample.fill(stack)
        _drop(stack)
        # A new deployment has its default schedule once its reaper has run.
        host.invoke(stack, "retention-cleanup", {"action": "reap"})
        session = Session(stack)
        text = DOCUMENT.read_text()
        examples = list(EXAMPLE.finditer(text))
        if len(examples) != text.count("\n### "):
            return f"{text.count(chr(10) + '### ')} titles, and {len(examples)} examples with a status"
        for example in examples:
            title, status, command = example["title"], int(example["status"]), example["command"]
            got, answer = session.run(command)
            say(f"{got}  {title}")
            if got != status:
                return f"{title}: {got} and not {status}: {json.dumps(answer)[:500]}"
            if got == 202:
                session.settle(answer)
        return _missing(session.made)
    except Wrong as e:
        return str(e)
    finally:
        _drop(stack)
        if started:
            lifecycle.down()


def _drop(stack: Stack) -> None:
    with psycopg.connect(stack.postgres_url, autocommit=True) as db:
        for name in MADE:
            db.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _missing(made: list[tuple[str, str]]) -> str | None:
    """The first call of the OpenAPI document that no example makes; planned ones answer 501 and nothing else of their own."""
    described = json.loads((paths.ROOT / "functions" / "api" / "openapi.json").read_text())["paths"]
    for path, item in described.items():
        if not path.startswith("/backup"):
            continue
        below = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path.removeprefix("/backup"))))
        for method, operation in item.items():
            planned = not any(status.startswith("2") for status in operation["responses"])
            if not planned and not any(m.lower() == method and _fits(below, p, described) for m, p in made):
                return f"{method.upper()} {path} has no example"
    return None


def _fits(below: re.Pattern[str], path: str, described: dict[str, Any]) -> bool:
    """Whether a path is this one and none that is spelt out (`/latest` is no id)."""
    return bool(below.fullmatch(path)) and ("[^/]+" not in below.pattern or f"/backup{path}" not in described)
