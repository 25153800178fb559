"""Pages and sorts of many runs: from our own store through the worker, and by MLflow's API."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from jupyter_mlops import mlflow_client
from jupyter_mlops.app import messages as m
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.search_operations import SEARCH_RUNS
from jupyter_mlops.core.runs import Status
from jupyter_mlops.store import Store, schema
from jupyter_mlops.tracking import default_uri
from jupyter_mlops.tracking.local_store import artifacts_path, database_path, refresh_statistics
from jupyter_mlops.tracking.store_template import create_database
from tests.support import postgres, workers
from tests.support.records import a_sweep

RUNS = int(os.environ.get("BENCH_RUNS", "10000"))
NAMES = 20
OF_SWEEP = 100
PAGE = 50
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
#: MLflow's sorts take ten seconds and more.
MLFLOW_ROUNDS = 1

Values = dict[str, Any]

#: What is asked, as a query of ours and as arguments of MLflow's ``search_runs``.
PAGES: dict[str, tuple[Values, Values]] = {
    "first page": ({}, {}),
    "a page in the middle": ({"offset": RUNS // 2}, {}),
    "a metric and a parameter": (
        {"where": "metrics.metric_7 > 0.9 and params.number_3 = 3"},
        {"filter_string": "metrics.metric_7 > 0.9 and params.number_3 = '3'"},
    ),
    "text in a parameter, a status": (
        {"where": "params.text_2 like '%5' and status = succeeded"},
        {"filter_string": "params.text_2 like '%5' and attributes.status = 'FINISHED'"},
    ),
}
SORTS: dict[str, tuple[Values, Values]] = {
    "by a metric": ({"sort": "-metrics.metric_7"}, {"order_by": ["metrics.metric_7 DESC"]}),
    "by a metric, in the middle": (
        {"sort": "-metrics.metric_7", "offset": RUNS // 2},
        {},
    ),
    "by a parameter": ({"sort": "params.number_3"}, {"order_by": ["params.number_3 ASC"]}),
    "by a text, then a metric, on a condition": (
        {"sort": "params.text_2,-metrics.metric_1", "where": "metrics.metric_2 > 0.1"},
        {
            "order_by": ["params.text_2 ASC", "metrics.metric_1 DESC"],
            "filter_string": "metrics.metric_2 > 0.1",
        },
    ),
    "by duration": ({"sort": "-duration"}, {}),
}


def _facts() -> Iterator[tuple[Values, Values]]:
    """Yield the parameters and metrics of runs, the same ones each time."""
    chosen = random.Random(7)  # noqa: S311  # it makes up values
    for _ in range(RUNS):
        parameters: Values = {f"number_{i}": chosen.randrange(10) for i in range(NAMES // 2)}
        parameters |= {f"text_{i}": f"choice {chosen.randrange(30)}" for i in range(NAMES // 2)}
        yield parameters, {f"metric_{i}": chosen.random() for i in range(NAMES)}


def _fill(store: Store) -> None:
    """Put runs that succeeded into our store."""
    facts = list(_facts())
    for start in range(0, RUNS, OF_SWEEP):
        some = facts[start : start + OF_SWEEP]
        sweep = a_sweep(total=len(some))
        store.queue.submit(sweep, [parameters for parameters, _ in some])
        with store.queue._database.transaction() as transaction:
            transaction.connection.execute(
                schema.sweeps.update().where(schema.sweeps.c.id == sweep.id).values(synced=True)
            )
            for index, (_, metrics) in enumerate(some, start=1):
                transaction.connection.execute(
                    schema.runs.update()
                    .where(schema.runs.c.id == f"{sweep.id}-{index}")
                    .values(
                        status=Status.SUCCEEDED,
                        metrics=metrics,
                        started_at=sweep.created_at,
                        finished_at=sweep.created_at,
                        duration=metrics["metric_0"],
                    )
                )


def _fill_mlflow(state: Path) -> None:
    """Put the same runs into MLflow's database."""
    create_database(database_path(state), artifacts_path(state))
    runs: list[tuple[Any, ...]] = []
    parameters: list[tuple[str, str, str]] = []
    metrics: list[tuple[str, float, str]] = []
    for number, (given, logged) in enumerate(_facts()):
        run = f"{number:032x}"
        runs.append((run, f"run {number}", number))
        parameters += [(name, str(value), run) for name, value in given.items()]
        metrics += [(name, value, run) for name, value in logged.items()]
    with contextlib.closing(sqlite3.connect(database_path(state))) as link, link:
        link.executemany(
            "INSERT INTO runs (run_uuid, name, experiment_id, lifecycle_stage, status, start_time,"
            " user_id, artifact_uri, source_type) VALUES (?, ?, 0, 'active', 'FINISHED', ?, 'u',"
            " 'file:///a', 'LOCAL')",
            runs,
        )
        link.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", parameters)
        for table in ("metrics", "latest_metrics"):
            link.executemany(
                f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid)"  # noqa: S608
                " VALUES (?, ?, 0, 0, 0, ?)",
                metrics,
            )


def _seconds(work: Callable[[], Any], rounds: int) -> float:
    """Return the median time of a call, the first one included."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


@contextmanager
def _ours(folder: Path, url: str | None = None) -> Iterator[Callable[..., m.RunPage]]:
    """A function that asks a worker whose store holds the runs."""
    settings = f'store = "{url}"\n' if url else ""
    project = find_project(workers.make_project(folder, settings))
    project.state.mkdir(parents=True, exist_ok=True)
    store = Store(project.id, url=url, state=project.state)
    _fill(store)
    store.close()
    with workers.worker(folder) as client:
        yield lambda **query: client.call(SEARCH_RUNS, query=m.SearchQuery(limit=PAGE, **query))


def _of_mlflow(client: MlflowClient, query: Values) -> int:
    found = client.search_runs(["0"], max_results=PAGE, **query)
    return len(found)


def test_pages_and_sorts(tmp_path: Path) -> None:
    """Print how long each page and sort takes, of ours medians of rounds, of MLflow one round."""
    state = tmp_path / "mlflow"
    _fill_mlflow(state)
    client = mlflow_client.connect(default_uri(state))
    lines = [f"\n{RUNS:,} runs of {NAMES} parameters and {NAMES} metrics, pages of {PAGE}:"]
    with _ours(tmp_path / "project") as ask:
        assert ask().total == RUNS
        for goal, asked in ((100, PAGES), (200, SORTS)):
            for name, (query, theirs) in asked.items():
                first = _seconds(partial(ask, **query), 1)
                ours = _seconds(partial(ask, **query), ROUNDS)
                line = f"  {name}: {1000 * ours:.0f} ms, the first time {1000 * first:.0f} ms"
                line += f" (the goal is under {goal} ms)"
                if theirs or not query:
                    mlflow = _seconds(partial(_of_mlflow, client, theirs), MLFLOW_ROUNDS)
                    line += f"; MLflow's API {1000 * mlflow:,.0f} ms"
                lines.append(line)
    refresh_statistics(database_path(state))
    by_metric = SORTS["by a metric"][1]
    counted = _seconds(partial(_of_mlflow, client, by_metric), ROUNDS)
    lines.append(f"  MLflow's sort by a metric with fresh statistics: {1000 * counted:,.0f} ms")
    mlflow_client.dispose(client)
    print("\n".join(lines))


def test_pages_and_sorts_of_postgresql(tmp_path: Path) -> None:
    """Print the same of a store in PostgreSQL."""
    if reason := postgres.missing():
        print(f"\nNot measured: {reason}.")
        return
    lines = [f"\n{RUNS:,} runs in PostgreSQL:"]
    with postgres.server() as url, _ours(tmp_path / "project", url) as ask:
        assert ask().total == RUNS
        for name, (query, _) in {**PAGES, **SORTS}.items():
            taken = _seconds(partial(ask, **query), ROUNDS)
            lines.append(f"  {name}: {1000 * taken:.0f} ms")
    print("\n".join(lines))
