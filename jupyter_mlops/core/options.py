"""What a run may be told about how to execute: one table for all who read command lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .exceptions import InvalidInput
from .resources import parse_memory
from .retries import check_causes


class Kind(StrEnum):
    """What an option takes."""

    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    SIZE = "size"  #: bytes, like 2GB
    CAUSES = "causes"  #: causes of failures, with commas between them
    FLAG = "flag"  #: nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option of ``run`` and ``sweep``."""

    #: The field of a request that it fills.
    name: str
    help: str
    metavar: str | None = None
    kind: Kind = Kind.TEXT
    default: Any = None
    #: Bounds of a number; ``above`` is one that it must not reach.
    least: float | None = None
    most: float | None = None
    above: float | None = None

    @property
    def flag(self) -> str:
        """The option as it is written."""
        return f"--{self.name.replace('_', '-')}"

    def read(self, text: str) -> Any:
        """Read a value. Raises `InvalidInput`."""
        try:
            value = _READERS[self.kind](text)
        except ValueError as error:
            raise InvalidInput(f"{self.flag}: {error}.", field=self.name) from error
        if self.kind in (Kind.INT, Kind.FLOAT) and not self._permits(value):
            raise InvalidInput(f"{self.flag}: {text} is out of bounds.", field=self.name)
        return value

    def _permits(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.INT: int,
    Kind.FLOAT: float,
    Kind.SIZE: parse_memory,
    Kind.CAUSES: lambda text: list(check_causes(text.split(","))),
    Kind.FLAG: bool,
}

EXECUTION = (
    Option(name="experiment", metavar="NAME", help="MLflow experiment."),
    Option(
        name="cpus",
        metavar="N",
        kind=Kind.INT,
        least=1,
        help="Cores for each run; unasked, the runs share the machine.",
    ),
    Option(
        name="memory",
        metavar="SIZE",
        kind=Kind.SIZE,
        help="Memory for each run, like 2GB; one that takes more is ended.",
    ),
    Option(name="gpus", metavar="N", kind=Kind.INT, least=0, default=0, help="GPUs for each run."),
    Option(
        name="timeout",
        metavar="S",
        kind=Kind.FLOAT,
        above=0,
        help="Seconds that a try may take.",
    ),
    Option(
        name="cell_timeout",
        metavar="S",
        kind=Kind.FLOAT,
        above=0,
        help="Seconds that a cell may take.",
    ),
    Option(
        name="retries",
        metavar="N",
        kind=Kind.INT,
        least=0,
        most=100,
        help="How often a failed run is tried again.",
    ),
    Option(
        name="retry_on",
        metavar="CAUSE,...",
        kind=Kind.CAUSES,
        help="Retry after these failures only, such as kernel_died,timeout.",
    ),
    Option(
        name="retry_delay",
        metavar="S",
        kind=Kind.FLOAT,
        least=0,
        help="Seconds before the first retry; it doubles from one to the next.",
    ),
    Option(name="priority", metavar="N", kind=Kind.INT, default=0, help="Higher ones go first."),
    Option(name="executor", metavar="NAME", help="Where to run: local."),
    Option(name="kernel", metavar="NAME", help="Kernel in place of the notebook's own."),
    Option(
        name="allow_undeclared",
        kind=Kind.FLAG,
        default=False,
        help="Permit parameters that the notebook does not declare.",
    ),
)
