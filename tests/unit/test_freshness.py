"""Knowing without DVC that nothing has changed: never when something has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.pipeline.freshness import Snapshot, known_stages, request_key

STAGES = [{"name": "train", "state": "fresh"}]


def key(**options: bool) -> str:
    """Return a request's name."""
    chosen = {"single_item": False, "downstream": False, "all_pipelines": False, **options}
    return request_key("", ["train"], **chosen)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose files were seen: a file and a folder that decide, a file that is not."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    for name in ("dvc.yaml", "dvc.lock", "file.txt", "data/a/b.txt", "src/train.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    absent = str(tmp_path / "params.yaml")
    trees = [str(tmp_path / "file.txt"), str(tmp_path / "data")]
    Snapshot(tmp_path, [absent], trees).save(key(), STAGES)
    return tmp_path


def test_nothing_has_changed(root: Path) -> None:
    """What the stages are is known, of this request only."""
    assert known_stages(root, key()) == STAGES
    assert known_stages(root, key(downstream=True)) is None


def test_what_does_not_matter(root: Path) -> None:
    """Files that nothing depends on come, change and go."""
    (root / "notes.md").write_text("x")
    (root / "src" / "train.py").write_text("other")
    assert known_stages(root, key()) == STAGES


def write(name: str) -> Callable[[Path], object]:
    """Return what writes a file."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("something else")

    return change


@pytest.mark.parametrize(
    "change",
    [
        write("file.txt"),
        write("dvc.yaml"),
        write("dvc.lock"),
        write("params.yaml"),
        write("data/a/b.txt"),
        write("data/a/new.txt"),
        write("data/new/c.txt"),
        write("new.dvc"),
        write("src/dvc.yaml"),
        write("new/dvc.yaml"),
        write(".dvcignore"),
        write(".dvc/tmp/mlops-journal.jsonl"),
        lambda root: (root / "file.txt").unlink(),
        lambda root: (root / "data" / "a" / "b.txt").unlink(),
        lambda root: (root / "file.txt").rename(root / "moved.txt"),
        lambda root: next((root / ".dvc/tmp/mlops-fresh").iterdir()).write_text("{"),
    ],
)
def test_what_matters(root: Path, change: Callable[[Path], object]) -> None:
    """Each of these needs another look."""
    change(root)
    assert known_stages(root, key()) is None
