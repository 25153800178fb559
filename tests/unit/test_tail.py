"""The last lines of a cell, for whoever watches."""

from __future__ import annotations

import math

import pytest

from jupyter_mlops.execution import tail as tail_module
from jupyter_mlops.execution.tail import CHARACTERS, LINES, Tail, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("\x1b[31mred\x1b[0m \x1b]8;;file:x\x07link\x1b]8;;\x07", "red link"),
        ("\r 10%|#\r 50%|##\r100%|###", "100%|###"),
        ("half\r\nwhole\r\n", "half\nwhole\n"),
        ("bell\x07 and\ttab", "bell and\ttab"),
    ],
)
def test_it_is_what_a_terminal_shows(text: str, shown: str) -> None:
    """No control sequences, and of a line that was overwritten the last state."""
    assert shorten(text) == shown


def test_it_is_short() -> None:
    """Some lines and characters, from the end."""
    assert shorten("".join(f"{i}\n" for i in range(100))) == "".join(
        f"{i}\n" for i in range(100 - LINES, 100)
    )
    assert shorten("x" * 5000 + "end") == "x" * (CHARACTERS - 3) + "end"


def test_secrets_are_masked_wherever_the_tail_begins() -> None:
    """Also one that the tail would cut, or that came in two pieces; short texts are no secrets."""
    secret, told = "hunter2-" * 5, list[str]()
    tail = Tail([secret, 12], told.append)
    for cut in range(0, 3 * len(secret), 7):
        tail.begin()
        tail.add("x" * cut + f"{secret} " * 500 + secret[:9])
        tail.add(secret[9:] + " 12 end")
        tail.tell()
        assert told[-1].endswith("•••••• 12 end")
        assert "hunter" not in told[-1]
        assert "2-" not in told[-1]


def test_it_is_told_at_most_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes in between is told when the time has come, and nothing twice."""
    now, told = [100.0], list[str]()
    monkeypatch.setattr(tail_module.time, "monotonic", lambda: now[0])
    tail = Tail([], told.append)
    assert tail.tick() == math.inf
    tail.add("a")
    tail.tick()
    tail.add("b")
    assert tail.tick() == pytest.approx(0.25)
    assert told == ["a"]
    now[0] += 0.3
    assert tail.tick() == math.inf
    assert told == ["a", "ab"]
    tail.tell()
    assert told == ["a", "ab"]
