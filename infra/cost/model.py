#!/usr/bin/env python3
"""What a backup takes, by size and number of workers: seconds, GB-seconds, requests, dollars. README.md holds the tables and explains them.

model.py           prints the tables
model.py --write   puts them into README.md
model.py --check   fails when README.md holds others
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- model.py: begin -->\n", "<!-- model.py: end -->\n"

GB, MB, MIB = 1e9, 1e6, 1 << 20

# ---- Measured: put figures in here, then run --write. "placeholder" marks what stands in for a measurement that is still to be made: take the word away
# with it. GB are 10^9 bytes of rows as COPY text ("raw"). README.md tells how each is measured.

MEASURED = {
    "cpu_seconds_per_gb": (9.0, "processor seconds of the function per raw GB: TLS, COPY, row hash, zstd 3, SHA-256 (an assumption for arm64 with TLS; x86-64 without TLS and without SHA instructions took 2.2 for pgbench's rows and 8.7 for wide ones with jsonb and text)"),
    "copy_mb_per_second": (80.0, "raw MB/s that one connection of the source gives, the reader being idle otherwise (placeholder)"),
    "server_mb_per_second": (1_000.0, "raw MB/s that the source gives over all connections together (placeholder: it is the user's server)"),
    "network_mb_per_second": (75.0, "MB/s that one function takes in (not documented by AWS; pages tell 50 to 90)"),
    "compression": (4.0, "raw bytes to stored bytes (zstd 3 made 3.7 of wide rows with jsonb and text, 118 of pgbench's)"),
    "request_seconds": (0.10, "seconds from a request to S3 to its answer, for what a reader waits for: begin, last part, complete (placeholder)"),
    "start_seconds": (0.30, "seconds from the invoke to the handler, cold: only the first item of each worker (placeholder)"),
    "join_seconds": (0.25, "seconds from a worker's handler to its first row: record, notes, secret, connection with TLS, snapshot, lock (placeholder)"),
    "begin_seconds": (5.0, "seconds from the first invoke to the first task: connection, locks, catalogs, toc.dat (placeholder; grows with the number of tables)"),
    "end_seconds": (3.0, "seconds from the last task to the completed record: notes, census, manifest (placeholder)"),
    "hop_seconds": (8.0, "seconds that two functions are there at a hand-over (placeholder; more where locks are in the way)"),
}

# ---- What failures add. The first is an assumption; the second was simulated by tests/tests/scheduler, where one attempt in ten fails.

REPEATED = {"a few": 0.01, "a bad day": 0.05}
"""Share of the work that is done again; the tables by size take the first."""

# ---- Prices: us-east-1, dollars, looked up on 2026-11-21 in stored copies of the pages that README.md names.

PRICES = {
    "lambda_gb_second": 0.0000133334,
    "lambda_request": 0.20 / 1e6,
    "s3_put": 0.005 / 1e3,
    "dynamodb_write": 0.625 / 1e6,
    "dynamodb_read": 0.125 / 1e6,
    "transition": 0.025 / 1e3,
    "secret": 0.05 / 1e4,
    "log_gb": 0.50,
}
STORAGE = [(50e3, 0.023), (450e3, 0.022), (math.inf, 0.021)]
"""S3 Standard, a month: GB of each tier, dollars per GB."""

# ---- Of pgbaton: template.yaml and shared/src.

MEMORY_MB = 1769
VCPU_MB = 1769
SLICE = 256 * MIB
PART = 8 * MIB
READERS = 4
"""BACKUP_CONCURRENCY: sessions of a function that works alone."""
FUNCTION, EARLY, LAST_WORDS = 900, 240, 15
"""Seconds that a function has; by which it looks for its successor; that a worker keeps back."""
BESIDES = 3
"""Connections beside the workers'."""
MOST_HOPS = 100
OVER, FETCH, PROGRESS, RENEW = 5, 30, 2, 15
"""Seconds between two looks of a worker at its run, of the holder at the notes, between two notes of progress, between two renewals of the lease."""
RECORD_UNITS = 4
"""Write units of one change of the record: up to 2 KB, in the table and in its index."""
LOG_BYTES = 2_000
"""Of one invocation."""
S3_WRITES = 3_500
"""Requests a second that one prefix of S3 takes at least."""

SIZES = [10, 100, 1_000, 10_000]
WORKERS = [4, 10, 32, 100, 320, 1000]


@dataclass
class Run:
    """What one backup takes."""

    gb: float
    workers: int
    """0: one function with its own readers, handing over to the next."""
    wall: float
    gb_seconds: float
    invocations: float
    puts: float
    reads: float
    writes: float
    transitions: float
    hops: int
    limit: str
    dollars: float = 0.0
    problem: str = ""


def value(name: str) -> float:
    """Of MEASURED."""
    return MEASURED[name][0]


def run(gb: float, workers: int, repeated: float = REPEATED["a few"], server: float | None = None) -> Run:
    """A backup of so many raw GB by so many workers."""
    server = server or value("server_mb_per_second")
    raw = gb * GB
    slices = math.ceil(raw / SLICE)
    of_slice = raw / slices
    readers = workers or READERS
    cpu = MEMORY_MB / VCPU_MB / value("cpu_seconds_per_gb") * GB / (1 if workers else readers)
    network = value("network_mb_per_second") * MB / (1 if workers else readers)
    rates = {"connection": value("copy_mb_per_second") * MB, "processor": cpu, "network": network, "server": server * MB / readers}
    limit = min(rates, key=lambda name: rates[name])
    rate = rates[limit]

    parts = math.ceil(of_slice / value("compression") / PART)
    puts_of_slice = 1 if of_slice / value("compression") < PART else parts + 2
    waits = value("request_seconds") * min(puts_of_slice, 3)
    task = of_slice / rate + waits
    begin, end = value("begin_seconds"), value("end_seconds")
    if workers:
        each = task + value("join_seconds")
        # The workers are busy to the end but for the last round, of which half is lost on average.
        rounds = max(1.0, slices * (1 + repeated) / workers)
        wall = begin + value("start_seconds") + each * rounds + (each / 2 if slices > workers else 0) + end
    else:
        each = task
        reading = each * slices * (1 + repeated) / readers
        # At each hand-over sessions end what they read, and begin anew: half a slice of each.
        functions = max(1, math.ceil((begin + reading + end) / (FUNCTION - EARLY)))
        wall = begin + reading + end + (functions - 1) * (each / 2 + value("hop_seconds"))
    hops = max(0, math.ceil(wall / (FUNCTION - EARLY)) - 1)

    invocations = 1 + hops
    seconds = wall + hops * value("hop_seconds")
    writes = RECORD_UNITS * (wall / PROGRESS + wall / RENEW)
    # A function notes what it has done when it hands over; its successor reads it.
    reads = 10.0 + slices * hops
    writes += slices if hops else 0
    transitions = 0.0
    if workers:
        items = slices * (1 + repeated)
        invocations += items
        seconds += items * each + min(workers, slices) * value("start_seconds")
        # Record, notes of the item, holder, task; then the run, again and again. The holder asks for each open task.
        reads = items * (4 + each / OVER) + slices / 2 * (wall / FETCH + 1)
        writes += items - (slices if hops else 0)
        transitions = 1 + items
    puts = slices * puts_of_slice * (1 + repeated) + 5
    gb_seconds = seconds * MEMORY_MB / 1024
    done = Run(gb, workers, wall, gb_seconds, invocations, puts, reads, writes, transitions, hops, limit)
    done.dollars = sum(shares(done).values())
    done.problem = problem(done, each)
    return done


def problem(of: Run, each: float) -> str:
    """What keeps a run from being made so, if anything does."""
    if of.hops > MOST_HOPS:
        return f"more than {MOST_HOPS} hand-overs"
    if each > FUNCTION - LAST_WORDS:
        return "a slice takes longer than a function has"
    if of.puts / of.wall > S3_WRITES:
        return "more requests than one prefix of S3 takes"
    return ""


def storage(gb: float) -> float:
    """Dollars a month."""
    left, dollars = gb / value("compression"), 0.0
    for size, price in STORAGE:
        dollars += min(left, size) * price
        left -= min(left, size)
    return dollars


def duration(seconds: float) -> str:
    """For people."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"


def size(gb: float) -> str:
    """For people."""
    return f"{gb:,.0f} GB" if gb < 1_000 else f"{gb / 1_000:,.0f} TB"


def stored(gb: float) -> str:
    """Bytes of the archive, for people."""
    small = gb / value("compression")
    return f"{small:,.1f} GB" if small < 100 else f"{small:,.0f} GB"


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def by_workers(gb: float) -> str:
    """What one size takes."""
    head = ["who reads", "wall", "bound by", "GB-seconds", "per GB", "invocations", "S3 writes", "DynamoDB reads", "writes", "transitions", "hand-overs", "dollars", "per GB"]
    rows = []
    for workers in [0, *(n for n in WORKERS if n <= gb * GB / SLICE)]:
        r = run(gb, workers)
        name = f"{workers:,} workers" if workers else f"1 function, {READERS} readers"
        if r.problem:
            rows.append([name, f"not possible: {r.problem}", *[""] * (len(head) - 2)])
            continue
        counts = [f"{n:,.0f}" for n in (r.invocations, r.puts, r.reads, r.writes, r.transitions, r.hops)]
        rows.append([name, duration(r.wall), r.limit, f"{r.gb_seconds:,.0f}", f"{r.gb_seconds / gb:.1f}", *counts, f"{r.dollars:,.3f}", f"{r.dollars / gb:.5f}"])
    return f"\n**{size(gb)}**, {stored(gb)} stored\n\n" + table(head, rows)


def by_server() -> str:
    """1 TB from servers of several speeds."""
    speeds = [250, 1_000, 4_000, 16_000]
    rows = []
    for workers in WORKERS:
        runs = [run(1_000, workers, server=speed) for speed in speeds]
        rows.append([f"{workers:,} workers", *(r.problem or f"{duration(r.wall)}, ${r.dollars:,.2f}" for r in runs)])
    return "\n**1 TB**, by what the server gives over all connections together\n\n" + table(["", *(f"{s:,} MB/s" for s in speeds)], rows)


def on_a_bad_day() -> str:
    """What failures cost."""
    rows = []
    for name, share in [("none", 0.0), *REPEATED.items()]:
        r = run(1_000, 100, share)
        rows.append([name, f"{share:.0%}", duration(r.wall), f"{r.gb_seconds:,.0f}", f"{r.dollars:,.3f}"])
    return "\n**1 TB by 100 workers**, by failures\n\n" + table(["failures", "work done again", "wall", "GB-seconds", "dollars"], rows)


def shares(of: Run) -> dict[str, float]:
    """Dollars by service."""
    return {
        "Lambda, GB-seconds": of.gb_seconds * PRICES["lambda_gb_second"],
        "Lambda, requests": of.invocations * PRICES["lambda_request"],
        "S3, writes": of.puts * PRICES["s3_put"],
        "DynamoDB": of.reads * PRICES["dynamodb_read"] + of.writes * PRICES["dynamodb_write"],
        "Step Functions": of.transitions * PRICES["transition"],
        "Secrets Manager": of.invocations * PRICES["secret"],
        "CloudWatch Logs": of.invocations * LOG_BYTES / GB * PRICES["log_gb"],
    }


def by_service() -> str:
    """Where the money goes."""
    counts = [0, 10, 100]
    columns = [shares(run(1_000, workers)) for workers in counts]
    rows = [[name, *(f"{c[name]:.3f} ({c[name] / sum(c.values()):.0%})" for c in columns)] for name in columns[0]]
    return "\n**1 TB**, dollars by service\n\n" + table(["", *(f"{n} workers" if n else "1 function" for n in counts)], rows)


def kept() -> str:
    """Storage."""
    rows = [[size(gb), stored(gb), f"{storage(gb):,.2f}"] for gb in SIZES]
    return "\n**One archive kept for a month**, S3 Standard\n\n" + table(["raw", "stored", "dollars"], rows)


def inputs() -> str:
    """What goes in."""
    rows = [[f"`{name}`", f"{number:g}", what] for name, (number, what) in MEASURED.items()]
    return "\n**Measured**\n\n" + table(["name", "value", "what"], rows)


def tables() -> str:
    """All of them."""
    return inputs() + "".join(map(by_workers, SIZES)) + by_service() + by_server() + on_a_bad_day() + kept() + "\n"


def main() -> int:
    """Gives the exit status."""
    if sys.argv[1:] not in ([], ["--write"], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if not sys.argv[1:]:
        print(tables())
        return 0
    text = README.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        print(f"{README} has no place for the tables", file=sys.stderr)
        return 1
    new = before + begin + tables() + end + after
    if sys.argv[1] == "--write":
        README.write_text(new)
    elif new != text:
        print(f"the tables of {README} are not those of model.py: python3 infra/cost/model.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
