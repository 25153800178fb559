"""Shared cells are executed before all others: nothing may come of that but time."""

from __future__ import annotations

import contextlib
import io
import random
from typing import Any

import pytest

from jupyter_mlops.notebooks.sharing import CodeCell, analyse

NAMES = ("a", "b", "c", "p")
STATEMENTS = (
    "{x} = {i}",
    "{x} = {y} + {i}",
    "{x} += {i}",
    "{x} = [{y} for {y} in range({i})][-1] if {i} else 0",
    "for {x} in range({i} + 1): print({x})",
    "if {y} > {i}: {x} = {y}",
    "items.append({y})",
    "{x} = len(items) + items[-1]",
    "print({x}, {y}, items)",
    "def f(n={y}): return n + {x}",
    "def f(): return {x}",
    "def g(): items.append({x})",
    "g()",
    "{x} = f()",
    "del items[-1]; items.insert(0, {y})",
    "import math as m; {x} = m.ceil({y})",
    "try: {x} = {y} / {i}\nexcept ZeroDivisionError as {x}: {x} = 0",
    "class C:\n    size = {x}\n    def take(self): return {y}",
    "{x} = C().take()",
    "def h():\n    global {x}\n    {x} = {y}\nh()",
    "with open(__file__): {x} = {y}",
    "def fill(list): list.append({i})\nfill(items)",
)
BEGIN = (
    "a = b = c = 1\nitems = [1]\ndef f(): return 0\ndef g(): pass\n"
    "class C:\n    def take(self): return 1"
)
END = "print(a, b, c, p, items, f())"


def a_notebook(seed: int) -> list[CodeCell]:
    """Make cells of random statements, some of them tagged."""
    chance = random.Random(seed)  # noqa: S311  # the same notebooks each time
    cells = [CodeCell(source=BEGIN)]
    for _ in range(chance.randint(3, 7)):
        chosen = chance.choices(STATEMENTS, k=chance.randint(1, 3))
        source = "\n".join(
            each.format(x=chance.choice(NAMES), y=chance.choice(NAMES), i=chance.randint(0, 3))
            for each in chosen
        )
        tags = frozenset({"shared"} if chance.random() < 0.4 else ())
        cells.append(CodeCell(source=source, tags=tags))
    place = chance.randint(1, len(cells))
    cells.insert(place, CodeCell(source="p = 2", tags=frozenset({"parameters"})))
    cells.append(CodeCell(source=END))
    return cells


def executed(cells: list[CodeCell], order: list[int]) -> dict[int, str]:
    """Execute cells in an order; return what each printed."""
    namespace: dict[str, Any] = {"__file__": __file__}
    printed = {}
    for index in order:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(cells[index].source, namespace)  # noqa: S102  # our own statements
        printed[index] = out.getvalue()
    return printed


@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_the_order_makes_no_difference(start: int) -> None:
    """Every cell puts out the same, the last of which prints all that there is."""
    shared = 0
    for seed in range(start, start + 250):
        cells = a_notebook(seed)
        first = list(analyse(cells).shared)
        usual = list(range(len(cells)))
        try:
            expected = executed(cells, usual)
        except (NameError, TypeError, ZeroDivisionError, IndexError):
            continue
        order = first + [each for each in usual if each not in first]
        assert executed(cells, order) == expected, (seed, first, cells)
        shared += len(first)
    assert shared > 50
