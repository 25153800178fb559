"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def missing() -> str | None:
    """Say why there can be no server; None if there can."""
    if _programs() is None:
        return "PostgreSQL's server programs (initdb, postgres) are not installed"
    if os.geteuid() == 0 and _owner() is None:
        return "PostgreSQL does not run as root and there is no user postgres"
    return None


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a Unix socket and yield the URL of its database."""
    programs = _programs()
    assert programs is not None
    user = _owner()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user is not None:
        shutil.chown(folder, user)
    options: dict[str, object] = {"user": user} if user is not None else {}
    data = folder / "data"

    def run(*argv: str) -> None:
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd=folder, **options)  # type: ignore[call-overload]

    try:
        run(f"{programs}/initdb", "-D", str(data), "-A", "trust", "-U", "tester", "--no-sync")
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run(
            f"{programs}/pg_ctl",
            "-D",
            str(data),
            "-w",
            "-l",
            str(folder / "log"),
            "-o",
            settings,
            "start",
        )
        yield f"postgresql+psycopg://tester@/postgres?host={folder}"
    finally:
        run(f"{programs}/pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> str | None:
    found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(str(Path(on_path).parent))
    return next((each for each in found if Path(each, "pg_ctl").exists()), None)


def _owner() -> str | None:
    """Return the user that the server must run as, if we are root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None
