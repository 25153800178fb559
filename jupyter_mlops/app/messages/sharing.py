"""Shared cells: those that are executed once for all runs of a sweep."""

from __future__ import annotations

from typing import Literal

from .base import View

#: It declares the parameters; is executed once; is tagged but cannot be shared; could be shared and
#: is worth it; could be shared; depends on parameters; cannot be shared for another reason.
State = Literal["parameters", "shared", "refused", "suggested", "free", "dependent", "unfit"]


class SharingCell(View):
    """A code cell, and whether it is or could be shared; ``cell`` counts code cells from 1."""

    cell: int
    source: str
    state: State
    #: Whether it is tagged ``shared``.
    tagged: bool
    #: Why it is as it is: the end of "cell 4 …", or a sentence if it is refused; may be empty.
    why: str
    #: Seconds that it usually takes when it is executed in a run; None if that is not known.
    seconds: float | None


class SharingView(View):
    """Which cells of a notebook are shared, and what sharing others would save."""

    notebook: str
    #: How many runs there would be, and how many at a time.
    runs: int
    slots: int
    cores: int
    cells: list[SharingCell]
    #: Earlier runs in which the cells were measured.
    measured: int
    #: Seconds of each run that the suggested cells take, and those that sharing them would save.
    seconds: float
    saved: float
