"""Reading metrics out of displays: what is no metric is told, and stops nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from jupyter_mlops.core.executors import MetricsLogged
from jupyter_mlops.execution import wire
from jupyter_mlops.execution.metrics import METRICS_TYPE, MetricsReader


def taken(reader: MetricsReader, *points: Any) -> MetricsLogged | None:
    """What the reader makes of a display with these points."""
    return reader.take({METRICS_TYPE: {"points": list(points), "last": {}}})


def a_point(**changes: Any) -> dict[str, Any]:
    """A good point, but for the changes."""
    return {"key": "loss", "value": 0.5, "step": 1, "time": 10.0, **changes}


def test_values_that_are_no_numbers_survive() -> None:
    """NaN and infinity go from the display through the runner's channel as they are."""
    coded = [{"$float": each} for each in ("nan", "inf", "-inf")]
    logged = taken(MetricsReader(), *(a_point(value=each) for each in coded))
    assert logged is not None
    sent = wire.read_report(wire.report(logged))
    assert isinstance(sent, MetricsLogged)
    first, second, third = (each.value for each in sent.points)
    assert math.isnan(first)
    assert (second, third) == (math.inf, -math.inf)
    assert sent.refused == ()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (a_point(value="high"), '"loss"'),
        (a_point(value={"$float": "many"}), '"loss"'),
        (a_point(step=2**63), "64 bits"),
        (a_point(step=-(2**70)), "64 bits"),
        (a_point(time=1e300), "since 1970"),
        (a_point(time=-1.0), "since 1970"),
        (a_point(key=""), "needs a name"),
        ({"key": "loss"}, '"loss"'),
        ([], '"None"'),
    ],
)
def test_what_is_no_metric_is_told(bad: Any, told: str) -> None:
    """The good points of the same display are taken, and one line says what is wrong."""
    logged = taken(MetricsReader(), a_point(), bad)
    assert logged is not None
    assert [each.value for each in logged.points] == [0.5]
    (line,) = logged.refused
    assert told in line
    assert "left out" in line
    assert "\n" not in line
    wire.report(logged)


def test_the_same_is_told_once() -> None:
    """A loop that logs text does not fill the record."""
    reader = MetricsReader()
    assert taken(reader, a_point(value="high")) is not None
    assert taken(reader, a_point(value="high")) is None
    lines = [
        line
        for n in range(50)
        if (each := taken(reader, a_point(key=f"k{n}", value=[])))
        for line in each.refused
    ]
    assert len(lines) == 9


def test_other_displays_are_left_alone() -> None:
    """They hold no metrics, or no points."""
    reader = MetricsReader()
    assert reader.take({"text/plain": "x"}) is None
    assert reader.take({METRICS_TYPE: "x"}) is None
    assert reader.take({METRICS_TYPE: {"points": {}}}) is None
