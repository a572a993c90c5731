"""Programs that only the tests need, beside the stack's own: what there is of each on this machine."""

import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import debian, paths, postgres, servers


def dumps() -> dict[int, Path]:
    """Folders with `pg_dump` and `pg_restore`, by major version: Debian's, which know all codecs, else the wheel's,
    which know gzip, else those that are installed."""
    with ThreadPoolExecutor() as pool:
        found = dict(zip(debian.RELEASES, pool.map(debian.client, debian.RELEASES), strict=True))
    wheel = {major: postgres.programs(major) for major in (16, 18)}
    system = {int(folder.parent.name): folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "pg_dump").exists()}
    have = {major: folder for major, folder in found.items() if folder is not None}
    return dict(sorted({**system, **wheel, **have}.items()))


def zstd_client(found: dict[int, Path]) -> Path | None:
    """A folder with `pg_restore` and `pg_dump` that read and write zstd and lz4, 17 if it is there."""
    return next((found[major] for major in (17, 18) if major in found and found[major].is_relative_to(paths.LOCAL)), None)


def ssl_server() -> Path | None:
    """The `bin` folder of a server built with SSL."""
    return servers.programs(17) if platform.machine() in servers.MACHINES else None
