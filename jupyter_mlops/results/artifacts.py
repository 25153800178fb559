"""The files that a run kept, as the Python API and the commands hand them on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..app import messages as m
from ..app.artifact_operations import GET_ARTIFACT, LIST_ARTIFACTS, READ_ARTIFACT
from ..app.client import connect
from ..app.projects import Project
from ..core.artifacts import checked_path, media_type
from ..core.exceptions import Conflict, InvalidInput
from ..core.files import write_atomically
from ..core.formats import counted
from ..reports import Report
from ..reports.artifacts import artifact_report, artifacts_report
from .base import Message, Shown
from .runs import RunResult, SweepResult


class Artifact(Shown):
    """A file that a run kept."""

    def __init__(self, project: Project, run_id: str, view: m.ArtifactView) -> None:
        self._project = project
        self._run_id = run_id
        self._view = view

    @property
    def path(self) -> str:
        """Its path in the run, with forward slashes."""
        return self._view.path

    @property
    def size(self) -> int | None:
        """Its bytes; None if the store does not tell."""
        return self._view.size

    @property
    def sha256(self) -> str:
        """The hash of what it holds, which is read for that when first asked for."""
        return self._hashed().sha256 or ""

    def save(self, to: str | os.PathLike[str]) -> Path:
        """Write it to a file, or into a folder under its own name; return the file."""
        target = Path(to)
        if target.is_dir():
            target /= self.path.rpartition("/")[2]
        pieces = connect(self._project).download(
            READ_ARTIFACT, query=m.ContentQuery(path=self.path), run_id=self._run_id
        )
        try:
            write_atomically(target, pieces)
        except OSError as error:
            raise Conflict(
                f"{target} cannot be written: {error.strerror}. Name another file."
            ) from error
        return target

    def report(self) -> Report:
        """Return what to tell a person."""
        return artifact_report(self._run_id, self._hashed())

    def record(self) -> m.ArtifactView:
        """Return what to tell a program."""
        return self._hashed()

    def _hashed(self) -> m.ArtifactView:
        if self._view.sha256 is None:
            query = m.ArtifactQuery(path=self.path)
            self._view = connect(self._project).call(
                GET_ARTIFACT, query=query, timeout=None, run_id=self._run_id
            )
        return self._view


class ArtifactList(list[Artifact], Shown):
    """The files that a run kept, as a list and as a table."""

    def __init__(self, project: Project, view: m.ArtifactsView) -> None:
        super().__init__(Artifact(project, view.run_id, each) for each in view.artifacts)
        self.view = view
        self._project = project

    def at(self, path: str) -> Artifact:
        """Return the file of a path, even if it is beyond those that are listed."""
        unlisted = m.ArtifactView(path=checked_path(path), size=None, media_type=media_type(path))
        known = next((each for each in self if each.path == path), None)
        return known or Artifact(self._project, self.view.run_id, unlisted)

    def report(self) -> Report:
        """Return what to tell a person."""
        return artifacts_report(self.view)

    def record(self) -> m.ArtifactsView:
        """Return what to tell a program."""
        return self.view

    __repr__ = Shown.__repr__


def artifacts_of(project: Project, run_id: str) -> ArtifactList:
    """Ask what a run kept."""
    view = connect(project).call(LIST_ARTIFACTS, timeout=None, run_id=run_id)
    return ArtifactList(project, view)


def fetched(result: RunResult | SweepResult, path: str, output: str | None) -> Shown:
    """Return one file that a run kept, or save it, or all of a folder. Raises `InvalidInput`."""
    if isinstance(result, SweepResult):
        raise InvalidInput(f"--artifact takes one run, such as {result.id}-1.", field="artifact")
    wanted = checked_path(path.rstrip("/"))
    kept = result.artifacts
    inside = [each for each in kept if each.path.startswith(f"{wanted}/")]
    if not inside:
        single = kept.at(wanted)
        return single if output is None else _saved([single.save(output)], result.id)
    if output is None:
        raise InvalidInput(
            f"{wanted} is a folder of {counted(len(inside), 'file')}. "
            "Add --output FOLDER to fetch it.",
            field="artifact",
        )
    return _saved(_save_all(inside, wanted, Path(output)), result.id)


def _save_all(inside: Iterable[Artifact], folder: str, to: Path) -> list[Path]:
    """Write the files of a folder below another one; no path can lead out of it."""
    saved = []
    for each in inside:
        target = to / checked_path(each.path.removeprefix(f"{folder}/"))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Conflict(
                f"{target.parent} cannot be made: {error.strerror}. Name another folder."
            ) from error
        if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(to)):
            raise Conflict(f"{target.parent} is a link to elsewhere. Name an empty folder.")
        saved.append(each.save(target))
    return saved


def _saved(paths: list[Path], run_id: str) -> Message:
    what = str(paths[0]) if len(paths) == 1 else counted(len(paths), "file")
    record = {"id": run_id, "files": [str(path) for path in paths]}
    return Message(Report(headline=f"Saved {what}"), record)
