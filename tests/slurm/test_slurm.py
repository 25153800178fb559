"""The Slurm that the other tests of this folder rely on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from tests.support import slurm
from tests.support.workers import until

REASON = slurm.missing()
pytestmark = [pytest.mark.slurm, pytest.mark.skipif(REASON is not None, reason=REASON or "")]


def test_jobs_run_side_by_side(tmp_path: Path) -> None:
    """Jobs take turns only once the node has no processor left."""
    with slurm.slurm(cpus=2) as made:
        script = tmp_path / "job.sh"
        script.write_text(f"#!/bin/sh\ntouch {tmp_path}/began-$SLURM_JOB_ID\nexec sleep 600\n")
        for _ in range(3):
            subprocess.run(["sbatch", script], check=True, stdout=subprocess.DEVNULL)
        until(lambda: len(list(tmp_path.glob("began-*"))) == 2, seconds=60)
        assert made.state() == "allocated"
        assert sorted(made.jobs()) == ["1", "2", "3"]
        made.cancel("1")
        until((tmp_path / "began-3").exists, seconds=60)
        until(lambda: sorted(made.jobs()) == ["2", "3"], seconds=60)


def runs(process: psutil.Process) -> bool:
    """Whether a process still does anything."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_nothing_is_left(tmp_path: Path) -> None:
    """The end of a Slurm is the end of its jobs and of what they have started."""
    script = tmp_path / "job.sh"
    script.write_text(
        f"#!/bin/sh\nsetsid env --ignore-environment sleep 600 &\necho $! > {tmp_path}/pid\nwait\n"
    )
    with slurm.slurm() as made:
        subprocess.run(["sbatch", script], check=True, stdout=subprocess.DEVNULL)
        pid = until(lambda: Path(tmp_path, "pid").exists() and Path(tmp_path, "pid").read_text())
        job = psutil.Process(int(pid))
        found = made.processes()
        assert {each.name() for each in found} >= {"munged", "slurmctld", "slurmd", "slurmstepd"}
        assert job in found
    assert not [each for each in found if runs(each)]
    assert not made.folder.exists()
