"""What both sides say of the project's files, where nodes do not see its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec

from ....core.executors import Command, Task

#: Which folder a path belongs to: the project's, or that of its state.
Area = Literal["project", "state"]

#: Most bytes of files that are sent, or asked for, at a time.
PART = 8_000_000


class Entry(msgspec.Struct, frozen=True):
    """A file that a node needs. Its content is known by its hash."""

    area: Area
    #: Relative to the folder, with forward slashes.
    path: str
    sha256: str
    #: Bytes.
    size: int
    #: Permissions, as of `os.stat`.
    mode: int


class Manifest(msgspec.Struct, frozen=True):
    """All that an attempt needs: files, and data that the node gets from the DVC remote."""

    entries: tuple[Entry, ...]
    #: Files of the entries that name data, which are pulled: ``.dvc`` files, paths of outputs.
    pulled: tuple[str, ...] = ()
    #: What these files keep, which is not sent.
    kept: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """A piece of a file on its way to a node."""

    sha256: str
    offset: int
    #: Bytes of the whole file.
    size: int
    data: bytes


class Made(msgspec.Struct, frozen=True):
    """A file that an attempt has made or changed."""

    area: Area
    path: str
    size: int
    mode: int


class Sent(msgspec.Struct, frozen=True):
    """What a node is told of the files of an attempt that were sent there."""

    #: Hash of the manifest of the project, which is a content like others.
    manifest: str
    #: What only this attempt needs.
    own: tuple[Entry, ...]
    #: Where the folders are from which they come.
    project: str
    state: str


class Places:
    """Where the folders of a project are: here, and on a node."""

    def __init__(self, project: Path, state: Path) -> None:
        self.project = project
        self.state = state

    def of(self, area: Area) -> Path:
        """Return a folder."""
        return self.project if area == "project" else self.state

    def area(self, path: Path) -> tuple[Area, str] | None:
        """Return the folder that a path lies in, and where; None if it lies elsewhere."""
        areas: tuple[Area, ...] = ("state", "project")  # the state may lie in the project
        for area in areas:
            if path.is_relative_to(self.of(area)):
                return area, path.relative_to(self.of(area)).as_posix()
        return None

    def moved(self, path: Path, there: Places) -> Path:
        """Return where a path is in other places; one that lies elsewhere stays as it is."""
        found = self.area(path)
        return path if found is None else there.of(found[0]) / found[1]


def relocated(task: Task, here: Places, there: Places) -> Task:
    """Return a task with its paths as they are on a node."""
    kept = task.kept and replace(task.kept, notebook=here.moved(task.kept.notebook, there))
    return replace(
        task,
        snapshot=here.moved(task.snapshot, there),
        output=here.moved(task.output, there),
        result=here.moved(task.result, there),
        log=here.moved(task.log, there),
        cwd=here.moved(task.cwd, there),
        kept=kept,
        environment=_moved(task.environment, here, there),
    )


def relocated_command(command: Command, here: Places, there: Places) -> Command:
    """Return a command with its paths as they are on a node."""
    return replace(
        command,
        cwd=here.moved(command.cwd, there),
        log=here.moved(command.log, there),
        environment=_moved(command.environment, here, there),
    )


def _moved(environment: Mapping[str, str], here: Places, there: Places) -> dict[str, str]:
    """Return variables with the paths in them as they are on a node."""

    def moved(value: str) -> str:
        if not any(str(each) in value for each in (here.project, here.state)):
            return value
        paths = value.split(os.pathsep)
        return os.pathsep.join(str(here.moved(Path(each), there)) if each else "" for each in paths)

    return {name: moved(value) for name, value in environment.items()}
