"""The journal and what is assembled of it: the same notebook whatever happened on the way."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_mlops.core.files import write_atomically
from jupyter_mlops.execution import recording as recording_module
from jupyter_mlops.execution.assembly import assemble
from jupyter_mlops.execution.journal import (
    CellChanged,
    Cleared,
    Closed,
    Journal,
    Marked,
    Opened,
    Record,
    Shown,
    Spilled,
    Text,
)
from jupyter_mlops.execution.recording import Recording

STARTED = "2026-01-01T10:00:00+00:00"


def _facts(status: str = "pending", **changes: Any) -> dict[str, Any]:
    own = {"status": status, "start_time": None, "end_time": None, "duration": None}
    return {"papermill": {**own, "exception": None, **changes}, "tags": []}


def _notebook(cells: int = 2) -> nbformat.NotebookNode:
    """A notebook of code cells, and one of text before them."""
    code = [new_code_cell(f"a = {i}\nb", id=f"c{i}", metadata=_facts()) for i in range(cells)]
    metadata = {"papermill": {"start_time": STARTED, "end_time": None, "exception": None}}
    text = new_markdown_cell("# é\n\ntext", id="m", metadata=_facts())
    return new_notebook(cells=[text, *code], metadata=metadata)


def _record(path: Path, *records: Record) -> Recording:
    made = Recording(path)
    for record in (Opened(_notebook()), *records):
        made.add(record)
    return made


def _assembled(path: Path, **options: Any) -> nbformat.NotebookNode:
    """Assemble a journal's notebook and read it."""
    output = path.with_suffix(".ipynb")
    assert assemble(path, output, **options)
    nb = nbformat.read(output, as_version=4)
    nbformat.validate(nb)
    return nb


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
BUNDLES = st.fixed_dictionaries(
    {"text/plain": TEXTS},
    optional={"text/html": TEXTS, "image/svg+xml": TEXTS, "image/png": TEXTS}
    | {"application/json": VALUES, "application/vnd.x+json": st.dictionaries(TEXTS, VALUES)},
)
DISPLAYS = st.builds(
    lambda kind, data: new_output(
        kind, data=data, **({"execution_count": 3} if kind == "execute_result" else {})
    ),
    st.sampled_from(["display_data", "execute_result"]),
    BUNDLES,
)
ERRORS = st.builds(
    lambda name, lines: new_output("error", ename=name, evalue="", traceback=lines),
    TEXTS,
    st.lists(TEXTS, max_size=2),
)
STREAMS = st.builds(
    lambda name, text: new_output("stream", name=name, text=text),
    st.sampled_from(["stdout", "stderr"]),
    TEXTS.filter(bool),
)


@given(st.lists(st.tuples(st.integers(1, 2), DISPLAYS | ERRORS | STREAMS), max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_assembled_file_is_what_nbformat_writes(outputs: list[tuple[int, Any]]) -> None:
    """Byte for byte, whatever was put out."""
    expected = _notebook()
    with tempfile.TemporaryDirectory() as folder:
        made = _record(Path(folder) / "j.jsonl")
        for cell, output in outputs:
            _append(expected.cells[cell].outputs, output)
            if output.output_type == "stream":
                made.add(Text(cell, output.name, output.text))
            else:
                made.add(Shown(cell, output))
        made.finish(Path(folder) / "out.ipynb")
        assert (Path(folder) / "out.ipynb").read_text("utf-8") == nbformat.writes(expected)


def _append(outputs: list[Any], output: Any) -> None:
    """Append an output as JupyterLab does: a stream goes on."""
    last = outputs[-1] if outputs else None
    if last is not None and "name" in last and last.name == output.get("name"):
        last.text += output.text
        return
    outputs.append(nbformat.from_dict(output))


def _a_run() -> tuple[Record, ...]:
    """The records of a run in which everything happens."""
    bundle = {"output_type": "display_data", "metadata": {}}
    return (
        CellChanged(1, _facts("running", start_time=STARTED), None),
        Text(1, "stdout", "one\n"),
        Text(1, "stdout", "two"),
        Shown(1, {**bundle, "data": {"text/plain": "first"}}, "d"),
        Text(1, "stderr", "!" * 5000),
        Shown(None, {**bundle, "data": {"text/plain": "second"}}, "d"),
        CellChanged(1, _facts("completed", start_time=STARTED), 1),
        CellChanged(2, _facts("running", start_time=STARTED), None),
        Text(2, "stdout", "gone"),
        Cleared(2),
        Text(2, "stdout", "kept"),
        Shown(2, {**bundle, "data": {"text/plain": "third"}}, "d"),
        CellChanged(2, _facts("failed", exception=True), 2),
        Marked(2, new_markdown_cell("top", id="t"), new_markdown_cell("here", id="h")),
        Closed({"papermill": {"exception": True}}),
    )


def test_displays_are_updated_wherever_they_are(tmp_path: Path) -> None:
    """What bears the same display id is replaced, in earlier cells too; cleared outputs are gone.

    A failure is marked at the top and before the cell, and the metadata is that of the end.
    """
    _record(tmp_path / "j.jsonl", *_a_run())
    nb = _assembled(tmp_path / "j.jsonl")
    assert [cell.id for cell in nb.cells] == ["t", "m", "c0", "h", "c1"]
    first, second = nb.cells[2].outputs, nb.cells[4].outputs
    assert [each.get("text") or each.data["text/plain"] for each in first] == [
        "one\ntwo",
        "third",
        "!" * 5000,
    ]
    assert [each.get("text") or each.data["text/plain"] for each in second] == ["kept", "third"]
    assert (nb.cells[2].execution_count, nb.cells[4].execution_count) == (1, 2)
    assert nb.metadata.papermill.exception is True


def test_any_beginning_of_a_journal_is_a_notebook(tmp_path: Path) -> None:
    """Wherever the writer was killed, within a line or between two, the rest can be read."""
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    _record(whole, *_a_run())
    content = whole.read_bytes()
    first = content.index(b"\n") + 1
    ends = [at + 1 for at in range(first, len(content)) if content[at : at + 1] == b"\n"]
    seen = set()
    for end in sorted({first, *ends, *range(first, len(content), 97)}):
        cut.write_bytes(content[:end])
        nb = _assembled(cut)
        seen.add(sum(len(cell.get("outputs", ())) for cell in nb.cells))
    assert seen == {0, 1, 2, 3, 4, 5}
    cut.write_bytes(content[: first - 1])
    assert not assemble(cut, tmp_path / "none.ipynb", abandoned=True)
    assert not cut.exists()


def test_a_line_that_a_crash_tore_is_left_out(tmp_path: Path) -> None:
    """A machine that lost power may leave zeros in the middle: the lines around them count."""
    path = tmp_path / "j.jsonl"
    _record(path, Text(1, "stdout", "one\n"), Text(1, "stdout", "two\n"), Text(1, "stdout", "3"))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))
    assert _assembled(path).cells[1].outputs[0].text == "one\n3"


def test_the_cell_that_was_cut_off_has_failed(tmp_path: Path) -> None:
    """Of an abandoned journal a notebook is made that claims nothing, and the journal goes."""
    path = tmp_path / "j.jsonl"
    running = CellChanged(1, _facts("running", start_time=STARTED, exception=False), None)
    _record(path, running, Text(1, "stdout", "so far"))
    (tmp_path / ".j.ipynb.4711").write_text("half")
    partial = _assembled(path)
    assert [c.metadata.papermill.status for c in partial.cells] == ["pending", "running", "pending"]
    nb = _assembled(path, abandoned=True)
    assert [c.metadata.papermill.status for c in nb.cells] == ["pending", "failed", "pending"]
    assert nb.cells[1].outputs[0].text == "so far"
    assert nb.cells[1].metadata.papermill.exception is True
    assert nb.metadata.papermill.end_time > STARTED
    assert nb.metadata.papermill.duration > 0
    assert [each.name for each in tmp_path.iterdir()] == ["j.ipynb"]


def test_a_finished_notebook_is_not_replaced_by_a_part_of_it(tmp_path: Path) -> None:
    """Who asks for the notebook so far just as it is finished gets the finished one."""
    path, output = tmp_path / "j.jsonl", tmp_path / "j.ipynb"
    made = _record(path, Text(1, "stdout", "all"))
    with Journal(path) as reader:
        made.finish(output)
        assert not reader.lock()
    assert not assemble(path, output)
    assert nbformat.read(output, as_version=4).cells[1].outputs[0].text == "all"


def test_who_was_taken_for_dead_leaves_the_notebook_alone(tmp_path: Path) -> None:
    """A runner that ends after its journal was settled does not write over a later attempt."""
    path, output = tmp_path / "j.jsonl", tmp_path / "j.ipynb"
    made = _record(path, Text(1, "stdout", "of the lost attempt"))
    assert assemble(path, output, abandoned=True)
    output.write_text("the later one")
    made.finish(output)
    assert output.read_text() == "the later one"


def test_a_journal_does_not_grow_with_what_was_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An animation of many frames leaves a short journal, and the same notebook."""
    monkeypatch.setattr(recording_module, "SLACK", 20_000)
    path = tmp_path / "j.jsonl"
    made = _record(path, *_a_run(), Spilled(1, "stderr", "rest.log"))
    before = json.dumps(_assembled(path), sort_keys=True)
    bundle = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x" * 999}}
    largest = 0
    for _ in range(300):
        made.add(Cleared(2))
        made.add(Shown(2, bundle))
        largest = max(largest, path.stat().st_size)
    assert largest < 60_000
    made.add(Cleared(2))
    made.add(Text(2, "stdout", "kept"))
    made.add(Shown(2, {**bundle, "data": {"text/plain": "third"}}, "d"))
    assert json.dumps(_assembled(path), sort_keys=True) == before
    made.finish(tmp_path / "end.ipynb")
    assert json.dumps(nbformat.read(tmp_path / "end.ipynb", 4), sort_keys=True) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["end.ipynb", "j.ipynb"]


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_loses_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the journal cannot take is held in memory, and is in the journal when there is space."""
    monkeypatch.setattr(recording_module, "_TRY_AGAIN", 0.0)
    path = tmp_path / "j.jsonl"
    made = _record(path, Text(1, "stdout", "first\n"))
    facts = _facts("running")
    with no_file_beyond(path.stat().st_size + 40):
        made.add(Text(1, "stdout", "second\n" * 20))
        made.add(CellChanged(2, facts, None))
        facts["papermill"]["status"] = "changed afterwards"
    assert _assembled(path).cells[1].outputs[0].text == "first\n"
    made.add(Text(1, "stdout", "third\n"))
    nb = _assembled(path)
    assert nb.cells[1].outputs[0].text == "first\n" + "second\n" * 20 + "third\n"
    assert nb.cells[2].metadata.papermill.status == "running"
    made.finish(tmp_path / "end.ipynb")
    assert nbformat.read(tmp_path / "end.ipynb", 4) == nb


def test_a_notebook_that_cannot_be_written_keeps_its_journal(tmp_path: Path) -> None:
    """It can be assembled when there is space, and nothing half-written lies about."""
    path, output = tmp_path / "j.jsonl", tmp_path / "out" / "j.ipynb"
    output.parent.mkdir()
    output.write_text("the earlier one")
    made = _record(path, Text(1, "stdout", "x" * 5000))
    with no_file_beyond(100), pytest.raises(OSError, match="large"):
        made.finish(output)
    assert [each.read_text() for each in output.parent.iterdir()] == ["the earlier one"]
    assert assemble(path, output, abandoned=True)
    assert nbformat.read(output, as_version=4).cells[1].outputs[0].text == "x" * 5000


def test_half_a_character_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Lone surrogates, which JSON can carry and UTF-8 cannot, become question marks."""
    path = tmp_path / "j.jsonl"
    _record(path, Text(1, "stdout", "a\ud800b"))
    assert _assembled(path).cells[1].outputs[0].text == "a?b"


def test_a_file_may_be_written_in_pieces(tmp_path: Path) -> None:
    """Pieces and one content make the same file."""
    write_atomically(tmp_path / "a", b"one two")
    write_atomically(tmp_path / "b", (each for each in (b"one", b" two")))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
