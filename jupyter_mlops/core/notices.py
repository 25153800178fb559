"""What a notification tells: that some work has ended, how, and where to look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from . import formats
from .runs import Status

#: Longest line of a notification; what programs print may be of any length.
MAX_LINE = 500


class NoticeKind(StrEnum):
    """What has ended."""

    PIPELINE = "pipeline"  #: a pipeline run
    STAGE = "stage"  #: one stage of it
    SWEEP = "sweep"  #: all runs of a sweep
    RUN = "run"  #: a single run of a notebook
    SCHEDULE = "schedule"  #: a schedule or trigger itself; also all work that one has started


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Something that somebody may want to be told."""

    kind: NoticeKind
    #: What a person calls it: a notebook, a stage, a folder.
    name: str
    #: ``succeeded``, ``failed`` or ``cancelled``; the last is told to nobody, it was asked for.
    status: Status
    #: What went wrong, in one line.
    error: str | None = None
    #: Seconds that it took.
    duration: float | None = None
    #: The command that shows more, such as ``jupyter mlops runs show k3m9x2ab``.
    look: str = ""
    #: What asked for it, such as ``schedule:k3m9x2ab``; empty for a person.
    origin: str = ""
    #: Further lines, such as counts of runs.
    details: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure."""
        return self.status is Status.FAILED

    @property
    def subject(self) -> str:
        """One line that says all that matters."""
        head = f"{self.kind.value.capitalize()} {self.status}: {self.name}"
        return _line(f"{head}: {self.error}" if self.error else head)

    def body(self, place: str) -> str:
        """Return a few lines; ``place`` is the project's folder."""
        lines = [*self.details]
        if self.duration is not None:
            lines.append(f"It took {formats.duration(self.duration)}.")
        if self.origin:
            lines.append(f"It was started by {self.origin}.")
        lines.append(f"Project: {place}")
        if self.look:
            lines.append(f"Look closer: {self.look}")
        return "\n".join(map(_line, [self.subject, *lines]))


def _line(text: str) -> str:
    """Return text as one line without control characters."""
    joined = " ".join(text.split())
    plain = "".join(each for each in joined if each.isprintable())
    return plain if len(plain) <= MAX_LINE else f"{plain[: MAX_LINE - 1]}…"
