"""What runs, as .local/stack.json says: addresses, names and process ids."""

import json
import os
from dataclasses import asdict, dataclass, field, fields

from . import paths
from .prerequisites import fail


@dataclass
class Stack:
    """A running stack."""

    root: str = str(paths.ROOT)
    """The working copy whose stack this is; a copied .local is not ours."""
    mark: str = ""
    """In the environment of every process of the stack, as PGBATON_STACK."""
    pids: dict[str, int] = field(default_factory=dict)
    postgres_url: str = ""
    postgres_bin: str = ""
    aws_endpoint: str = ""
    region: str = "us-east-1"
    invoke_url: str = ""
    api_url: str = ""
    states_url: str = ""
    functions: dict[str, str] = field(default_factory=dict)
    """Name on the command line to name in the stack."""
    schedules: dict[str, str] = field(default_factory=dict)
    """Logical name to expression."""
    bucket: str = ""
    backup_table: str = ""
    state_table: str = ""
    main_secret: str = ""
    jwt_secret: str = ""

    def save(self) -> None:
        """Writes the file, readable to its owner only: it holds the password of the stack's PostgreSQL."""
        paths.LOCAL.mkdir(exist_ok=True)
        with os.fdopen(os.open(paths.STATE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(asdict(self), f, indent=2)

    def running(self) -> bool:
        """Whether every process still lives and is of this stack."""
        return bool(self.pids) and all(belongs(pid, self.mark) for pid in self.pids.values())


def load() -> Stack | None:
    """The stack last started, running or not."""
    try:
        content = json.loads(paths.STATE.read_text())
    except (FileNotFoundError, ValueError):
        return None
    known = {f.name for f in fields(Stack)}
    if content.get("root") != str(paths.ROOT):
        return None
    return Stack(**{k: v for k, v in content.items() if k in known})


def required() -> Stack:
    """The running stack; ends the program when there is none."""
    stack = load()
    if stack is None or not stack.running():
        fail("the stack is not running: infra/local up")
    return stack


def belongs(pid: int, mark: str) -> bool:
    """Whether a process lives and was started with this mark."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            return f"PGBATON_STACK={mark}".encode() in f.read().split(b"\0")
    except OSError:
        return False
