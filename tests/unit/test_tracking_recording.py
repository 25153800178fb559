"""What is written to MLflow keeps its rules and limits, and loses nothing on the way."""

from __future__ import annotations

import json
import math
import posixpath
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops import mlflow_client
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.executors import Outcome
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.core.search import Pruning, PruningRule, Sampler, Search
from jupyter_mlops.core.stages import Stage
from jupyter_mlops.tracking import recording
from tests.support.records import a_sweep
from tests.support.tracked import a_run, an_attempt


def is_taken(key: str) -> bool:
    """MLflow's rule for keys of metrics, parameters and tags."""
    path = posixpath.normpath(key)
    return (
        re.fullmatch(r"[/\w.\- :]{1,250}", key) is not None
        and path == key
        and path != "."
        and not path.startswith(("..", "/"))
    )


@given(st.text(max_size=400))
def test_every_name_becomes_a_key(name: str) -> None:
    """Whatever a metric is called, MLflow takes its key."""
    assert is_taken(recording.key_for(name))


@given(st.text(max_size=20), st.text(max_size=20))
def test_keys_are_not_shared(one: str, other: str) -> None:
    """Two metrics never share a key."""
    assert (recording.key_for(one) == recording.key_for(other)) == (one == other)


@pytest.mark.parametrize("name", ["loss", "val/loss", "a b", "größe", "f1:macro", "x" * 250])
def test_good_names_stay(name: str) -> None:
    """A name that MLflow takes is not touched."""
    assert recording.key_for(name) == name


def test_bad_names_stay_readable() -> None:
    """A name that MLflow refuses is still recognised."""
    assert recording.key_for("mAP@0.5").startswith("mAP_0.5.")


def test_parameters_read_as_mlflow_writes_them() -> None:
    """A notebook's own ``log_param`` of the same value then agrees with ours."""
    texts, cut = recording.parameter_texts(
        {"a": 0.1, "b": True, "c": None, "d": [1, "x"], "e": "s"}
    )
    assert texts == {"a": "0.1", "b": "True", "c": "None", "d": "[1, 'x']", "e": "s"}
    assert cut == {}


def test_long_parameters_are_cut_and_named() -> None:
    """What MLflow cannot keep is cut where MLflow would cut it, and said to be."""
    texts, cut = recording.parameter_texts({"text": "x" * 7000})
    assert (len(texts["text"]), cut) == (6000, {"text": "x" * 7000})


def test_secrets_are_masked() -> None:
    """A secret's value reaches neither parameters nor tags."""
    texts, _ = recording.parameter_texts({"api_key": "hunter2", "lr": 0.1})
    sweep = a_sweep(space={"api_key": "hunter2", "lr": "0.1"})
    assert "hunter2" not in texts["api_key"]
    assert "hunter2" not in str(recording.sweep_tags(sweep))
    assert '"lr": "0.1"' in recording.sweep_tags(sweep)["mlops.space"]


def test_a_search_is_recorded_with_its_sweep() -> None:
    """Who chose the points, from which seed, and what stopped runs; nothing where nobody did."""
    search = Search(sampler=Sampler.TPE, seed=7, trials=9, dimensions={})
    pruning = Pruning(rule=PruningRule.ASHA, steps=None, factor=3)
    tags = recording.sweep_tags(a_sweep(search=search, pruning=pruning))
    assert (tags["mlops.sampler"], tags["mlops.seed"], tags["mlops.pruning"]) == (
        "tpe",
        "7",
        "asha",
    )
    assert (
        not {"mlops.sampler", "mlops.seed", "mlops.pruning"}
        & recording.sweep_tags(a_sweep()).keys()
    )


def test_unstorable_characters_are_escaped() -> None:
    """NUL and half characters, which databases refuse, are written as escapes."""
    texts, _ = recording.parameter_texts({"a": "x\0y\ud800"})
    assert texts == {"a": "x\\0y\\ud800"}


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=4), st.integers(1, 900))
def test_parameters_wait_in_tags(short: dict[str, str], times: int) -> None:
    """Parameters of any length come back from the tags that they wait in."""
    texts = {name: text * times for name, text in short.items()}
    tags = recording.pending_tags(texts)
    assert all(is_taken(name) and len(text) <= 8000 for name, text in tags.items())
    assert recording.pending_texts(tags) == texts


def test_no_parameters_wait() -> None:
    """A run without such tags has none waiting."""
    assert recording.pending_texts({"mlops.run": "a-1"}) == {}


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 20_000)), max_size=40))
def test_batches(pieces: list[tuple[str, int]]) -> None:
    """Batches hold all items in order, few enough and small enough for one request."""
    items, most = [text * times for text, times in pieces], 10
    found = list(recording.batches(items, most=most))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) <= most for batch in found)
    assert all(len(json.dumps(batch)) < 1_000_000 for batch in found)


def test_tags_tell_where_a_run_comes_from() -> None:
    """Notebook, commit, branch and changes are where MLflow's own pages look for them."""
    git = {"commit": "c" * 40, "branch": "main", "dirty": True, "remote": "https://h/r.git"}
    sweep = a_sweep(notebook="nb/02_train.ipynb", context={"git": git, "user": "ada"})
    run = a_run(sweep, 7)
    tags = recording.attempt_tags(sweep, run, an_attempt(run))
    assert recording.run_name(sweep, run) == f"02_train {sweep.id}-7"
    assert tags["mlflow.source.name"] == "nb/02_train.ipynb"
    assert tags["mlflow.source.type"] == "NOTEBOOK"
    assert tags["mlflow.source.git.commit"] == "c" * 40
    assert tags["mlflow.user"] == "ada"
    assert tags["mlops.git.dirty"] == "true"
    assert tags["mlops.notebook_hash"] == "0" * 64
    assert "mlflow.parentRunId" not in tags


def test_tags_tell_of_which_stage_a_run_is() -> None:
    """The stage and its pipeline run; other runs have no such tags."""
    stage = Stage(pipeline_id="p1", name="train@a", folder="")
    for sweep, expected in ((a_sweep(stage=stage), ("train@a", "p1")), (a_sweep(), (None, None))):
        run = a_run(sweep)
        tags = recording.attempt_tags(sweep, run, an_attempt(run))
        assert (tags.get("mlops.stage"), tags.get("mlops.pipeline")) == expected


def test_parent() -> None:
    """Runs of a sweep name its parent run."""
    sweep = a_sweep(mlflow_run_id="p1")
    run = a_run(sweep)
    assert recording.attempt_tags(sweep, run, an_attempt(run))["mlflow.parentRunId"] == "p1"


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ({}, False),
        ({"experiments": [], "tracking_uri": False}, False),
        ({"experiments": ["train"], "tracking_uri": False}, False),
        ({"experiments": ["other"], "tracking_uri": False}, True),
        ({"experiments": ["train", None], "tracking_uri": False}, True),
        ({"experiments": [], "tracking_uri": True}, True),
    ],
)
def test_detached(calls: dict[str, object], expected: bool) -> None:
    """A run continues the sweep's own experiment only."""
    assert recording.is_detached(a_sweep(experiment="train", context={"mlflow": calls})) is expected


def test_outcome() -> None:
    """The end of an attempt is told with status, reason, error, cell and duration."""
    outcome = Outcome(
        status=Status.FAILED, reason=Reason.ERROR, error="boom", failed_cell=3, duration=1.5
    )
    assert recording.outcome_tags(outcome) == {
        "mlops.status": "failed",
        "mlops.reason": "error",
        "mlops.error": "boom",
        "mlops.failed_cell": "3",
        "mlops.duration": "1.500",
    }
    assert set(recording.outcome_tags(replace(outcome, error=None, reason=None))) == {
        "mlops.status",
        "mlops.failed_cell",
        "mlops.duration",
    }


def test_filters_cannot_be_broken_out_of() -> None:
    """Only ids come into a search filter."""
    assert mlflow_client.quoted("a1-7.2") == "'a1-7.2'"
    with pytest.raises(InvalidInput):
        mlflow_client.quoted("a' or 1 = 1")


def test_infinity_comes_back() -> None:
    """The largest float, which SQL stores keep for infinity, is infinity again."""
    largest = 1.7976931348623157e308
    assert [mlflow_client.restored(each) for each in (largest, -largest, 1.0)] == [
        math.inf,
        -math.inf,
        1.0,
    ]
