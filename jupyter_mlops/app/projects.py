"""Which project a notebook belongs to, and the project's settings."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ..core.exceptions import InvalidInput, NotAllowedPath
from ..core.notices import NoticeKind
from ..execution.executors.dask.settings import DaskSettings
from .feature_settings import FeatureSettings
from .variables import Variable

SETTINGS_FILE = "mlops.toml"

#: Environment variable that names a folder for the states of projects, as for a read-only one.
STATE_VARIABLE = "JUPYTER_MLOPS_STATE_DIR"


class Notification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told when work has ended."""

    #: A URL, which is a secret, or the variable that holds it.
    to: str | Variable
    #: What a stage of a pipeline calls it in its ``notify``.
    name: str = ""
    #: After which ends.
    on: tuple[Literal["failure", "success"], ...] = ("failure",)
    #: Of which work; ``schedule`` is what schedules and triggers have started.
    of: tuple[NoticeKind, ...] = (NoticeKind.PIPELINE, NoticeKind.SCHEDULE)

    def __repr__(self) -> str:
        """Return it without the URL."""
        return f"Notification(name={self.name!r}, on={self.on}, of={self.of})"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``mlops.toml``, or ``[tool.jupyter-mlops]`` in ``pyproject.toml``, may say."""

    #: Folder of the project's state, relative to the project. Keep it off network file systems.
    state_dir: str = ".mlops"
    #: SQLAlchemy URL of the store; unset means SQLite in the state folder.
    store: str | None = None
    #: MLflow tracking URI; unset means SQLite in the state folder. MLFLOW_TRACKING_URI wins.
    tracking_uri: str | None = None
    #: Experiment of runs that name none; unset means the notebook's name.
    experiment: str | None = None
    #: Cores that this project may use; unset means all that the machine grants.
    cores: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: Memory that this project may use, such as ``8GB``; unset means all that the machine grants.
    memory: str | None = None
    #: GPUs that this project may use, as CUDA_VISIBLE_DEVICES names them; unset means all.
    gpus: tuple[str | int, ...] | None = None
    #: Attempts of this user, in all projects, that may run at a time; unset means no limit.
    max_running: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: A larger parameter space is refused.
    max_points: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    #: How often a failed run is tried again.
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    #: Seconds before the first retry; each further one waits twice as long, 5 minutes at most.
    retry_delay: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    #: Days after which finished runs are removed, unless a model needs them; unset keeps them.
    retention: Annotated[float, msgspec.Meta(gt=0)] | None = None
    #: Where attempts run, unless a sweep says otherwise: ``local``, ``dask``, or another's name.
    executor: str = "local"
    #: The cluster of the executor ``dask``, as ``[dask]``.
    dask: DaskSettings | None = None
    #: What executors of other packages are told, as ``[executors.NAME]``.
    executors: dict[str, dict[str, Any]] = {}
    #: Megabytes of each stream of a cell that the output notebook takes; the rest goes to a file.
    max_output_mb: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    #: Whether kernels are forked from templates; otherwise each is started anew.
    warm_kernels: bool = True
    #: Packages that warm kernels may import in advance, besides those known to be safe.
    preload: tuple[str, ...] = ()
    #: Minutes without work after which the worker ends.
    idle_minutes: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    #: Trackers that also get each run which has finished: ``wandb``, ``comet``, or others' names.
    trackers: tuple[str, ...] = ()
    #: Patterns of the files, relative to the project, that every run reads.
    data: tuple[str, ...] = ()
    #: File with the exact versions of the packages; unset means a usual name, if there is one.
    lock: str | None = None
    #: Who is told when work has ended, as ``[[notifications]]``.
    notifications: tuple[Notification, ...] = ()
    #: Sources of features, where their values lie, and who may read them, as ``[features]``.
    features: FeatureSettings = msgspec.field(default_factory=FeatureSettings)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder whose notebooks, runs and models belong together. ``root`` has no symbolic links."""

    root: Path
    #: What made it a project: a file or folder name, or ``folder``.
    marker: str
    settings: Settings

    @property
    def id(self) -> str:
        """Name of the project in the runtime folder: a hash of its path."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]

    @property
    def state(self) -> Path:
        """Folder of the store, snapshots, journals and logs."""
        elsewhere = os.environ.get(STATE_VARIABLE)
        return Path(elsewhere) / self.id if elsewhere else self.usual_state

    @property
    def usual_state(self) -> Path:
        """Where that folder is unless the environment says otherwise."""
        return self.root / self.settings.state_dir

    def relative(self, path: str | os.PathLike[str]) -> str:
        """Return a path inside the project, relative to it with forward slashes.

        Relative paths are taken from the project's root. Raises `NotAllowedPath` for paths that
        lead out of it, symbolic links resolved.
        """
        return confined(self.root, path).relative_to(self.root).as_posix()


def confined(root: Path, path: str | os.PathLike[str]) -> Path:
    """Resolve ``path`` below ``root`` (itself resolved) or raise `NotAllowedPath`."""
    text = os.fspath(path)
    if "\0" in text:
        raise NotAllowedPath("The path contains a NUL character. Choose another file.")
    resolved = Path(os.path.realpath(root / text))
    if not resolved.is_relative_to(root):
        raise NotAllowedPath(f"{text} lies outside {root.name}. Choose a file inside it.")
    return resolved


def find_project(start: str | os.PathLike[str], *, within: Path | None = None) -> Project:
    """Return the project of a file or folder, looking upwards but not above ``within``."""
    path = Path(os.path.realpath(start))
    folder = path if path.is_dir() else path.parent
    folders = [folder, *folder.parents]
    if within is not None:
        folders = [each for each in folders if each.is_relative_to(within)] or [folder]
    for markers in ((SETTINGS_FILE, "pyproject.toml"), (".dvc",), (".git",)):
        for each in folders:
            for marker in markers:
                if _marks(each, marker):
                    return Project(each, marker, read_settings(each))
    return Project(folder, "folder", Settings())


def read_settings(root: Path) -> Settings:
    """Read a project's settings. Raises `InvalidInput` naming the file and what it gets wrong."""
    own = root / SETTINGS_FILE
    path = own if own.is_file() else root / "pyproject.toml"
    try:
        table = _table(path)
        return msgspec.convert(table, Settings)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(f"{path.name}: {error}. Mend the file and try again.") from error


def _marks(folder: Path, marker: str) -> bool:
    path = folder / marker
    if marker != "pyproject.toml":
        return path.exists()
    try:
        return path.is_file() and bool(_table(path))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False


def _table(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    table = tomllib.loads(path.read_text("utf-8"))
    if path.name == SETTINGS_FILE:
        return table
    found = table.get("tool", {}).get("jupyter-mlops", {})
    return found if isinstance(found, dict) else {}
