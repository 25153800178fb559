"""Whether a model's files are those that were registered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlops.registry.mlops_scoring.integrity import ALL, Altered, check, hashes, text_of

#: Characters that a tag takes.
MOST = 90_000


def a_model(folder: Path, files: int) -> Path:
    """Write a model of some files."""
    (folder / "data").mkdir(parents=True)
    for number in range(files):
        (folder / "data" / f"part-{number:05}.bin").write_text(str(number), "utf-8")
    return folder


@pytest.mark.parametrize(("files", "named"), [(3, True), (2000, False)])
def test_files(tmp_path: Path, files: int, named: bool) -> None:
    """A model of few files is recorded file by file, one of thousands by one hash of all."""
    model = a_model(tmp_path / "model", files)
    text = text_of(hashes(model), MOST)
    recorded = json.loads(text)
    assert len(text) <= MOST
    assert (ALL not in recorded) is named
    check(model, recorded)
    (model / "registered_model_meta").write_text("MLflow adds it", "utf-8")
    check(model, recorded)


@pytest.mark.parametrize("files", [3, 2000])
@pytest.mark.parametrize("what", ["changed", "added", "removed", "swapped"])
def test_altered(tmp_path: Path, files: int, what: str) -> None:
    """Whatever was done to a file is noticed, however many there are."""
    model = a_model(tmp_path / "model", files)
    recorded = json.loads(text_of(hashes(model), MOST))
    first, second = model / "data" / "part-00000.bin", model / "data" / "part-00001.bin"
    if what == "changed":
        first.write_text("x", "utf-8")
    elif what == "added":
        (model / "more.py").write_text("import os", "utf-8")
    elif what == "removed":
        first.unlink()
    else:
        first.write_text("1", "utf-8")
        second.write_text("0", "utf-8")
    with pytest.raises(Altered):
        check(model, recorded)


def test_nothing_recorded(tmp_path: Path) -> None:
    """A version without hashes, such as one that MLflow alone registered, passes."""
    check(a_model(tmp_path / "model", 1), {})
