"""Which files a kernel tells that it has read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jupyter_mlops.execution.warm.mlops_template import reads

READ = """
import os, pathlib
for _ in range(3):
    open("rows.csv").close()
    pathlib.Path("rows.csv").resolve().read_text()
os.chdir("notebooks")
open("../rows.csv").close()
open("own.csv").close()
open("out.csv", "w").close()
open("/etc/hostname").close()
"""


def test_each_file_is_told_once(tmp_path: Path) -> None:
    """However often, and by whatever path, it is opened; what is written or elsewhere is not."""
    folder = tmp_path / "project"
    (folder / "notebooks").mkdir(parents=True)
    for name in ("rows.csv", "notebooks/own.csv"):
        (folder / name).touch()
    report = tmp_path / "report"
    environment = os.environ | {reads.PROJECT: str(folder), reads.REPORT: str(report)}
    start = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='mlops_reads')\n"
    command = (sys.executable, "-c", start + READ, reads.__file__)
    subprocess.run(command, cwd=folder, env=environment, check=True)
    told = [line for line in report.read_text("utf-8").splitlines() if not line.endswith(".py")]
    assert told == [str(folder / "rows.csv"), str(folder / "notebooks" / "own.csv")]
