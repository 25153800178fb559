"""What must be true of a project when its sweeps have ended, whatever was killed meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat

Row = dict[str, Any]


def _rows(database: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as link:
        link.row_factory = sqlite3.Row
        return [dict(row) for row in link.execute(query)]


def _is_whole(database: Path) -> None:
    (answer,) = _rows(database, "PRAGMA integrity_check")
    assert list(answer.values()) == ["ok"], database


def check_store(state: Path, points: int) -> list[Row]:
    """Each point has one terminal record, that of its last attempt. Returns the runs."""
    database = state / "store.db"
    _is_whole(database)
    runs = _rows(database, "SELECT * FROM runs ORDER BY id")
    odd = [run for run in runs if run["status"] != "succeeded"]
    assert not odd, odd[:3]
    places = Counter((run["sweep_id"], run["index"]) for run in runs)
    assert len(places) == len(runs) == points
    by_run = defaultdict(list)
    for attempt in _rows(database, "SELECT * FROM attempts ORDER BY run_id, number"):
        by_run[attempt["run_id"]].append(attempt)
    for run in runs:
        attempts = by_run.pop(run["id"])
        assert [each["number"] for each in attempts] == list(range(1, run["attempts"] + 1))
        assert [each["status"] for each in attempts[:-1]] == ["failed"] * (len(attempts) - 1)
        reasons = {each["reason"] for each in attempts[:-1]}
        assert reasons <= {"lost", "node_lost", "kernel_died"}, attempts
        assert attempts[-1]["status"] == "succeeded", attempts
        assert all(each["synced"] for each in attempts), attempts
        assert run["mlflow_run_id"] == attempts[-1]["mlflow_run_id"]
    assert not by_run
    told = Counter(
        event["run_id"]
        for event in _rows(database, "SELECT * FROM events WHERE kind = 'run'")
        if event["status"] in ("succeeded", "failed", "cancelled")
    )
    assert set(told) == {run["id"] for run in runs}
    assert set(told.values()) == {1}, [each for each in told.items() if each[1] > 1]
    return runs


def check_tracking(state: Path, runs: list[Row]) -> None:
    """In MLflow each point has one run in sight, finished, with its values, each once."""
    database = state / "mlflow.db"
    _is_whole(database)
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for tag in _rows(database, "SELECT run_uuid, key, value FROM tags"):
        tags[tag["run_uuid"]][tag["key"]] = tag["value"]
    tracked = {each["run_uuid"]: each for each in _rows(database, "SELECT * FROM runs")}
    seen = Counter(each["mlops.attempt"] for each in tags.values() if "mlops.attempt" in each)
    assert set(seen.values()) == {1}, [each for each in seen.items() if each[1] > 1]
    assert "RUNNING" not in {each["status"] for each in tracked.values()}
    in_sight = defaultdict(list)
    for run_id, each in tracked.items():
        if each["lifecycle_stage"] == "active" and "mlops.superseded" not in tags[run_id]:
            in_sight[tags[run_id].get("mlops.run")].append(run_id)
    values = defaultdict(list)
    for row in _rows(database, "SELECT run_uuid, key, step, value FROM metrics ORDER BY step"):
        values[row["run_uuid"]].append((row["key"], row["step"], row["value"]))
    parameters = {row["run_uuid"]: row for row in _rows(database, "SELECT * FROM params")}
    for run in runs:
        assert in_sight[run["id"]] == [run["mlflow_run_id"]], (run, in_sight[run["id"]])
        found = tracked[run["mlflow_run_id"]]
        assert found["status"] == "FINISHED"
        x = json.loads(run["parameters"])["x"]
        assert parameters[found["run_uuid"]]["value"] == str(x)
        expected = [("loss", 0, x / 10), ("loss", 1, x / 20), ("loss", 2, x / 40)]
        assert values[found["run_uuid"]] == expected


def check_outputs(root: Path, state: Path, runs: list[Row]) -> None:
    """Each point has its whole notebook and its context, and nothing that was on the way to it."""
    for run in runs:
        path = root / run["output"]
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        states = {cell.metadata.papermill.status for cell in notebook.cells}
        assert states == {"completed"}, (path, states)
    names = {run["id"] for run in runs}
    assert {path.stem for path in (root / "runs").rglob("*") if path.is_file()} == names
    left = {path.name for path in (state / "journals").iterdir()}
    contexts = {f"{run['id']}.{run['attempts']}.context.json" for run in runs}
    assert contexts <= left, contexts - left
    assert all(name.endswith(".context.json") for name in left), left
    assert [path for path in (state / "logs").glob("*-*.log") if not path.stat().st_size] == []


def check_lives(log: Path, runs: list[Row], *, alone: bool = True) -> None:
    """No point had two live attempts at a time, and each was executed to its end.

    On a machine that nobody hears of an attempt may go on for a while: then it is not ``alone``.
    """
    lines = [line.split() for line in log.read_text("utf-8").splitlines()]
    lives: dict[tuple[str, str], list[int]] = defaultdict(list)
    ended = set()
    for _, attempt, pid, moment, what in lines:
        lives[attempt, pid].append(int(moment))
        if what == "ends":
            ended.add(attempt)
    by_run = defaultdict(list)
    for (attempt, pid), moments in lives.items():
        by_run[attempt.rpartition(".")[0]].append((min(moments), max(moments), attempt, pid))
    for spans in by_run.values() if alone else ():
        spans.sort()
        for earlier, later in pairwise(spans):
            assert earlier[1] < later[0], ("two live attempts", earlier, later)
    for run in runs:
        assert f"{run['id']}.{run['attempts']}" in ended, run["id"]
