"""Notebook files: what can be read, and what is said of those that cannot."""

from __future__ import annotations

import codecs
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import NotebookUnreadable
from jupyter_mlops.notebooks.files import parse_notebook, read_notebook

NOTEBOOK: dict[str, Any] = {
    "cells": [{"cell_type": "markdown", "metadata": {}, "source": "é😀"}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
TEXT = json.dumps(NOTEBOOK, ensure_ascii=False)


def refusal(path: str | os.PathLike[str]) -> str:
    """Return what is said of a file that cannot be read."""
    with pytest.raises(NotebookUnreadable) as caught:
        read_notebook(path)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_notebook_is_read_with_or_without_a_byte_order_mark(tmp_path: Path, mark: bytes) -> None:
    """Editors that write a mark do no harm."""
    path = tmp_path / "a b ü.ipynb"
    path.write_bytes(mark + TEXT.encode())
    assert read_notebook(path) == read_notebook(str(path)) == NOTEBOOK


def changed(**changes: object) -> bytes:
    """Return a notebook with other fields."""
    return json.dumps(NOTEBOOK | changes).encode()


OLD = "is too old. Open and save it in JupyterLab once."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty. Open and save it in JupyterLab once."),
        (b" \n", "it is empty. Open and save it in JupyterLab once."),
        (TEXT.encode("utf-16"), "it is not UTF-8. Save it as UTF-8."),
        (TEXT.encode("utf-16-le"), "it is not UTF-8. Save it as UTF-8."),
        (TEXT.encode("utf-32"), "it is not UTF-8. Save it as UTF-8."),
        (TEXT.replace("😀", "").encode("latin-1"), "it is not UTF-8. Save it as UTF-8."),
        (
            TEXT.encode()[:-20],
            (
                "it is not valid JSON (line 1: Expecting property name enclosed in double quotes)."
                " It may be cut off: restore an earlier version."
            ),
        ),
        (
            b'{\n<<<<<<< HEAD\n"a": 1\n=======\n',
            "it holds conflict markers of git. Resolve the merge first.",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "it is a Git LFS pointer. Run: git lfs pull",
        ),
        (
            b"[" * 200_000,
            "it is not valid JSON: a number is too long or it is nested too deeply.",
        ),
        (b"[]", "it is not a notebook. Choose an .ipynb file."),
        (b'{"a": 1}', "it is not a notebook. Choose an .ipynb file."),
        (changed(nbformat=3, worksheets=[]), f"its format 3 {OLD}"),
        (changed(nbformat="4"), f"its format '4' {OLD}"),
        (changed(nbformat=None), f"its format None {OLD}"),
        (
            changed(nbformat=5),
            "its format 5 is too new; format 4 is known. Save it with an older Jupyter.",
        ),
        (changed(cells={}), "its cells are damaged. Restore an earlier version."),
        (changed(cells=[3]), "its cells are damaged. Restore an earlier version."),
    ],
)
def test_damaged_files_are_named_with_what_to_do(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """The line begins with the file's name and ends with the way out."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(content)
    assert refusal(path) == f"a.ipynb: {message}"


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """Neither a pipe nor a device is waited for."""
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "loop.ipynb").symlink_to("loop.ipynb")
    (tmp_path / "gone.ipynb").symlink_to("nowhere")
    started = time.perf_counter()
    assert refusal(tmp_path / "pipe.ipynb") == (
        "pipe.ipynb: it is not a regular file. Name a notebook."
    )
    assert refusal("/dev/zero") == "zero: it is not a regular file. Name a notebook."
    assert refusal(tmp_path).endswith(": it is a folder. Name a notebook in it.")
    assert refusal(tmp_path / "gone.ipynb") == (
        "gone.ipynb: there is no such notebook. Check the path."
    )
    assert "loop.ipynb: it cannot be opened: " in refusal(tmp_path / "loop.ipynb")
    assert time.perf_counter() - started < 1


def test_impossible_names_are_refused(tmp_path: Path) -> None:
    """Names with zero bytes, line breaks or too many characters give one line as well."""
    assert "it cannot be opened: " in refusal("a\0b.ipynb")
    assert "it cannot be opened: " in refusal(tmp_path / ("x" * 300))
    assert refusal(tmp_path / "a\nb\u202e.ipynb").startswith("a?b?.ipynb: there is no such")
    assert "there is no such notebook" in refusal(tmp_path / "\udcff.ipynb")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    """The file's mode is named as the cause."""
    path = tmp_path / "a.ipynb"
    path.write_text(TEXT)
    path.chmod(0)
    assert refusal(path) == "a.ipynb: no permission to read it. Check its mode."


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """The size is checked first; a sparse file of a terabyte costs nothing."""
    path = tmp_path / "a.ipynb"
    path.touch()
    os.truncate(path, 10**12)
    assert refusal(path) == (
        "a.ipynb: it has 1,000,000 MB, more than 210. Clear its outputs and save it."
    )
    path.write_text(TEXT)
    with pytest.raises(NotebookUnreadable):
        read_notebook(path, max_bytes=10)


def test_a_notebook_of_50_mb_is_read_quickly(tmp_path: Path) -> None:
    """Reading costs one pass over the JSON."""
    path = tmp_path / "big.ipynb"
    output = {"output_type": "stream", "name": "stdout", "text": ["x" * 99 + "\n"] * 1000}
    cell = {"cell_type": "code", "metadata": {}, "source": "a = 1", "outputs": [output]}
    path.write_text(json.dumps(NOTEBOOK | {"cells": [cell] * 500}))
    assert path.stat().st_size > 50e6
    started = time.process_time()
    assert len(read_notebook(path)["cells"]) == 500
    assert time.process_time() - started < 3


@given(st.binary(max_size=50) | st.text(max_size=50).map(lambda text: text.encode(errors="ignore")))
def test_any_bytes_give_a_notebook_or_one_line(content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    with pytest.raises(NotebookUnreadable) as caught:
        parse_notebook(content)
    assert "\n" not in caught.value.message
