"""The API's document and the API behind it: openapi-spec-validator, and schemathesis against the running stack."""

import os
import subprocess
import time
from pathlib import Path

from . import host, lifecycle, paths, prerequisites, token
from .prerequisites import say

PACKAGES = ["openapi-spec-validator==0.9.0", "schemathesis==4.32.5"]
DOCUMENT = paths.ROOT / "functions" / "api" / "openapi.json"
CONFIG = paths.ROOT / "infra" / "schemathesis.toml"
SECONDS = 120
"""For schemathesis; it does what fits."""
FUNCTION = "api"


def programs() -> Path:
    """The folder of both programs, in an environment of their own: they want other versions than the stack's."""
    return prerequisites.venv(paths.LOCAL / "venv-api", PACKAGES, "openapi-spec-validator and schemathesis").parent


def validate() -> str | None:
    """What is wrong with the document as OpenAPI 3.1."""
    done = subprocess.run([programs() / "openapi-spec-validator", "--schema", "3.1", DOCUMENT], stdin=subprocess.DEVNULL)
    return None if done.returncode == 0 else f"{DOCUMENT.relative_to(paths.ROOT)} is no OpenAPI 3.1 document"


def explore() -> str | None:
    """What schemathesis found in the API of the stack that runs, or of one of its own."""
    folder = programs()
    stack, started = lifecycle.up()
    try:
        made = token.make(stack, "backup:admin")
        begun = time.monotonic()
        command = [folder / "schemathesis", "--config-file", CONFIG, "run", DOCUMENT, "--url", stack.api_url]
        command += ["--max-time", str(SECONDS), "--phases", "examples,coverage,fuzzing", "--no-color"]
        say("$ " + " ".join(str(a) for a in command))
        done = subprocess.run(command, cwd=paths.LOCAL, env={**os.environ, "PGBATON_TOKEN": made}, stdin=subprocess.DEVNULL)
        say(f"schemathesis took {time.monotonic() - begun:.0f} s")
        if made in host.log(stack, FUNCTION):
            return "the API's log holds a token"
        return None if done.returncode == 0 else f"schemathesis ended with status {done.returncode}"
    finally:
        if started:
            lifecycle.down()
