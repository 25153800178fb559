"""Dask clusters whose workers are jobs of Slurm, without anything of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import Client, Event

from tests.support import slurm
from tests.support.workers import until

pytest.importorskip("dask_jobqueue")
from dask_jobqueue import SLURMCluster

REASON = slurm.missing()
pytestmark = [pytest.mark.slurm, pytest.mark.skipif(REASON is not None, reason=REASON or "")]


@pytest.fixture
def site() -> Iterator[slurm.Slurm]:
    """A Slurm of one node."""
    with slurm.slurm() as made:
        yield made


@pytest.fixture
def cluster(site: slurm.Slurm, tmp_path: Path) -> Iterator[SLURMCluster]:
    """A cluster that has not asked for jobs yet."""
    # A job that is lost would be waited for by Dask for 15 s, in case that it comes back.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "500ms"}),
        SLURMCluster(
            cores=1,
            memory="1GB",
            interface="lo",
            local_directory=str(tmp_path),
            scheduler_options={"dashboard_address": "127.0.0.1:0"},
        ) as made,
    ):
        yield made


def job() -> str:
    """Return the job that this runs in."""
    return os.environ["SLURM_JOB_ID"]


def job_after_gate(_: int) -> str:
    """Return the job that this runs in, once the test lets it."""
    Event("gate").wait()
    return job()


def test_two_jobs(site: slurm.Slurm, cluster: SLURMCluster) -> None:
    """A cluster of two jobs runs a function in both, and takes both back in the end."""
    with Client(cluster) as client:
        cluster.scale(jobs=2)
        client.wait_for_workers(2, timeout=60)
        assert sorted(client.run(job).values()) == sorted(site.jobs()) == ["1", "2"]
        assert client.submit(sum, (1, 2)).result(timeout=60) == 3
    cluster.close()
    until(lambda: not site.jobs(), seconds=60)


def test_a_job_is_cancelled(site: slurm.Slurm, cluster: SLURMCluster) -> None:
    """A job that somebody cancels is replaced by a new one."""
    cluster.adapt(minimum=1, maximum=1, interval="200ms")
    with Client(cluster) as client:
        first = client.submit(job, pure=False)
        assert first.result(timeout=60) == "1"
        site.cancel("1")
        until(lambda: site.jobs() == ["2"], seconds=60)
        assert client.submit(job, pure=False).result(timeout=60) == "2"


def test_as_many_jobs_as_there_is_work(site: slurm.Slurm, cluster: SLURMCluster) -> None:
    """An adaptive cluster has no job without work, and two with enough of it."""
    cluster.adapt(minimum=0, maximum=2, interval="200ms", target_duration="100ms")
    with Client(cluster) as client:
        assert not site.jobs()
        found = client.map(job_after_gate, range(8), pure=False)
        until(lambda: len(client.scheduler_info()["workers"]) == 2, seconds=60)
        assert sorted(site.jobs()) == ["1", "2"]
        Event("gate").set()
        assert set(client.gather(found)) == {"1", "2"}
        del found
        until(lambda: not site.jobs(), seconds=60)
