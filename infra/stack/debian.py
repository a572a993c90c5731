"""pg_dump and pg_restore of other major versions, from Debian's packages: those of the mirror that this machine's apt uses, unpacked beside
the system and run with their own libraries."""

import hashlib
import lzma
import platform
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from . import paths
from .prerequisites import say

RELEASES = {13: "bullseye", 15: "bookworm", 17: "trixie", 18: "forky"}
"""Major version of PostgreSQL to the release that has it. There is no Debian with 14 or 16."""

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def client(major: int) -> Path | None:
    """A folder with `pg_dump` and `pg_restore` of a version, none, which is said, where it cannot be had."""
    folder = paths.LOCAL / f"postgresql-client-{major}"
    if not (folder / "bin" / "pg_restore").exists():
        try:
            _unpack(RELEASES[major], f"postgresql-client-{major}", folder)
        except (OSError, LookupError, ValueError, subprocess.CalledProcessError) as e:
            shutil.rmtree(folder, ignore_errors=True)
            say(f"no pg_dump {major} of Debian's: {e}")
            return None
    return folder / "bin"


def _unpack(release: str, package: str, folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise LookupError("this machine has no apt")
    if platform.machine() not in MACHINES:
        raise LookupError(f"no package for {platform.machine()}")
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True, check=True).stdout
    mirrors = [m for m in dict.fromkeys(told.split()) if re.search(r"/debian/?$", m)]
    if not mirrors:
        raise LookupError("apt is set up with no mirror of Debian")
    mirror = mirrors[0].rstrip("/")
    say(f"fetching {package} of {release} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "packages").mkdir(parents=True)
    packages = _index(mirror, release, folder)
    if package not in packages:
        raise LookupError(f"{release} has no {package}")
    for name in _closure(package, packages):
        fields = packages[name]
        file = folder / "packages" / f"{name}.deb"
        file.write_bytes(_fetch(f"{mirror}/{fields['Filename']}", fields["SHA256"]))
        subprocess.run(["dpkg-deb", "-x", str(file), str(folder / "root")], check=True, capture_output=True)
    shutil.rmtree(folder / "packages")
    _scripts(folder)


def _scripts(folder: Path) -> None:
    """Programs that start with the loader and libraries of their own release."""
    root = folder / "root"
    loaders = [p.resolve() for pattern in ("usr/lib*", "lib*", "usr/lib/*", "lib/*") for p in root.glob(f"{pattern}/ld-linux-*.so.*")]
    # Some are links to a path of the system itself.
    loaders = [p for p in loaders if p.is_relative_to(root) and p.exists()]
    libraries = ":".join(str(p) for p in (*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu")))
    if not loaders:
        raise LookupError("the packages have no loader")
    made = folder / "made"
    made.mkdir()
    for program in ("pg_dump", "pg_restore"):
        real = next(root.glob(f"usr/lib/postgresql/*/bin/{program}"))
        script = made / program
        script.write_text(f'#!/bin/sh\nexec "{loaders[0]}" --library-path "{libraries}" "{real}" "$@"\n')
        script.chmod(0o755)
        subprocess.run([str(script), "--version"], check=True, capture_output=True)
    made.rename(folder / "bin")


def _index(mirror: str, release: str, folder: Path) -> dict[str, dict[str, str]]:
    """The packages of the release, by name; the release file's signature is checked where gpgv and Debian's keys are at hand."""
    signed = _fetch(f"{mirror}/dists/{release}/InRelease")
    keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    if shutil.which("gpgv") and keys.exists():
        file = folder / "InRelease"
        file.write_bytes(signed)
        subprocess.run(["gpgv", "-q", "--keyring", str(keys), str(file)], check=True, capture_output=True)
    wanted = f"main/binary-{MACHINES[platform.machine()]}/Packages.xz"
    sums = signed.decode().partition("SHA256:")[2]
    found = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ {re.escape(wanted)}$", sums, re.MULTILINE)
    if found is None:
        raise LookupError(f"{release} has no {wanted}")
    text = lzma.decompress(_fetch(f"{mirror}/dists/{release}/{wanted}", found.group(1))).decode()
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
