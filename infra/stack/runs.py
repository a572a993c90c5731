"""`backup` and `restore`: the same functions as in AWS, with the connection string in a secret of the stand-in."""

import re
import secrets
import time
import uuid
from typing import Any

import psycopg

from . import aws, host, postgres, records
from .prerequisites import fail
from .state import Stack


def run_id() -> str:
    """A new run id: the second, and eight hex digits."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"


def label(name: str) -> str:
    """The database's name as a registered name may be spelt."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("_.-")[:64] or "database"


def begin_backup(stack: Stack, url: str, options: dict[str, Any]) -> tuple[str, str]:
    """Invokes `scheduled-backup` for a database; gives the run's id and the request's."""
    name = label(database(url))
    secret = aws.put_secret(stack.aws_endpoint, f"pgbaton/local/{name}-{secrets.token_hex(4)}", url, stack.region)
    event = {"id": run_id(), "eventId": str(uuid.uuid4()), "databaseSecret": secret, "database": name, "createdBy": "infra/local"}
    return _send(stack, "scheduled-backup", {**event, **options})


def begin_restore(stack: Stack, source: str, url: str, options: dict[str, Any]) -> tuple[str, str]:
    """Invokes `restore` for a backup's id, or the key or URL of an archive's folder; gives the run's id and the request's."""
    secret = aws.put_secret(stack.aws_endpoint, f"pgbaton/local/target-{secrets.token_hex(4)}", url, stack.region)
    what = "backupId" if re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", source) or "/" not in source else "filepath"
    event = {"id": run_id(), "eventId": str(uuid.uuid4()), what: source, "targetSecret": secret, "createDatabase": True}
    database(url)
    return _send(stack, "restore", {**event, "createdBy": "infra/local", **options})


def _send(stack: Stack, function: str, event: dict[str, Any]) -> tuple[str, str]:
    return event["id"], host.invoke_later(stack, function, event)


def wait(stack: Stack, function: str, run: str, request: str) -> dict[str, Any]:
    """Waits until a run is final; ends the program when it was refused before it had a record."""
    return records.wait(
        stack, lambda: records.by_id(stack, run), function, lambda: host.refusal(stack, function, request)
    )


def database(url: str) -> str:
    """The database that a connection string names; ends the program when it is none."""
    try:
        return postgres.database_of(url)
    except psycopg.ProgrammingError:
        # The text of the error may repeat the string, and with it the password.
        fail("that is no PostgreSQL connection string: postgresql://user:password@host:port/database, or key=value pairs")


def backup(stack: Stack, url: str, options: dict[str, Any], as_json: bool) -> int:
    """Backs up, waits, prints the record; 1 when it failed."""
    run, request = begin_backup(stack, url, options)
    return records.finish(wait(stack, "scheduled-backup", run, request), as_json)


def restore(stack: Stack, source: str, url: str, options: dict[str, Any], as_json: bool) -> int:
    """Restores, waits, prints the record; 1 when it failed."""
    run, request = begin_restore(stack, source, url, options)
    return records.finish(wait(stack, "restore", run, request), as_json)
