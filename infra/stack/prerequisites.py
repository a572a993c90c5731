"""What must be there before anything starts, and what is installed into the working copy's own folder."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from . import paths

PROGRAMS = {
    "cargo": "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
    "cc": "apt-get install gcc libc6-dev   (or your system's C compiler)",
}


def fail(sentence: str) -> None:
    """Ends the program with one sentence on standard error."""
    sys.exit(f"infra/local: {sentence}")


def say(line: str) -> None:
    """Progress, on standard error: standard output is for results."""
    print(line, file=sys.stderr, flush=True)


def check() -> None:
    """Names the first thing that is missing and the command that installs it."""
    if sys.version_info < (3, 11):
        fail(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}: apt-get install python3")
    if not sys.platform.startswith("linux"):
        fail("the local stack runs on Linux only: it reads /proc")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            fail(f"Python's module {module} is missing: apt-get install python3-venv")
    for program, command in PROGRAMS.items():
        if shutil.which(program) is None:
            fail(f"{program} is missing: {command}")


def venv(folder: Path = paths.VENV, packages: list[str] | None = None, what: str = "Python packages of the local stack") -> Path:
    """The interpreter of a virtual environment with exactly these packages (requirements.txt without any); made when missing or changed."""
    arguments = packages or ["-r", str(paths.REQUIREMENTS)]
    wanted = hashlib.sha256(
        (" ".join(packages) if packages else paths.REQUIREMENTS.read_text()).encode() + sys.version.encode()
    ).hexdigest()
    python, mark = folder / "bin" / "python", folder / "installed"
    if python.exists() and mark.exists() and mark.read_text() == wanted:
        return python
    say(f"installing {what} into {folder.relative_to(paths.ROOT)} (once, about a minute)")
    paths.LOCAL.mkdir(exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q", *arguments]
    if subprocess.run(pip, stdin=subprocess.DEVNULL).returncode != 0:
        fail(f"pip could not install {what}; the command was: {' '.join(pip)}")
    mark.write_text(wanted)
    return python
