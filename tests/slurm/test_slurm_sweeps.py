"""Sweeps of a project whose nodes are jobs of Slurm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.core.exceptions import ExecutorUnavailable
from jupyter_mlops.core.runs import Reason, Status
from tests.support import slurm, workers
from tests.support.workers import submit, until, wait_for, write

pytest.importorskip("dask_jobqueue")
REASON = slurm.missing()
pytestmark = [pytest.mark.slurm, pytest.mark.skipif(REASON is not None, reason=REASON or "")]

SETTINGS = """
executor = "dask"
[dask]
cluster = "dask_jobqueue.SLURMCluster"
{size}
arguments.cores = 1
arguments.memory = "1GB"
arguments.interface = "lo"
arguments.local_directory = "{folder}"
"""
#: A cell that logs which job it runs in.
LOG = """\
import jupyter_mlops as mlops
mlops.log(loss=x / 2, job=int(os.environ["SLURM_JOB_ID"]))
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[slurm.Slurm]:
    """A Slurm of one node."""
    # A job that is lost would be waited for by Dask for 15 s, in case that it comes back.
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "500ms")
    with slurm.slurm() as made:
        yield made


@contextmanager
def project(folder: Path, size: str) -> Iterator[Client]:
    """Make a project with a cluster of some size, and start its worker."""
    folder.mkdir(exist_ok=True)
    settings = SETTINGS.format(size=size, folder=folder / "scratch")
    with workers.worker(workers.make_project(folder / "project", settings)) as client:
        yield client


def test_a_sweep(site: slurm.Slurm, tmp_path: Path) -> None:
    """Its runs go to all jobs, tell where they were, and the jobs end with the worker."""
    with project(tmp_path, "workers = 2") as client:
        write(client, "x = 1", workers.WAITS, LOG)
        sweep = submit(client, space={"x": "1..6"}, metric="loss")
        workers.kernels(client.project.root, 2)
        (client.project.root / "gate").touch()
        done = wait_for(client, sweep.id)
        assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 6)
        assert {each.node for each in workers.attempts(client, sweep)} == {
            f"SLURMCluster-{number} on {site.node}" for number in range(2)
        }
        runs = workers.runs(client, sweep.id)
        assert [each.metrics["loss"] for each in runs] == [0.5, 1, 1.5, 2, 2.5, 3]
        assert {str(int(each.metrics["job"])) for each in runs} == set(site.jobs()) == {"1", "2"}
        workers.stop(client.project.root)
        until(lambda: not site.jobs(), seconds=60)


def test_a_sweep_is_cancelled(site: slurm.Slurm, tmp_path: Path) -> None:
    """Its kernels end, and the jobs stay for what is next."""
    with project(tmp_path, "workers = 2") as client:
        write(client, "x = 1", workers.WAITS)
        sweep = submit(client, space={"x": "1..6"})
        found = workers.kernels(client.project.root, 2)
        assert all(each.environ()["SLURM_JOB_ID"] in {"1", "2"} for each in found)
        client.call(ops.CANCEL_SWEEP, sweep_id=sweep.id)
        done = wait_for(client, sweep.id)
        assert (done.status, done.counts.cancelled) == (Status.CANCELLED, 6)
        assert not [each for each in found if each.is_running()]
        assert sorted(site.jobs()) == ["1", "2"]


@pytest.mark.parametrize("size", ["maximum = 1", "workers = 1"])
def test_a_job_is_cancelled(site: slurm.Slurm, tmp_path: Path, size: str) -> None:
    """What ran in a job that the site ends is lost, and runs again in a new one."""
    with project(tmp_path, size) as client:
        assert not site.jobs()
        write(client, "x = 1", workers.WAITS)
        sweep = submit(client, space={"x": "1..1"})
        (kernel,) = workers.kernels(client.project.root, 1)
        site.cancel("1")
        kernel.wait(60)
        (client.project.root / "gate").touch()
        done = wait_for(client, sweep.id)
        assert (done.status, done.counts.succeeded) == (Status.SUCCEEDED, 1)
        lost, last = workers.attempts(client, sweep)
        assert (lost.reason, lost.node) == (Reason.NODE_LOST, f"SLURMCluster-0 on {site.node}")
        assert last.status is Status.SUCCEEDED
        assert site.jobs() == ["2"]


def test_as_many_jobs_as_there_is_work(site: slurm.Slurm, tmp_path: Path) -> None:
    """Jobs come for what waits, as many as are allowed, and go when nothing does."""
    with project(tmp_path, "maximum = 2") as client:
        write(client, "x = 1", workers.WAITS)
        sweep = submit(client, space={"x": "1..6"})
        workers.kernels(client.project.root, 2)
        assert sorted(site.jobs()) == ["1", "2"]
        (client.project.root / "gate").touch()
        assert wait_for(client, sweep.id).counts.succeeded == 6
        until(lambda: not site.jobs())


def test_the_worker_is_killed(site: slurm.Slurm, tmp_path: Path) -> None:
    """Jobs that nobody is left to end, end themselves; the next worker has new ones."""
    with project(tmp_path, "workers = 2") as client:
        write(client, "x = 1", workers.WAITS)
        sweep = submit(client, space={"x": "1..2"})
        found = workers.kernels(client.project.root, 2)
        workers.kill(client)
        until(lambda: not site.jobs(), seconds=60)
        assert not [each for each in found if each.is_running()]
        (client.project.root / "gate").touch()
        after = workers.connect(client.project.root)
        assert wait_for(after, sweep.id).counts.succeeded == 2
        assert sorted(site.jobs()) == ["3", "4"]


def test_a_site_that_refuses(site: slurm.Slurm, tmp_path: Path) -> None:
    """A partition that does not exist is told in a line, at once or when there is work."""
    nowhere = '\narguments.queue = "nowhere"'
    with project(tmp_path / "at-once", f"workers = 1{nowhere}") as client:
        write(client, "x = 1")
        with pytest.raises(ExecutorUnavailable, match=r"SLURMCluster cannot be made: .*sbatch"):
            submit(client)
    with project(tmp_path / "later", f"maximum = 1{nowhere}") as client:
        write(client, "x = 1")
        sweep = submit(client)
        line = until(lambda: client.call(ops.STATUS).problem, seconds=60)
        assert "dask_jobqueue.SLURMCluster cannot start workers: " in line
        assert client.call(ops.GET_SWEEP, sweep_id=sweep.id).counts.queued == 1
