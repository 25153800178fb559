"""Versions of what runs read."""

from __future__ import annotations

import os
import time
from pathlib import Path

from jupyter_mlops.tracking.data import DECLARED, NAMED, OPENED, Hashes, versions


def test_only_files_and_folders_have_versions(tmp_path: Path) -> None:
    """A pipe is left alone, for who reads it may wait for ever; a link to nothing is none."""
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "rows.csv").write_text("a\n1\n", "utf-8")
    found = {
        tmp_path / "gate": OPENED,
        tmp_path / "gone": DECLARED,
        tmp_path / "rows.csv": NAMED,
    }
    made = versions(tmp_path, found, hashes=Hashes(), tracked=frozenset(), before=time.time() + 60)
    assert [each.path for each in made] == ["rows.csv"]
