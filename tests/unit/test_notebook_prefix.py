"""Whether a notebook still begins as it was executed."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlops.core.exceptions import Conflict
from jupyter_mlops.notebooks.prefix import check_same_beginning
from tests.support.cells import code

PARAMETERS = code("x = 1", "parameters")
INJECTED = code("x = 2", "injected-parameters")
TEXT = {"cell_type": "markdown", "metadata": {}, "source": "words"}


def _notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": list(cells)}


def _executed(*cells: dict[str, Any], failed: int) -> dict[str, Any]:
    """The output notebook of an attempt that failed at a code cell, counted from 1."""
    shown = []
    for number, cell in enumerate(cells, start=1):
        status = "completed" if number < failed else "failed" if number == failed else "pending"
        shown.append({**cell, "metadata": {**cell["metadata"], "papermill": {"status": status}}})
    return _notebook(*shown)


def _check(before: list[dict[str, Any]], now: list[dict[str, Any]], first: int) -> None:
    executed = [each for each in before if each["cell_type"] == "code"]
    if PARAMETERS in executed:
        executed.insert(executed.index(PARAMETERS) + 1, INJECTED)
    check_same_beginning(
        _executed(*executed, failed=first),
        _notebook(*before),
        _notebook(*now),
        first=first,
        name="train.ipynb",
    )


def test_what_follows_may_change() -> None:
    """The failed cell and those behind it may be mended, split and removed; text anywhere."""
    before = [PARAMETERS, code("a"), code("bad"), code("c")]
    _check(before, before, 4)
    _check(before, [TEXT, PARAMETERS, TEXT, code("a"), code("good"), code("more")], 4)
    _check(before, [PARAMETERS, code("a")], 4)
    _check(before, [PARAMETERS, code(["a"]), code("bad")], 4)


@pytest.mark.parametrize(
    ("now", "message"),
    [
        ([PARAMETERS, code("A"), code("bad")], "Cell 3 of train.ipynb has changed"),
        ([code("x = 5", "parameters"), code("a"), code("bad")], "Cell 1 of train.ipynb has"),
        ([code("new"), PARAMETERS, code("a"), code("bad")], "Cell 1 of train.ipynb has changed"),
        ([PARAMETERS], "Cell 3 of train.ipynb has changed"),
        ([code("x = 1"), code("a"), code("bad")], "Cell 1 of train.ipynb has changed"),
    ],
)
def test_a_changed_cell_is_named(now: list[dict[str, Any]], message: str) -> None:
    """The number is that of the executed notebook, in which the values have a cell of their own."""
    with pytest.raises(Conflict, match=message):
        _check([PARAMETERS, code("a"), code("bad")], now, 4)


def test_the_parameters_may_not_change_wherever_they_stand() -> None:
    """A parameters cell behind the failed one decides on what the run was asked to be."""
    before = [code("a"), code("bad"), PARAMETERS]
    _check(before, [code("a"), code("good"), PARAMETERS], 2)
    for now in ([code("a"), code("good")], [code("a"), code("x = 7", "parameters")]):
        with pytest.raises(Conflict, match=r"The parameters cell of train\.ipynb has changed"):
            _check(before, now, 2)


def test_every_earlier_cell_must_have_succeeded() -> None:
    """A cell that was never executed left no state to go on from."""
    executed = _executed(PARAMETERS, code("a"), code("bad"), failed=2)
    with pytest.raises(Conflict, match=r"Cell 2 of train\.ipynb did not"):
        check_same_beginning(
            executed,
            _notebook(PARAMETERS, code("a"), code("bad")),
            _notebook(PARAMETERS, code("a"), code("bad")),
            first=3,
            name="train.ipynb",
        )
