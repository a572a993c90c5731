"""`bench`: pgbaton beside stock pg_dump and pg_restore, in turn, on the same server, store, codec and level."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from . import aws, host, judges, lifecycle, postgres, runs, shapes, starts, state
from .prerequisites import fail, say
from .state import Stack

LEVEL = 3
"""zstd's level, which pgbaton uses."""

JOBS = 2

STARTS = "start"
"""Asked for like a shape: sizes and cold starts of the functions."""


@dataclass
class Cost:
    """What one way of doing the work took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of the client's processors; of the programs of PostgreSQL alone, without what uploads their files."""
    memory: int
    """Largest resident memory of one process, bytes."""
    size: int
    """Bytes stored."""


def run(names: list[str], rounds: int, profile: str) -> int:
    """Measures the shapes; gives the exit status."""
    there = state.load()
    if there is not None and there.running():
        fail("the stack runs with other programs: infra/local down first")
    stack, _ = lifecycle.up(profile)
    try:
        if not names or STARTS in names:
            starts.measure(stack, host.build(profile), rounds)
        tools = judges.dumps().get(18) or fail("there is no pg_dump 18 here")
        say(f"{platform.machine()}, {os.cpu_count()} cores, PostgreSQL 18, profile {profile}, zstd {LEVEL}, medians of {rounds}")
        for name in [n for n in names or list(shapes.ALL) if n != STARTS]:
            _shape(stack, tools, name, rounds)
    finally:
        lifecycle.down()
    return 0


def _shape(stack: Stack, tools: Path, name: str, rounds: int) -> None:
    url = postgres.with_database(stack.postgres_url, f"bench_{name}")
    _create(url)
    say(f"filling {name}: {shapes.ALL[name].what}")
    shapes.fill(name, url, Path(stack.postgres_bin))
    with tempfile.TemporaryDirectory(prefix="pgbaton-bench-") as scratch:
        folder = Path(scratch) / "dump"
        backup = ""

        def back_up() -> Cost:
            nonlocal backup
            backup, cost = _backup(stack, url)
            return cost

        ways: dict[str, Callable[[], Cost]] = {
            "pgbaton backup": back_up,
            "pg_dump -Fd -j2, upload": lambda: _dump_folder(stack, tools, url, folder),
            "pg_dump -Fc to upload": lambda: _dump_stream(stack, tools, url),
            "pgbaton restore": lambda: _restore(stack, url, backup),
            "download, pg_restore -j2": lambda: _pg_restore(stack, tools, url, folder),
        }
        taken: dict[str, list[Cost]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, measure in ways.items():
                taken[way].append(measure())
                say(f"{name}: {way}: {taken[way][-1].wall:.1f} s")
    _print(name, taken)
    _drop(url)


def _print(name: str, taken: dict[str, list[Cost]]) -> None:
    def middle(way: str, what: str) -> float:
        return statistics.median(getattr(cost, what) for cost in taken[way])

    print(f"\n{name}: {shapes.ALL[name].what}")
    print("| | wall s | client CPU s | peak memory MB | stored MB | wall, ours to it | CPU, ours to it |\n|---|---|---|---|---|---|---|")
    for way in taken:
        ours = "pgbaton restore" if "restore" in way else "pgbaton backup"
        cells = [f"{middle(way, 'wall'):.1f}", f"{middle(way, 'cpu'):.1f}"]
        cells += [f"{middle(way, what) / 1e6:.0f}" for what in ("memory", "size")]
        cells += [f"{middle(ours, what) / max(middle(way, what), 0.01):.2f}" for what in ("wall", "cpu")]
        print(f"| {way} | {' | '.join(cells)} |", flush=True)


def _backup(stack: Stack, url: str) -> tuple[str, Cost]:
    record, cost = _function(stack, "scheduled-backup", lambda: runs.begin_backup(stack, url, {}))
    cost.size = int(record["file_size"])
    return record["id"], cost


def _restore(stack: Stack, url: str, backup: str) -> Cost:
    target = url + "_copy"
    _drop(target)
    _, cost = _function(stack, "restore", lambda: runs.begin_restore(stack, backup, target, {"jobs": JOBS}))
    _drop(target)
    return cost


def _function(stack: Stack, name: str, begin: Callable[[], tuple[str, str]]) -> tuple[dict, Cost]:
    """A run of a function that is warm or not: its start is part of what it takes."""
    before = _processes(stack, name)
    begun = time.monotonic()
    record = runs.wait(stack, name, *begin())
    wall = time.monotonic() - begun
    if record["status"] != "completed":
        fail(f"{name} failed: {record.get('message')}")
    after = _processes(stack, name)
    cpu = sum(used - before.get(pid, 0.0) for pid, used in after.items())
    return record, Cost(wall, cpu, _max_memory(stack, name), 0)


def _processes(stack: Stack, name: str) -> dict[int, float]:
    """Seconds of processor time that each instance of a function has used."""
    with urllib.request.urlopen(f"{stack.invoke_url}/host/health") as answer:
        health = json.load(answer)
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    for pid in health["functions"][host.function_name(stack, name)]["processes"]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used[pid] = (int(fields[11]) + int(fields[12])) / ticks
    return used


def _max_memory(stack: Stack, name: str) -> int:
    """Of the last REPORT line."""
    lines = [line for line in host.log(stack, name).splitlines() if "Max Memory Used: " in line]
    return int(lines[-1].partition("Max Memory Used: ")[2].split()[0]) * 1_000_000


def _dump_folder(stack: Stack, tools: Path, url: str, folder: Path) -> Cost:
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    cpu, memory = _program(tools / "pg_dump", "-Fd", f"-j{JOBS}", f"-Zzstd:{LEVEL}", "-f", str(folder), "-d", url)
    s3 = aws.client("s3", stack.aws_endpoint, stack.region)
    for file in folder.iterdir():
        s3.upload_file(str(file), stack.bucket, f"bench/{file.name}")
    return Cost(time.monotonic() - begun, cpu, memory, sum(f.stat().st_size for f in folder.iterdir()))


def _dump_stream(stack: Stack, tools: Path, url: str) -> Cost:
    begun = time.monotonic()
    dump = subprocess.Popen([tools / "pg_dump", "-Fc", f"-Zzstd:{LEVEL}", "-d", url], stdout=subprocess.PIPE)
    s3 = aws.client("s3", stack.aws_endpoint, stack.region)
    s3.upload_fileobj(dump.stdout, stack.bucket, "bench/stream")
    cpu, memory = _ended(dump)
    size = s3.head_object(Bucket=stack.bucket, Key="bench/stream")["ContentLength"]
    return Cost(time.monotonic() - begun, cpu, memory, size)


def _pg_restore(stack: Stack, tools: Path, url: str, folder: Path) -> Cost:
    target = url + "_copy"
    _create(target)
    local = folder.with_name("download")
    shutil.rmtree(local, ignore_errors=True)
    local.mkdir()
    s3 = aws.client("s3", stack.aws_endpoint, stack.region)
    begun = time.monotonic()
    for file in folder.iterdir():
        s3.download_file(stack.bucket, f"bench/{file.name}", str(local / file.name))
    cpu, memory = _program(tools / "pg_restore", f"-j{JOBS}", "-d", target, str(local))
    cost = Cost(time.monotonic() - begun, cpu, memory, 0)
    _drop(target)
    return cost


def _program(*command: object) -> tuple[float, int]:
    return _ended(subprocess.Popen([str(part) for part in command]))


def _ended(process: subprocess.Popen) -> tuple[float, int]:
    """Processor seconds and the largest resident memory of a process with its children."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        fail(f"{process.args[0]} ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _create(url: str) -> None:
    _drop(url)
    _server(url, "create database {} template template0")


def _drop(url: str) -> None:
    _server(url, "drop database if exists {} with (force)")


def _server(url: str, statement: str) -> None:
    with psycopg.connect(postgres.with_database(url, "postgres"), autocommit=True) as db:
        db.execute(sql.SQL(statement).format(sql.Identifier(postgres.database_of(url))))
