"""`bench start`: how large the functions are, and how long each takes from its start until it asks for its first event."""

import re
import statistics
from pathlib import Path

from . import host
from .state import Stack

# What each function answers, or refuses, without any work.
EVENTS = {
    "scheduled-backup": {"database": 1},
    "restore": {"database": 1},
    "worker": {},
    "verify": {"backupId": 1},
    "retention-cleanup": {"action": "none"},
    "api": {"version": "2.0"},
}


def measure(stack: Stack, programs: Path, rounds: int) -> None:
    """Prints a table; each start is a cold one, of a new process."""
    print("\n| function | MB | cold start, ms |\n|---|---|---|")
    for name, event in EVENTS.items():
        for _ in range(rounds):
            host.call(f"{stack.invoke_url}/host/kill/{host.function_name(stack, name)}")
            host.invoke(stack, name, event)
        inits = [float(ms) for ms in re.findall(r"Init Duration: ([0-9.]+) ms", host.log(stack, name))][-rounds:]
        size = (programs / name).stat().st_size
        print(f"| `{name}` | {size / 1e6:.1f} | {statistics.median(inits):.0f} |", flush=True)
