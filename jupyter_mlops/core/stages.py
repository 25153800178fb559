"""Commands of stages that execute a notebook, and the runs that are made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Program(StrEnum):
    """What a command calls to execute a notebook."""

    PAPERMILL = "papermill"
    NBCONVERT = "nbconvert"
    MLOPS = "mlops"


class ErrorRule(StrEnum):
    """Which errors of cells make an attempt fail."""

    ALL = "all"  #: as papermill: all go on behind a cell tagged raises-exception, but it fails
    UNTAGGED = "untagged"  #: as nbconvert: not those of cells tagged raises-exception
    NONE = "none"  #: as nbconvert with --allow-errors: all cells are executed


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """The stage of a pipeline that a run executes, and what its command asks of the run."""

    #: The pipeline run, and the stage's address in DVC.
    pipeline_id: str
    name: str
    #: Working directory of the kernel, relative to the project if it lies in it.
    folder: str
    errors: ErrorRule = ErrorRule.ALL
    #: Seconds that the kernel may take to start; None means our own limit.
    start_timeout: float | None = None
    #: Language of the notebook, if not the kernel's.
    language: str | None = None
    #: Whether cells tagged shared are executed like all others, as other programs do it.
    plain: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class NotebookCommand:
    """A command that is plainly one execution of a notebook."""

    program: Program
    #: The notebook, and how the command names it.
    notebook: Path
    source: str
    #: Working directory of the kernel.
    folder: Path
    #: Parameters, with their types; those of ``first`` give way to those of ``files``, which are
    #: YAML files that are read when the command is carried out, and these to ``parameters``.
    first: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    #: Parameters as texts in the language of spaces, of ``jupyter mlops run``.
    space: dict[str, str] = field(default_factory=dict)
    #: Where the executed notebook goes besides the run's own output, and how the command names it.
    output: Path | None = None
    target: str = ""
    #: Whether a missing folder of the output is made.
    makes_folder: bool = False
    #: What a run may be told about how to execute, by the names of such a request's fields.
    options: dict[str, Any] = field(default_factory=dict)
    errors: ErrorRule = ErrorRule.ALL
    start_timeout: float | None = None
    language: str | None = None
    #: Whether the output hides the sources of its cells.
    report: bool = False
    #: Program and arguments that convert the executed notebook, whose path is to be added, after a
    #: success; it takes the output's place. Empty: there is nothing to convert.
    then: tuple[str, ...] = ()

    @property
    def keeps_failures(self) -> bool:
        """Whether the output is also written after a failure."""
        return self.program is Program.PAPERMILL
