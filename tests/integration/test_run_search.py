"""Runs are found and sorted by what they were given and what they came to, on both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.run_query import parse_condition, parse_order
from jupyter_mlops.core.runs import Environment, Reason, Status, new_id
from jupyter_mlops.core.stages import Stage
from jupyter_mlops.store import RunSearch, Store, of_run, of_sweep
from tests.support import postgres
from tests.support.records import a_sweep

INF = math.inf

#: Parameters and metrics of runs, in the order in which they are submitted.
RUNS: list[tuple[dict[str, Any], dict[str, float]]] = [
    ({"depth": 3, "model": "rf", "flag": True}, {"auc": 0.9, "val/auc": 0.5}),
    ({"depth": 5, "model": "gbm", "flag": False}, {"auc": 0.95, "val/auc": 0.99}),
    ({"depth": 3.0, "model": "rf", "flag": None}, {"auc": math.nan}),
    ({"depth": "3", "model": "", "größe": 1}, {"auc": INF, 'a "b"\\': 2.0}),
    ({"depth": None, "layers": [1, 2], "options": {"$float": "nan"}}, {"auc": -INF}),
    ({"huge": 10**400, "nul": "a\0b"}, {}),
    ({"depth": -7, "model": "Müller % _x"}, {"auc": -0.5, "größe": 3.0}),
]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """The URL of a real server."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('state') / 'store.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def store(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The store of a project with the runs, beside another project's, which nobody changes."""
    folder = tmp_path_factory.mktemp("state")
    other = Store(new_id(), url=url, state=folder)
    submit(other, RUNS)
    other.close()
    made = Store(new_id(), url=url, state=folder)
    submit(made, RUNS)
    yield made
    made.close()


@pytest.fixture
def empty(url: str, tmp_path: Path) -> Iterator[Store]:
    """The store of a project without runs."""
    made = Store(new_id(), url=url, state=tmp_path)
    yield made
    made.close()


def submit(
    store: Store, runs: list[tuple[dict[str, Any], dict[str, float]]], **changes: Any
) -> str:
    """Have runs succeed with metrics; return their sweep's id."""
    sweep = a_sweep(total=len(runs), **changes)
    store.queue.submit(sweep, [parameters for parameters, _ in runs])
    for index, (_, metrics) in enumerate(runs, start=1):
        end(store, f"{sweep.id}-{index}", metrics)
    return sweep.id


def end(
    store: Store, run_id: str, metrics: dict[str, float], *, failed: bool = False, took: float = 1.0
) -> None:
    """Have a run end."""
    attempt = store.queue.claim(run_id, worker="w", fence=1)
    assert attempt is not None
    outcome = Outcome(status=Status.SUCCEEDED, duration=took)
    if failed:
        reason, error = Reason.ERROR, "ValueError: 100% wrong"
        outcome = Outcome(status=Status.FAILED, reason=reason, error=error, duration=took)
    store.attempts.finish(attempt, outcome, output=None, metrics=metrics, synced=True)


def found(store: Store, where: str | None = None, sort: str | None = None, **paging: Any) -> Any:
    """The indexes of the runs that fit."""
    search = RunSearch(
        condition=parse_condition(where) if where is not None else None,
        order=parse_order(sort) if sort is not None else (),
        **paging,
    )
    return [run.index for run in store.searching.runs(search).runs]


def test_environments(empty: Store) -> None:
    """How a run's packages compare with the lock is found, and is that of its last attempt."""
    sweep = a_sweep(total=3)
    empty.queue.submit(sweep, [{}, {}, {}])
    line = "requirements.txt: numpy 2.1 instead of 2.0"
    for index, outcome in enumerate(
        [
            Outcome(status=Status.FAILED, environment=Environment.DIFFERS, differences=line),
            Outcome(status=Status.SUCCEEDED, environment=Environment.SAME),
            Outcome(status=Status.SUCCEEDED),
        ],
        start=1,
    ):
        attempt = empty.queue.claim(f"{sweep.id}-{index}", worker="w", fence=1)
        assert attempt is not None
        empty.attempts.finish(attempt, outcome, output=None, synced=True)
    assert found(empty, "environment = differs") == [1]
    assert found(empty, "environment != differs") == [2]
    assert found(empty, "environment = null") == [3]
    assert found(empty, None, "-environment") == [2, 1, 3]
    run = empty.history.run(f"{sweep.id}-1")
    assert (run.environment, run.differences) == (Environment.DIFFERS, line)
    assert empty.queue.retry(of_run(run.id)) == 1
    attempt = empty.queue.claim(run.id, worker="w", fence=1)
    assert attempt is not None
    outcome = Outcome(status=Status.SUCCEEDED, environment=Environment.SAME)
    empty.attempts.finish(attempt, outcome, output=None, synced=True)
    run = empty.history.run(run.id)
    assert (run.environment, run.differences) == (Environment.SAME, None)


def test_tags(empty: Store) -> None:
    """Tags are searched and sorted by; those of an attempt that another followed do not count."""
    sweep = a_sweep(total=3, retries=1)
    empty.queue.submit(sweep, [{}, {}, {}])
    attempts = []
    for index, tags in enumerate([{"owner": "b", "a b": "1"}, {"owner": "a"}, {}], start=1):
        attempt = empty.queue.claim(f"{sweep.id}-{index}", worker="w", fence=1)
        assert attempt is not None
        outcome = Outcome(status=Status.SUCCEEDED, duration=1.0)
        empty.attempts.finish(attempt, outcome, output=None, metrics={}, synced=True)
        empty.attempts.set_tags(attempt, tags)
        attempts.append(attempt)
    empty.attempts.set_tags(replace(attempts[1], number=0), {"owner": "z"})
    assert found(empty, "tags.owner = a") == [2]
    assert found(empty, "tags.owner like 'B' or tags.owner = null", "index") == [1, 3]
    assert found(empty, 'tags["a b"] = "1" and index < 3') == [1]
    assert found(empty, None, "tags.owner") == [2, 1, 3]
    empty.attempts.set_tags(attempts[1], {"owner": "c"})
    assert found(empty, None, "-tags.owner") == [2, 1, 3]
    empty.queue.delete(of_sweep(sweep.id))
    assert found(empty, "tags.owner != null") == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("metrics.auc > 0.9", [2, 4]),
        ("metrics.auc >= 0.9 and params.depth = 3", [1]),
        ("params.depth = 3", [1, 3]),
        ("params.depth == 3.0", [1, 3]),
        ("params.depth = '3'", [4]),
        ("params.depth != 3", [2, 4, 7]),
        ("params.depth < 0", [7]),
        ("params.depth = -7", [7]),
        ("params.depth = null", [5, 6]),
        ("params.depth != null", [1, 2, 3, 4, 7]),
        ("not params.depth = 3", [2, 4, 5, 6, 7]),
        ("params.depth in (3, 5)", [1, 2, 3]),
        ("params.depth not in [3, 5]", [4, 5, 6, 7]),
        ("params.model = rf", [1, 3]),
        ("params.model != rf", [2, 4, 7]),
        ("params.model = ''", [4]),
        ("params.model > 'h'", [1, 3]),
        ("params.model < 'a'", [4, 7]),
        ("params.model like '%R%'", [1, 3, 7]),
        (r"params.model like '%\%%'", [7]),
        ("params.model like 'r_'", [1, 3]),
        ("params.model not like 'r_'", [2, 4, 5, 6, 7]),
        ("params.flag = true", [1]),
        ("params.flag != true", [2]),
        ("params.flag = false", [2]),
        ("params.depth = true", []),
        ("metrics.auc = nan", [3]),
        ("metrics.auc != nan", [1, 2, 4, 5, 7]),
        ("metrics.auc = inf", [4]),
        ("metrics.auc = -inf", [5]),
        ("metrics.auc > 1e300", [4]),
        ("metrics.auc != 0.9", [2, 3, 4, 5, 7]),
        ("not metrics.auc > 0", [3, 5, 6, 7]),
        ("metrics.val/auc > metrics.auc", [2]),
        ('metrics["val/auc"] > 0.9', [2]),
        ("metrics.`val/auc` > 0.9", [2]),
        (r"""metrics['a "b"\\'] = 2""", [4]),
        ("params.größe = 1 or metrics.größe = 3", [4, 7]),
        ("params.options = nan", []),
        ("params.huge > 1", [6]),
        ("params.huge != null", [6]),
        ("params.layers != null", [5]),
        ("metrics.missing > 0 or metrics.auc < -0.1", [5, 7]),
        ("metrics.auc > 0 and (params.depth = 5 or params.model = rf)", [1, 2]),
        ("index <= 2 and status = succeeded", [1, 2]),
        ("status in (failed, cancelled)", []),
        ("notebook = train.ipynb and index = 1", [1]),
        ("notebook like 'TRAIN%' and index = 1", [1]),
        ("stage = null and index = 1", [1]),
        ("kind = sweep and index = 1", [1]),
        ("reason = null and error = null and index != 1", [2, 3, 4, 5, 6, 7]),
        ("created > '1d ago' and index = 1", [1]),
        ("created < 2020-01-01", []),
        ("duration = 1", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_conditions(store: Store, where: str, expected: list[int]) -> None:
    """Each condition finds these runs, the same on both databases."""
    assert found(store, where) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("metrics.auc", [5, 7, 1, 2, 4, 3, 6]),
        ("-metrics.auc", [4, 2, 1, 7, 5, 3, 6]),
        ("params.depth", [7, 1, 3, 2, 4, 5, 6]),
        ("-params.depth,-metrics.auc", [2, 1, 3, 7, 4, 5, 6]),
        ("params.model", [4, 7, 2, 1, 3, 5, 6]),
        ("-params.model", [1, 3, 2, 7, 4, 5, 6]),
        ("params.flag", [2, 1, 3, 4, 5, 6, 7]),
        ("-index", [7, 6, 5, 4, 3, 2, 1]),
        ("-metrics.größe", [7, 1, 2, 3, 4, 5, 6]),
        ("stage, -index", [7, 6, 5, 4, 3, 2, 1]),
    ],
)
def test_order(store: Store, sort: str, expected: list[int]) -> None:
    """Numbers go before texts; NaN comes after all values and what is missing last, either way."""
    assert found(store, sort=sort) == expected


def test_pages(store: Store) -> None:
    """Pages follow one another, and each says how many runs there are in all."""
    condition, order = parse_condition("metrics.auc != null"), parse_order("-metrics.auc")
    pages = [
        store.searching.runs(RunSearch(condition=condition, order=order, limit=2, offset=offset))
        for offset in (0, 2, 4, 6, 8)
    ]
    assert [[run.index for run in page.runs] for page in pages] == [[4, 2], [1, 7], [5, 3], [], []]
    assert [page.total for page in pages] == [6] * 5


def test_facts(empty: Store) -> None:
    """Runs are found by their sweep, state, stage, times and what went wrong."""
    stage = Stage(pipeline_id="p1", name="train@a", folder=".")
    old = datetime(2020, 5, 17, 12, tzinfo=UTC)
    sweep = a_sweep(total=2, created_at=old, notebook="sub/other.ipynb", stage=stage)
    empty.queue.submit(sweep, [{"depth": 1}, {"depth": 2}])
    end(empty, f"{sweep.id}-1", {}, failed=True, took=60.0)
    assert found(empty, "status = failed") == [1]
    assert found(empty, "reason = error and error like '%100\\% wrong'") == [1]
    assert found(empty, "duration > 59.5") == [1]
    assert found(empty, f"sweep = {sweep.id}") == [1, 2]
    assert found(empty, f"id = {sweep.id}-2") == [2]
    assert found(empty, "stage = train@a", "-index") == [2, 1]
    assert found(empty, "stage like 'TRAIN%' and status = queued") == [2]
    assert found(empty, "created < 2020-05-18 and created >= '2020-05-17T12:00'") == [1, 2]
    assert found(empty, "notebook = sub/other.ipynb", "started") == [1, 2]
    assert found(empty, sweep_id=sweep.id, status=Status.QUEUED) == [2]
    assert found(empty, sort="created", limit=2) == [1, 2]
    assert found(empty, sort="stage", limit=2) == [1, 2]


def test_values_survive(store: Store) -> None:
    """NaN and infinity come back from a search as they were logged."""
    search = RunSearch(condition=parse_condition("metrics.auc != null"), order=parse_order("index"))
    auc = [run.metrics["auc"] for run in store.searching.runs(search).runs]
    assert [repr(each) for each in auc] == ["0.9", "0.95", "nan", "inf", "-inf", "-0.5"]


def test_names(store: Store) -> None:
    """What can be searched by is known, of this project alone."""
    parameters, metrics = store.searching.names(1000)
    assert parameters == sorted({name for given, _ in RUNS for name in given})
    assert metrics == sorted({name for _, logged in RUNS for name in logged})


def test_a_search_keeps_no_writer_waiting(tmp_path: Path) -> None:
    """While one reads, another writes."""
    store = Store(new_id(), url=None, state=tmp_path)
    with store.searching._database.snapshot() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM runs").all()
        submit(store, RUNS[:1])
    assert found(store) == [1]
    store.close()
