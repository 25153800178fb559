"""What a notebook's code asks of MLflow is read without running it."""

from __future__ import annotations

import pytest

from jupyter_mlops.tracking.client_calls import client_calls


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('mlflow.set_experiment("flights")', ["flights"]),
        ("set_experiment(experiment_name='flights')", ["flights"]),
        ('%%time\nmlflow.set_experiment("flights")', ["flights"]),
        ('!pip list\nif True:\n    %matplotlib inline\n    mlflow.set_experiment("a")', ["a"]),
        ("mlflow.set_experiment(name)", [None]),
        ("mlflow.set_experiment(experiment_id='3')", [None]),
        ('files = !ls\nmlflow.set_experiment("flights")', ["flights"]),
        ('mlflow.set_experiment("a")\nmlflow.set_experiment("b")', ["a", "b"]),
        ('# mlflow.set_experiment("flights")', []),
        ('print("set_experiment")', []),
    ],
)
def test_experiments(source: str, expected: list[str | None]) -> None:
    """The experiment is known where it is written out, and None stands for a computed one."""
    assert client_calls([source])["experiments"] == expected


@pytest.mark.parametrize("call", ["log_param('a', 1)", "log_params(p)", "sklearn.autolog()"])
def test_parameters(call: str) -> None:
    """A notebook that logs parameters itself is recognised, by whichever call."""
    assert client_calls([f"mlflow.{call}"])["parameters"] is True


def test_nothing_is_asked() -> None:
    """A notebook that only logs metrics asks for nothing that matters."""
    calls = client_calls(["import mlflow", "mlflow.log_metric('a', 1)"])
    assert calls == {"experiments": [], "tracking_uri": False, "parameters": False}


def test_another_store() -> None:
    """A notebook that chooses its own store is recognised."""
    assert client_calls(["mlflow.set_tracking_uri(uri)"])["tracking_uri"] is True
