"""The judge of the storms sees what it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.verdict import check_lives

RUNS = [{"id": "s-1", "attempts": 2}]
FIRST = ["1 s-1.1 10 100 begins", "1 s-1.1 10 200 lives"]
SECOND = ["1 s-1.2 11 300 begins", "1 s-1.2 11 400 ends"]


def _log(folder: Path, *lines: str) -> Path:
    path = folder / "log"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_lives_one_after_the_other(tmp_path: Path) -> None:
    """An attempt that was killed and one that ended well are what a storm leaves."""
    check_lives(_log(tmp_path, *SECOND, *FIRST), RUNS)


def test_two_lives_at_a_time(tmp_path: Path) -> None:
    """A kernel that still lives when the next attempt begins is found, also after its last cell."""
    late = "1 s-1.1 10 350 lives"
    with pytest.raises(AssertionError, match="two live attempts"):
        check_lives(_log(tmp_path, *FIRST, *SECOND, late), RUNS)


def test_a_point_that_did_not_run_to_its_end(tmp_path: Path) -> None:
    """A record of success without the last cell's line is found."""
    with pytest.raises(AssertionError, match="s-1"):
        check_lives(_log(tmp_path, *FIRST, SECOND[0]), RUNS)
