"""House-keeping where the engines are in memory, and how ages are written."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from jupyter_mlops.app import disk, housekeeping, submission
from jupyter_mlops.app import messages as m
from jupyter_mlops.app.housekeeping import HousekeepingUseCases
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.removal import Removal
from jupyter_mlops.core.ages import parse_age
from jupyter_mlops.core.exceptions import InvalidInput, TrackingUnavailable
from jupyter_mlops.core.runs import Status
from jupyter_mlops.store import RunFilter
from tests.support.bench import Bench, bench
from tests.support.notebooks import write_notebook
from tests.support.records import a_sweep
from tests.support.tracked import a_run


def _housekeeping(b: Bench, folder: Path) -> HousekeepingUseCases:
    project = find_project(folder)
    removal = Removal(project, b.store, b.recorder)
    return HousekeepingUseCases(project, b.store, b.recorder, removal, b.scheduler.idle)


async def test_nothing_goes_while_nobody_knows_what_is_needed(tmp_path: Path) -> None:
    """As long as the tracker is away no run is removed, since a model might need it."""
    async with bench(tmp_path) as b:
        sweep = b.submit(3)
        assert await b.done(sweep) == {Status.SUCCEEDED: 3}
        keeping = _housekeeping(b, tmp_path)
        b.tracker.available = False
        with pytest.raises(TrackingUnavailable):
            await keeping.clean(m.CleanRequest(older_than=0))
        assert len(b.store.history.runs(RunFilter(sweep_id=sweep.id))) == 3
        b.tracker.available = True
        done = await keeping.clean(m.CleanRequest(older_than=0))
        assert len(done.runs) == 3
        assert b.store.history.sweeps() == []


async def test_tracked_runs_go_for_good_with_the_parent(tmp_path: Path) -> None:
    """What is left in the tracker is neither the attempts' runs nor the emptied sweep's."""
    async with bench(tmp_path) as b:
        await b.done(b.submit(2))
        kept = b.submit(1)
        await b.done(kept)
        keeping = _housekeeping(b, tmp_path)
        tracked = b.store.history.run(f"{kept.id}-1").mlflow_run_id
        assert tracked is not None
        b.tracker.log_model(tracked)
        await b.recorder.call(
            lambda _, registry: registry.register("model", tracked, alias=None, tags={})
        )
        done = await keeping.clean(m.CleanRequest(older_than=0))
        assert done.kept == {f"{kept.id}-1": "model v1"}
        left = [each for each in b.tracker.recorded.values() if not each.hidden]
        assert {each.sweep_id for each in left} == {kept.id}


async def test_a_sweep_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    """What its first runs found out may still be needed, as by a sampler."""
    async with bench(tmp_path, cores=1) as b:
        b.executor.open.clear()
        sweep = b.submit(2)
        await b.until(lambda: f"{sweep.id}-1.1" in b.executor.running)
        await b.executor.cancel(f"{sweep.id}-1.1")
        await b.until(lambda: b.store.history.run(f"{sweep.id}-1").status.finished)
        keeping = _housekeeping(b, tmp_path)
        assert (await keeping.clean(m.CleanRequest(older_than=0))).runs == []
        b.executor.open.set()
        await b.done(sweep)
        assert len((await keeping.clean(m.CleanRequest(older_than=0))).runs) == 2


async def test_events_grow_old_too(tmp_path: Path) -> None:
    """Events of that age are forgotten, and the next one has the next number."""
    async with bench(tmp_path) as b:
        await b.done(b.submit(2))
        keeping = _housekeeping(b, tmp_path)
        last = b.store.history.last_seq()
        await keeping.clean(m.CleanRequest(older_than=0))
        left = b.store.history.events(0, 1000)
        assert [each.seq for each in left] == list(range(last + 1, last + 1 + len(left)))


async def test_many_runs_are_removed(tmp_path: Path) -> None:
    """More than fit in one batch, of a sweep that is gone afterwards."""
    async with bench(tmp_path, cores=4) as b:
        sweep = b.submit(230)
        assert await b.done(sweep) == {Status.SUCCEEDED: 230}
        done = await _housekeeping(b, tmp_path).clean(m.CleanRequest(older_than=0))
        assert len(done.runs) == 230
        assert b.store.history.runs(RunFilter()) == []
        assert b.store.history.sweeps() == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("12h", 43_200), (" 1.5 w ", 907_200), ("90M", 5400), ("0d", 0)],
)
def test_ages(text: str, seconds: float) -> None:
    """A number and its unit: minutes, hours, days, weeks."""
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1d2h", "nan d"])
def test_what_is_no_age(text: str) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(InvalidInput, match="like 30d, 12h or 2w") as refused:
        parse_age(text)
    assert refused.value.field == "older_than"


async def test_every_day_as_soon_as_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The retention is applied at once, and a day later not before the last attempt has ended."""
    (tmp_path / "mlops.toml").write_text("retention = 0.0000001\n", "utf-8")
    monkeypatch.setattr(housekeeping, "EVERY", 0.01)
    async with bench(tmp_path) as b:
        first = b.submit(1)
        await b.done(first)
        b.executor.open.clear()
        b.submit(1)
        await b.until(lambda: bool(b.executor.running))
        keeping = asyncio.create_task(_housekeeping(b, tmp_path).watch())
        await b.until(lambda: [each.id for each in b.store.history.sweeps()] != [first.id])
        await asyncio.sleep(0.2)  # many days
        (left,) = b.store.history.runs(RunFilter())
        assert left.status is Status.RUNNING
        b.executor.open.set()
        await b.until(lambda: b.store.history.runs(RunFilter()) == [])
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping


async def test_a_snapshot_that_is_asked_for_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the removal somebody may submit the same notebook again."""
    async with bench(tmp_path) as b:
        project = find_project(tmp_path)
        write_notebook(tmp_path / "train.ipynb", "x = 1")
        notebook = submission.read(project, "train.ipynb")
        submission.keep_snapshot(project, notebook)
        path = submission.snapshot_path(project, notebook.hash)
        os.utime(path, (0, 0))
        keeping = _housekeeping(b, tmp_path)
        plan = await keeping._plan(None)
        assert plan.strays["snapshots"] == [path]
        submission.keep_snapshot(project, notebook)
        await keeping._carry_out(plan, None)
        assert path.exists()
        os.utime(path, (0, 0))
        assert [each.kind for each in (await keeping.clean(m.CleanRequest())).items] == [
            "snapshots"
        ]
        assert not path.exists()


def test_files_of_many_runs(tmp_path: Path) -> None:
    """Only a run's own files are its own, whatever begins alike; empty folders go along."""
    (tmp_path / "mlops.toml").touch()
    project = find_project(tmp_path)
    sweep = a_sweep(id="k3m9x2ab", notebook="deep/train.ipynb")
    runs = [a_run(sweep, index) for index in (1, 2, 10)]
    folder = tmp_path / "runs" / "deep" / "train" / sweep.id
    for run in runs:
        for path in (
            folder / f"{run.id}.ipynb",
            folder / f"{run.id}.cell3.stdout.log",
            project.state / "journals" / f"{run.id}.1.kept.ipynb",
            project.state / "logs" / f"{run.id}.2.log",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    mine = disk.files_of(project, runs[:1])
    assert {kind: sorted(path.name for path in paths) for kind, paths in mine.items()} == {
        "runs": ["k3m9x2ab-1.cell3.stdout.log", "k3m9x2ab-1.ipynb"],
        "journals": ["k3m9x2ab-1.1.kept.ipynb"],
        "logs": ["k3m9x2ab-1.2.log"],
    }
    disk.remove(mine["runs"], tmp_path / "runs")
    assert len(list(folder.iterdir())) == 4
    (tmp_path / "runs" / "notes.txt").touch()
    disk.remove(disk.files_of(project, runs)["runs"], tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["notes.txt"]
