"""What a stage's ``meta.mlops`` says, and how causes are written."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.pipelines import Cause, CauseKind, StageSettings, read_settings


def test_nothing_said() -> None:
    """One core, and no more."""
    assert read_settings("train", {}) == StageSettings()


def test_everything_said() -> None:
    """Sizes and lists are written as people write them."""
    given = {
        "cpus": 2,
        "memory": "4GB",
        "gpus": 1,
        "retries": 3,
        "timeout": 90,
        "on_failure": ["a", "b"],
        "notify": "team",
    }
    assert read_settings("train", given) == StageSettings(
        cpus=2,
        memory=4_000_000_000,
        gpus=1,
        retries=3,
        timeout=90.0,
        on_failure=("a", "b"),
        notify=("team",),
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"cpus": 0}, "cpus: 0 is no whole number of at least 1"),
        ({"cpus": True}, "cpus: True is no whole number"),
        ({"gpus": 1.5}, "gpus: 1.5 is no whole number"),
        ({"memory": "lots"}, "memory: 'lots' is not a size"),
        ({"timeout": 0}, "timeout: 0 is no number of seconds above 0"),
        ({"timeout": float("nan")}, "timeout: nan is no number of seconds above 0"),
        ({"on_failure": {"run": "x"}}, "on_failure: it is neither text nor a list of texts"),
        ({"priority": 1}, "priority: there is no such setting. There are executor, cpus"),
    ],
)
def test_what_makes_no_sense(given: dict[str, Any], line: str) -> None:
    """The line names the stage and the field."""
    with pytest.raises(InvalidInput, match=f"dvc.yaml: stage train: meta.mlops.{line}"):
        read_settings("train", given)


@pytest.mark.parametrize(
    ("kind", "what", "change", "text"),
    [
        (CauseKind.DEPENDENCY, "data.csv", "modified", "data.csv modified"),
        (CauseKind.PARAMETER, "params.yaml: depth", "modified", "params.yaml: depth modified"),
        (CauseKind.COMMAND, "", "", "command changed"),
        (CauseKind.OUTPUT, "model.bin", "deleted", "output model.bin deleted"),
        (CauseKind.UPSTREAM, "train@a", "", "upstream: train@a"),
        (CauseKind.FORCED, "", "", "forced"),
        (CauseKind.NEVER_RUN, "", "", "never run"),
        (CauseKind.ALWAYS, "", "", "always runs"),
    ],
)
def test_causes_in_words(kind: CauseKind, what: str, change: str, text: str) -> None:
    """A few words each."""
    assert str(Cause(kind=kind, what=what, change=change)) == text
