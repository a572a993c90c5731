"""Records of runs: found, waited for, shown."""

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key

from . import aws, host
from .prerequisites import fail
from .state import Stack

FINAL = ("completed", "failed")
START_SECONDS = 90
"""How long a function may take until its record is there."""


def table(stack: Stack):
    """The table of records."""
    return aws.resource("dynamodb", stack.aws_endpoint, stack.region).Table(stack.backup_table)


def by_id(stack: Stack, run_id: str) -> dict[str, Any] | None:
    """The record of a run."""
    return table(stack).get_item(Key={"id": run_id}, ConsistentRead=True).get("Item")


def by_event(stack: Stack, event_id: str) -> dict[str, Any] | None:
    """The backup that an event began."""
    found = table(stack).query(
        IndexName="by_kind", KeyConditionExpression=Key("kind").eq("backup"), ScanIndexForward=False, Limit=50
    )
    return next((r for r in found["Items"] if r.get("event_id") == event_id), None)


def wait(
    stack: Stack,
    find: Callable[[], dict[str, Any] | None],
    function: str,
    refusal: Callable[[], str | None] = lambda: None,
    seconds: float = 3600,
) -> dict[str, Any]:
    """Waits until the run is final, with a progress bar on a terminal; ends the program when it was refused and has no record."""
    begun, shown = time.monotonic(), ""
    while True:
        refused = refusal() if not shown else None
        record = find()
        now = time.monotonic() - begun
        if record is not None:
            line = progress(record)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K{line}")
                sys.stderr.flush()
            elif line != shown and (not shown or record["status"] in FINAL):
                print(line, file=sys.stderr, flush=True)
            shown = line
            if record["status"] in FINAL:
                break
        elif refused is not None:
            fail(refused)
        elif now > START_SECONDS:
            fail(f"no record after {START_SECONDS} s; the end of the log of {function}:\n{host.log(stack, function)[-3000:]}")
        if now > seconds:
            fail(f"the run is not over after {seconds:.0f} s; its record is {record}")
        time.sleep(0.25)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    return record


def progress(record: dict[str, Any]) -> str:
    """One line: `[######....]  60 %  in_progress  12/20 tables  34.5 MiB`."""
    p = record.get("progress") or {}
    percent = int(p.get("percent", 0)) if record["status"] != "completed" else 100
    filled = percent * 30 // 100
    line = f"{record['kind']:<8}[{'#' * filled}{'.' * (30 - filled)}] {percent:3d} %  {record['status']}"
    if p:
        line += f"  {p.get('tables_done', 0)}/{p.get('tables', 0)} tables  {size(int(p.get('bytes_done', 0)))}"
    return line


def size(n: int) -> str:
    """Bytes for people."""
    value = float(n)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{n} B"


def plain(value: Any) -> Any:
    """DynamoDB's numbers as Python's own."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, set)):
        return [plain(v) for v in value]
    return value


KINDS = {str: "String", bool: "Boolean", int: "Number", float: "Number", list: "List", dict: "Map", type(None): "Null"}


def as_console(record: dict[str, Any]) -> str:
    """The item as the DynamoDB console shows it: attribute, type, value; the key first."""
    rows = []
    for name in sorted(record, key=lambda n: (n != "id", n)):
        value = plain(record[name])
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows.append((name, KINDS[type(value)], text if len(text) <= 100 else text[:97] + "..."))
    head = ("Attribute name", "Type", "Value")
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(3)]
    rule = "+" + "+".join("-" * (w + 2) for w in widths) + "+"
    lines = [rule, "| " + " | ".join(h.ljust(w) for h, w in zip(head, widths, strict=True)) + " |", rule]
    lines += ["| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in rows]
    return "\n".join([*lines, rule])


def finish(record: dict[str, Any], as_json: bool) -> int:
    """Prints the record; gives the exit status."""
    print(json.dumps(plain(record), ensure_ascii=False, indent=2) if as_json else as_console(record))
    return 0 if record["status"] == "completed" else 1
