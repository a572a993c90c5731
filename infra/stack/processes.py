"""Background processes: started in sessions of their own, found again by the stack's mark, stopped for certain."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from . import paths, state
from .prerequisites import fail


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def account() -> pwd.struct_passwd | None:
    """The account that runs what refuses root; none when this is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    fail("PostgreSQL refuses to run as root, and there is no other account: useradd postgres")


def as_account() -> dict:
    """Arguments of subprocess that run a program as that account, in a folder it can enter."""
    other = account()
    if other is None:
        return {}
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": [], "cwd": "/"}


def start(name: str, command: list[str], mark: str, environment: dict[str, str] | None = None, **how) -> int:
    """Starts a program in the background; its output goes to .local/logs/<name>.log."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log = open(paths.LOGS / f"{name}.log", "ab")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env={**os.environ, **(environment or {}), "PGBATON_STACK": mark},
        **how,
    )
    log.close()
    return process.pid


def wait(what: str, ready: Callable[[], bool], pid: int, log: str, seconds: float = 60) -> None:
    """Waits until `ready`; ends the program with the end of the log when the process dies or is late."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if not alive(pid):
            break
        time.sleep(0.1)
    path = paths.LOGS / f"{log}.log"
    tail = path.read_text(errors="replace")[-2000:] if path.exists() else ""
    fail(f"{what} did not start; the end of {path.relative_to(paths.ROOT)}:\n{tail}")


def alive(pid: int) -> bool:
    """Whether a process runs; a child that ended is collected."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def marked(mark: str) -> list[int]:
    """Every process that was started with this mark, or by one that was."""
    if not mark:
        return []
    pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()]
    return [pid for pid in pids if state.belongs(pid, mark)]


def stop(mark: str, order: list[int]) -> None:
    """Stops the processes of a stack: politely and in order, then whatever is left."""
    for pid in order:
        if state.belongs(pid, mark):
            kill(pid, signal.SIGINT)
            until(lambda pid=pid: not alive(pid), 10)
    left = marked(mark)
    for pid in left:
        kill(pid, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in left), 5)


def abandon(mark: str, pids: list[int]) -> None:
    """Ends these processes at once, those that were started with the mark: servers whose data nobody wants."""
    ours = [pid for pid in pids if state.belongs(pid, mark)]
    for pid in ours:
        kill(pid, signal.SIGQUIT)
    if not until(lambda: not any(alive(pid) for pid in ours), 10):
        for pid in ours:
            kill(pid, signal.SIGKILL)


def kill(pid: int, how: signal.Signals) -> None:
    """Sends a signal; a process that is gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)


def until(what: Callable[[], bool], seconds: float) -> bool:
    """Waits until `what` holds."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def reachable_copy(source: Path, name: str) -> Path:
    """`source` itself, or a copy that the account of `as_account` can run when it cannot reach `source`."""
    other = account()
    if other is None or subprocess.run(["test", "-x", str(source / "bin")], **as_account()).returncode == 0:
        return source
    copy = paths.open_folder() / name
    mark = copy.with_suffix(".copied")
    if not mark.exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy, symlinks=True)
        mark.touch()
    return copy
