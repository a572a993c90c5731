"""Where things stand in the working copy."""

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
STATE = LOCAL / "stack.json"
LOGS = LOCAL / "logs"
VENV = LOCAL / "venv"
REQUIREMENTS = ROOT / "infra" / "requirements.txt"
SAMPLE = ROOT / "infra" / "sample" / "shop.sql"


def open_folder() -> Path:
    """A folder that accounts other than root can reach: the working copy may stand below root's home."""
    if os.geteuid() != 0:
        return LOCAL
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"pgbaton-local-{mark}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.stat().st_uid != 0 or folder.is_symlink():
        raise SystemExit(f"{folder} belongs to someone else; remove it")
    folder.chmod(0o755)
    return folder
