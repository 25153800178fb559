"""mlops.log: what it takes, what it refuses, and where it goes without a notebook."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import _validate_metric_name

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.metrics import checked_name, checked_step, checked_value, log
from jupyter_mlops.sessions import VARIABLE, SessionLink, current_session


class Tensor:
    """What a tensor of one element looks like."""

    def item(self) -> float:
        """Return the element."""
        return 0.25


class Tensors:
    """A tensor of many elements."""

    def item(self) -> float:
        """Refuse, as PyTorch does."""
        raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")


@pytest.mark.parametrize(
    ("value", "logged"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.array([2]), 2.0),
        (Decimal("0.5"), 0.5),
        (Tensor(), 0.25),
        (math.inf, math.inf),
    ],
)
def test_numbers(value: object, logged: float) -> None:
    """Whatever is one number is logged as a float."""
    assert checked_value("loss", value) == logged


@pytest.mark.parametrize(
    "value", ["0.3", b"1", None, [0.3], 1j, np.array([1, 2]), 10**400, Tensors(), object()]
)
def test_what_is_no_number(value: object) -> None:
    """All else is refused in one line that names the metric and the type."""
    with pytest.raises(InvalidInput, match=rf"^loss: a {type(value).__name__} is not a number"):
        checked_value("loss", value)


@pytest.mark.parametrize("name", ["loss", "val/loss", "top-5 acc.", "_", "ä", "x" * 250])
def test_names(name: str) -> None:
    """A name that we take is one that MLflow takes."""
    assert checked_name(name) == name
    _validate_metric_name(name)


@pytest.mark.parametrize("name", ["", "a//b", "../a", "/a", ".", "a/", "a?", "a\n", "a/../b"])
def test_refused_names(name: str) -> None:
    """A name that MLflow refuses is refused at once, not when the run is recorded."""
    with pytest.raises(InvalidInput, match="is not a metric's name"):
        checked_name(name)
    if name not in ("", "a\n"):  # There MLflow is laxer, or falls over itself.
        with pytest.raises(MlflowException):
            _validate_metric_name(name)


def test_long_names() -> None:
    """Names have at most 250 characters."""
    with pytest.raises(InvalidInput, match="longer than 250"):
        checked_name("x" * 251)


@pytest.mark.parametrize("step", [0.5, "1", None, 2**63])
def test_steps(step: object) -> None:
    """A step is a whole number of 64 bits."""
    with pytest.raises(InvalidInput, match=r"^step: it must be a whole number"):
        checked_step(step)
    assert checked_step(np.int64(3)) == 3


def test_nothing_is_logged_if_one_value_is_refused() -> None:
    """Several metrics are logged together or not at all."""
    with pytest.raises(InvalidInput):
        log(loss=0.1, auc="high")


def script(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script outside of IPython."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=True,
    )


def test_a_script_without_session_is_told_once() -> None:
    """Outside of a notebook and a session nothing is logged, and one line says so."""
    done = script("import jupyter_mlops as mlops\nfor i in range(3): mlops.log(loss=i)")
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "jupyter mlops track -- python SCRIPT" in done.stderr


def test_a_session_without_worker_spools(tmp_path: Path) -> None:
    """While no worker listens, the points of a session wait in the spool, each with its step."""
    spool = tmp_path / "spool" / "k3m9x2ab-1.jsonl"
    link = {"run_id": "k3m9x2ab-1", "socket": str(tmp_path / "none"), "spool": str(spool)}
    code = (
        "import jupyter_mlops as mlops\n"
        "mlops.log(loss=1); mlops.log(loss=float('nan'))\n"
        "mlops.log(loss=3, step=7); mlops.log(loss=4)"
    )
    done = script(code, **{VARIABLE: json.dumps(link)})
    assert (done.stdout, done.stderr) == ("", "")
    lines = spool.read_text("utf-8").splitlines()
    records = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert {record["run_id"] for record in records} == {"k3m9x2ab-1"}
    points = [point for record in records for point in record["points"]]
    assert [(point["value"], point["step"]) for point in points] == [
        (1.0, 0),
        ({"$float": "nan"}, 1),
        (3.0, 7),
        (4.0, 8),
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "a"}'])
def test_a_broken_session_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What another version left in the environment does no harm."""
    monkeypatch.setenv(VARIABLE, text)
    assert current_session() is None


def test_a_session_is_found_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process finds the session that it was started in."""
    link = SessionLink(run_id="a-1", socket="/s", spool="/p")
    monkeypatch.setenv(VARIABLE, '{"run_id": "a-1", "socket": "/s", "spool": "/p"}')
    assert current_session() == link
