"""Where a machine's workers are found: one socket, lock and record per project."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import select
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..core.exceptions import WorkerUnavailable
from ..core.runs import ATTEMPT_VARIABLE, PROJECT_VARIABLE, READS_VARIABLE
from .projects import Project

_EXPERIMENT_VARIABLES = ("MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")

RUNTIME_VARIABLE = "JUPYTER_MLOPS_RUNTIME_DIR"

#: Exit code by which a worker that stays asks for another one in its place.
SUCCESSOR = 75

#: Seconds that a worker may take to answer for the first time.
START_TIMEOUT = 60.0


def runtime_dir() -> Path:
    """Return the user's private folder on this machine, made if need be with mode 0700.

    It holds sockets and locks, so it must be local, its path short, and the same for all of the
    user's processes: neither TMPDIR nor XDG_RUNTIME_DIR, which differ between logins, decides.
    """
    chosen = os.environ.get(RUNTIME_VARIABLE)
    path = Path(chosen) if chosen else Path(f"/tmp/jupyter-mlops-{os.getuid()}")  # noqa: S108
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise WorkerUnavailable(
            f"{path} is not a private folder of yours. Remove it, or set JUPYTER_MLOPS_RUNTIME_DIR."
        )
    return path


@dataclass(frozen=True, slots=True)
class Address:
    """The files by which a project's worker is found."""

    socket: Path
    #: Locked by the worker as long as it lives.
    lock: Path
    #: Locked by a client while it starts a worker.
    starting: Path


def address(project: Project) -> Address:
    """Return where the project's worker listens."""
    base = runtime_dir() / project.id
    return Address(base.with_suffix(".sock"), base.with_suffix(".lock"), base.with_suffix(".start"))


def endpoint_address(project: Project, name: str) -> Path:
    """Return the link that leads to the socket of whatever process serves a model just now."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return runtime_dir() / f"{project.id}-{digest}.endpoint"


def endpoint_path(name: str) -> str:
    """Return a model's address below the Jupyter server's base URL."""
    return f"mlops/endpoints/{quote(name, safe='')}/"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, waiting for it. The system frees it if we die."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def keep_fresh() -> None:
    """Save the user's files from cleaners of temporary folders, which go by age."""
    for path in runtime_dir().iterdir():
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)


def try_lock(path: Path) -> int | None:
    """Lock a file until the returned descriptor is closed; None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def recorded_python(project: Project) -> str | None:
    """Return the interpreter of the project's worker, if it was recorded and still exists."""
    try:
        python = json.loads((project.state / "worker.json").read_text("utf-8"))["python"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return python if isinstance(python, str) and os.access(python, os.X_OK) else None


def _ahead(project: Project, dvc: Path, question: bytes) -> tuple[str, ...]:
    """Return the options by which a worker starts with DVC."""
    return "--dvc", str(dvc), "--dvc-log", str(dvc_log(project)), "--ask", question.hex()


def start_worker(
    project: Project, *, python: str | None = None, ahead: tuple[Path, bytes] | None = None
) -> None:
    """Start the project's worker as a daemon and return when it listens.

    ``ahead`` is a DVC repository, and what its host is asked while the worker starts. The caller
    holds the ``starting`` lock. Raises `WorkerUnavailable` with the log's last line.
    """
    python = python or recorded_python(project) or sys.executable
    reader, writer = os.pipe()
    log_path = worker_log(project)
    try:
        with log_path.open("ab") as log:
            position = log.tell()
            # It forks, so that the worker is nobody's child and outlives whoever asked for it.
            subprocess.run(  # noqa: S603 - our own interpreter, an argv list
                [
                    python,
                    "-P",
                    "-m",
                    "jupyter_mlops.app.worker",
                    str(project.root),
                    "--ready-fd",
                    str(writer),
                    *(_ahead(project, *ahead) if ahead else ()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=project.root,
                env=_worker_environment(),
                pass_fds=(writer,),
                start_new_session=True,
                check=False,
            )
        os.close(writer)
        writer = -1
        ready, _, _ = select.select([reader], [], [], START_TIMEOUT)
        if not ready or not os.read(reader, 1):
            raise WorkerUnavailable(
                f"The worker did not start: {_last_line(log_path, position)} "
                f"(the whole log: {log_path})"
            )
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)


def _worker_environment() -> dict[str, str]:
    """Return our environment without what belongs to the attempt that we may be part of."""
    own = {ATTEMPT_VARIABLE, PROJECT_VARIABLE, READS_VARIABLE}
    inside = os.environ.get(PROJECT_VARIABLE)
    if inside is not None:
        own |= {"MLFLOW_RUN_ID", "MLFLOW_RUN_CONTEXT", *_EXPERIMENT_VARIABLES}
        if inside in os.environ.get("MLFLOW_TRACKING_URI", ""):
            own.add("MLFLOW_TRACKING_URI")
    return {name: value for name, value in os.environ.items() if name not in own}


def dvc_log(project: Project) -> Path:
    """Return where the processes that host DVC for a project write what they print."""
    return project.state / "logs" / "dvc.log"


def worker_log(project: Project) -> Path:
    """Return the worker's log file, its folder made. Raises `WorkerUnavailable`."""
    path = project.state / "logs" / "worker.log"
    try:
        make_state(project)
        path.open("ab").close()
    except OSError as error:
        raise WorkerUnavailable(
            f"{project.state} cannot be written ({error.strerror}). "
            "Free space or mend its permissions, set state_dir in mlops.toml, or "
            "JUPYTER_MLOPS_STATE_DIR to a folder of yours."
        ) from error
    return path


def make_state(project: Project) -> None:
    """Make the project's state folder, private and ignored by git. Raises `OSError`."""
    project.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (project.state / "logs").mkdir(exist_ok=True)
    ignore = project.state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")
    if project.state != project.usual_state:
        _take_along(project)


def _take_along(project: Project) -> None:
    """Let a state that lies elsewhere begin with what the project's own one knows of runs."""
    name = "store.db"
    if (project.state / name).exists() or not (project.usual_state / name).exists():
        return
    for path in (project.usual_state / f"{name}-wal", project.usual_state / name):
        if path.exists():
            shutil.copyfile(path, project.state / path.name)


def _last_line(path: Path, start: int) -> str:
    with path.open("rb") as file:
        file.seek(start)
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next(
        (line.strip() for line in reversed(lines) if line.strip()), "it ended without a word"
    )
