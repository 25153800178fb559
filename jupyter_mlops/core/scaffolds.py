"""What becomes of a folder that is made a project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Action(StrEnum):
    """What becomes of a file."""

    #: There is none yet.
    CREATE = "create"
    #: Lines are added below those that are there.
    ADD = "add"
    #: Another one is there, and gives way since that was asked for.
    REPLACE = "replace"
    #: It is there, and stays as it is.
    KEEP = "keep"
    #: There is none, and the reason says why there will be none.
    LEAVE_OUT = "leave_out"


class Version(StrEnum):
    """Where a project's git repository comes from."""

    #: It is made.
    BEGIN = "begin"
    #: The folder is the root of one.
    THERE = "there"
    #: The folder lies in one.
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of the project."""

    #: Relative to the project, with forward slashes.
    path: str
    action: Action
    #: Why it is not written, or what is special about it.
    reason: str = ""
    #: What it will hold, and what it holds; None where that does not matter.
    content: bytes | None = None
    before: bytes | None = None

    @property
    def written(self) -> bool:
        """Whether anything is done."""
        return self.action in (Action.CREATE, Action.ADD, Action.REPLACE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to make a folder a project."""

    folder: Path
    #: Whether the folder is new or empty.
    fresh: bool
    files: tuple[PlannedFile, ...]
    git: Version
    #: Whether DVC is set up.
    dvc: bool
    #: Settings of the repository's git.
    settings: tuple[tuple[str, str], ...]
    #: What the user should know or do.
    remarks: tuple[str, ...]

    @property
    def written(self) -> tuple[PlannedFile, ...]:
        """The files that something is done to."""
        return tuple(each for each in self.files if each.written)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        begins = self.dvc or self.git is Version.BEGIN
        return bool(self.written or begins or self.settings)
