"""Dividing outputs between a notebook and files beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.execution.limits import Limits, files_beside


def _limits(folder: Path, stream: int = 10, item: int = 20) -> Limits:
    made = Limits(folder / "run [1].ipynb", stream, item)
    made.begin(3)
    return made


@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=8))
@settings(max_examples=60, deadline=None)
def test_nothing_of_a_stream_is_lost(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the notebook takes and the file together are what was printed."""
    folder = tmp_path_factory.mktemp("spill")
    limits, kept, named = _limits(folder), "", []
    for text in texts:
        piece, file = limits.text("stdout", text)
        kept += piece
        named += [file] if file else []
    limits.end()
    printed = "".join(texts)
    rest = folder / "run [1].cell3.stdout.log"
    assert len(kept.encode()) <= 10
    assert named == ([rest.name] if len(printed.encode()) > 10 else [])
    assert kept + (rest.read_bytes().decode() if named else "") == printed
    assert limits.lost == 0


def test_a_stream_is_cut_after_a_line_if_possible(tmp_path: Path) -> None:
    """The file begins with a whole line."""
    limits = _limits(tmp_path)
    name = "run [1].cell3.stdout.log"
    assert limits.text("stdout", "one\ntwo\nthree\n") == ("one\ntwo\n", name)
    limits.end()
    assert (tmp_path / "run [1].cell3.stdout.log").read_text() == "three\n"


def test_each_stream_and_cell_has_its_own_room(tmp_path: Path) -> None:
    """Cleared outputs make room as well."""
    limits = _limits(tmp_path)
    assert limits.text("stdout", "x" * 10) == ("x" * 10, None)
    assert limits.text("stderr", "x" * 10) == ("x" * 10, None)
    limits.cleared()
    assert limits.text("stdout", "x" * 10) == ("x" * 10, None)
    limits.begin(4)
    assert limits.text("stdout", "x" * 10) == ("x" * 10, None)
    assert list(files_beside(tmp_path / "run [1].ipynb")) == []


def test_large_items_go_to_files_of_their_kind(tmp_path: Path) -> None:
    """Images as they are, JSON as JSON, text as text; what is small stays."""
    data = {
        "image/png": "aW1hZ2Ugb2YgMjQgYnl0ZXMuLi4u",
        "application/json": {"key": "value of some length"},
        "text/html": ["<p>some lines of ", "text</p>"],
        "text/plain": "small",
    }
    assert _limits(tmp_path).bundle(data, None) == {
        "text/plain": "[application/json, 30 B: run [1].cell3.1.json]\n"
        "[image/png, 21 B: run [1].cell3.1.png]\n"
        "[text/html, 25 B: run [1].cell3.1.html]\n"
        "small"
    }
    assert (tmp_path / "run [1].cell3.1.png").read_bytes() == b"image of 24 bytes...."
    assert (tmp_path / "run [1].cell3.1.html").read_text() == "<p>some lines of text</p>"


def test_what_replaces_a_display_replaces_its_file(tmp_path: Path) -> None:
    """An animation of large frames leaves one file; other displays have files of their own."""
    limits = _limits(tmp_path)
    for text in ("first", "second"):
        limits.bundle({"text/html": text * 9}, "d")
    limits.bundle({"text/html": "another" * 9}, None)
    names = sorted(each.name for each in files_beside(tmp_path / "run [1].ipynb"))
    assert names == ["run [1].cell3.1.html", "run [1].cell3.2.html"]
    assert (tmp_path / names[0]).read_text() == "second" * 9


def test_a_large_traceback_goes_to_a_file(tmp_path: Path) -> None:
    """The notebook says where it is."""
    assert _limits(tmp_path).error(["line"] * 9) == ["[text/plain, 44 B: run [1].cell3.1.txt]"]
    assert _limits(tmp_path).error(["line"]) == ["line"]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What cannot be written is counted, and the run goes on."""
    limits = _limits(tmp_path / "gone")
    kept, file = limits.text("stdout", "0123456789" * 3)
    assert (kept, file, limits.lost) == ("0123456789", "run [1].cell3.stdout.log", 20)
    (text,) = limits.bundle({"text/html": "x" * 30}, None).values()
    assert "lost, since it could not be written: No such file" in text
