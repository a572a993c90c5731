"""The whole way once: sample database, scheduled backup, record, objects, restore, comparison."""

import sys

import psycopg
from psycopg import sql

from . import aws, compare, host, lifecycle, postgres, records, runs, sample
from .prerequisites import say
from .state import Stack

COPY = "_pgbaton_demo"


def run(url: str | None, keep: bool) -> int:
    """Starts what is not running and stops it again; gives the exit status."""
    stack, started = lifecycle.up()
    try:
        return _shop(stack) if url is None else _own(stack, url, keep)
    except psycopg.Error as e:
        return _failed(f"PostgreSQL says: {str(e).strip().splitlines()[0]}")
    finally:
        if started:
            lifecycle.down()
            say("stopped what the demo started")


def _failed(why: str) -> int:
    sys.stderr.flush()
    print(f"demo: FAILED: {why}", flush=True)
    return 1


def _shop(stack: Stack) -> int:
    restored = f"{sample.NAME}_restored"
    with psycopg.connect(stack.postgres_url, autocommit=True) as db:
        db.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(restored)))
    url = sample.fill(stack)
    return _round_trip(stack, url, postgres.with_database(stack.postgres_url, restored))


def _own(stack: Stack, url: str, keep: bool) -> int:
    """The user's database: its copy stands beside it and is dropped at the end."""
    name = runs.database(url)
    copy = name[: 63 - len(COPY)] + COPY
    target = postgres.with_database(url, copy)
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as db:
        if db.execute("select 1 from pg_catalog.pg_database where datname = %s", (copy,)).fetchone():
            return _failed(f"the server has a database {copy} already; drop it first")
    main = postgres.with_database(stack.postgres_url, sample.NAME)
    aws.put_secret(stack.aws_endpoint, "pgbaton/main", url, stack.region)
    try:
        return _round_trip(stack, url, target)
    finally:
        aws.put_secret(stack.aws_endpoint, "pgbaton/main", main, stack.region)
        if keep:
            say(f"kept database {copy}")
        else:
            with psycopg.connect(url, autocommit=True, connect_timeout=10) as db:
                db.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(copy)))


def _round_trip(stack: Stack, url: str, target: str) -> int:
    before = compare.contents(url)
    # A new deployment has it once its reaper has run.
    host.invoke(stack, "retention-cleanup", {"action": "reap"})
    say("firing the schedule default")
    event = host.fire(stack, "default")
    backup = records.wait(stack, lambda: records.by_event(stack, event["eventId"]), "scheduled-backup")
    print(records.as_console(backup), flush=True)
    if backup["status"] != "completed":
        return _failed(f"the backup failed: {backup.get('message', 'no message')}")
    after = compare.contents(url)
    _objects(stack, backup)
    say("restoring")
    restore = runs.wait(stack, "restore", *runs.begin_restore(stack, backup["id"], target, {}))
    print(records.as_console(restore), flush=True)
    if restore["status"] != "completed":
        return _failed(f"the restore failed: {restore.get('message', 'no message')}")
    return _verdict(before, after, compare.contents(target), backup.get("warnings", []))


def _objects(stack: Stack, backup: dict) -> None:
    """Lists the backup's objects as `aws s3 ls` does."""
    prefix = backup["s3_url"].removeprefix(f"s3://{stack.bucket}/")
    pages = aws.client("s3", stack.aws_endpoint, stack.region).get_paginator("list_objects_v2")
    found = [o for page in pages.paginate(Bucket=stack.bucket, Prefix=prefix) for o in page.get("Contents", [])]
    print(f"{backup['s3_url']}: {len(found)} objects, {records.size(sum(o['Size'] for o in found))}")
    for o in found:
        print(f"  {o['LastModified']:%Y-%m-%d %H:%M:%S}  {o['Size']:>12,}  {o['Key'].removeprefix(prefix)}")
    sys.stdout.flush()


def _verdict(before: dict, after: dict, restored: dict, warnings: list[str]) -> int:
    moving = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    still = {n: c for n, c in before.items() if n not in moving}
    wrong = compare.differences(still, {n: c for n, c in restored.items() if n not in moving})
    for line in wrong:
        print(f"  {line}")
    for name in sorted(moving):
        print(f"  {name}: changed while the demo ran, not compared")
    for warning in warnings:
        print(f"  warning: {warning}")
    if wrong:
        return _failed(f"{len(wrong)} of {len(still)} differ: {wrong[0]}")
    kinds = [c.kind for c in still.values()]
    tables, rows = kinds.count("table"), sum(c.rows for c in still.values() if c.kind == "table")
    others = [f"{kinds.count(k)} {k}s" for k in ("materialized view", "sequence") if kinds.count(k)]
    others += [f"{c.rows} large objects" for c in still.values() if c.kind == "large objects"]
    beside = f"; {', '.join(others)} equal as well" if others else ""
    print(f"demo: OK: {tables} tables, {rows:,} rows equal (counts and hashes){beside}", flush=True)
    return 0
