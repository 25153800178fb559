"""Curves and parallel coordinates are drawn as SVG that holds no more than it should."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.reports import drawing

HOSTILE = '"><script>alert(1)</script>&'
VALUES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)


def drawn(svg: str, tag: str) -> list[ET.Element]:
    """Return the elements of a drawing; one that is not well-formed is an error."""
    return list(ET.fromstring(svg).iter(tag))  # noqa: S314  # our own text


def numbers(svg: str) -> list[float]:
    """Return all coordinates of a drawing."""
    found = re.findall(r'(?:points|c?[xy][12]?)="([^"]*)"', svg)
    return [float(each) for text in found for each in re.split("[ ,]", text)]


def test_curves_lie_over_one_another() -> None:
    """Each run has a line in a colour of its own and stands in the legend; higher is further up."""
    lines = [
        drawing.Line("a-1", [(0, 1.0), (1, 0.5), (2, 0.0)]),
        drawing.Line("a-2", [(0, 0.0), (2, 1.0)]),
    ]
    svg = drawing.curves("loss", "step", lines)
    by_run = {each.findtext("title"): each for each in drawn(svg, "polyline")[:2]}
    first, second = by_run["a-1"], by_run["a-2"]
    assert first.get("stroke") != second.get("stroke")
    (_, top), *_, (_, low) = (map(float, p.split(",")) for p in str(first.get("points")).split())
    assert top < low
    texts = [each.text for each in drawn(svg, "text")]
    assert {"loss", "step", "a-1", "a-2"} <= set(texts)


def test_many_curves_are_grey() -> None:
    """Beyond the legend, lines are grey, and how many is told."""
    lines = [drawing.Line(f"a-{n}", [(0, n), (1, n)]) for n in range(30)]
    svg = drawing.curves("loss", "step", lines)
    assert svg.count('stroke="currentColor" stroke-width="1"') == 30 - drawing.MAX_LEGEND
    assert "and 22 more in grey" in svg


def test_nothing_to_draw() -> None:
    """Without a finite value there is no drawing."""
    assert drawing.curves("loss", "step", []) == ""
    assert drawing.curves("loss", "step", [drawing.Line("a-1", [(0, math.nan)])]) == ""
    assert drawing.parallel({}, ["a-1"]) == ""


def test_parallel_coordinates() -> None:
    """A line goes through its run's values; where one is missing it has a gap."""
    axes: dict[str, dict[str, Any]] = {
        "depth": {"a": 1, "b": 3},
        "model": {"a": "rf", "b": "gbm"},
        "lr": {"a": None, "b": 0.001},
        "auc": {"a": 0.5, "b": 0.75},
        "loss": {"a": 1.0, "b": math.nan},
    }
    svg = drawing.parallel(axes, ["a", "b"])
    titles = [each.findtext("title") for each in drawn(svg, "polyline")]
    # Two pieces of a and one of b, and both in the legend.
    assert sorted(map(str, titles)) == ["a", "a", "a", "b", "b"]
    texts = [each.text for each in drawn(svg, "text")]
    assert [each for each in texts if each in axes] == list(axes)
    assert {"rf", "gbm", "0.5", "0.75"} <= set(texts)


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([1, 2, 3], [0, 0.5, 1]),
        ([0.001, 0.01, 0.1], [0, 0.5, 1]),
        ([1, 1], [0.5, 0.5]),
        (["a", "b", "a"], [0, 1, 0]),
        ([True, 1], [0, 1]),
        ([1.0, math.inf, 2.0], [0, None, 1]),
        ([10**400, 1, 2], [None, 0, 1]),
        ([None, math.nan], [None, None]),
        ([-1e308, 1e308, 0.0], [0, 1, 0.5]),
    ],
)
def test_scales(values: list[Any], places: list[float | None]) -> None:
    """Numbers lie in their distance, by their logarithm if they span much; all else as it comes."""
    scale = drawing.scale_of(values)
    assert [scale.place(value) for value in values] == pytest.approx(places)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=12), st.text(max_size=10))
def test_any_values(pairs: list[tuple[Any, Any]], name: str) -> None:
    """Whatever the values are, the drawing is well-formed and its numbers are finite."""
    runs = [f"a-{n}" for n in range(len(pairs))]
    axes = {
        name: {run: pair[0] for run, pair in zip(runs, pairs, strict=True)},
        f"{name}2": {run: pair[1] for run, pair in zip(runs, pairs, strict=True)},
    }
    svg = drawing.parallel(axes, runs)
    assert drawn(svg, "svg")
    assert all(map(math.isfinite, numbers(svg)))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats()), max_size=20))
def test_any_curve(points: list[tuple[int, float]]) -> None:
    """Whatever a curve's points are, the numbers are finite."""
    svg = drawing.curves("loss", "step", [drawing.Line("a-1", points)])
    assert all(map(math.isfinite, numbers(svg)))


def test_texts_are_escaped() -> None:
    """Names and values are never markup."""
    axes: dict[str, dict[str, Any]] = {
        HOSTILE: {HOSTILE: HOSTILE},
        "b": {HOSTILE: 1},
    }
    for svg in (
        drawing.parallel(axes, [HOSTILE]),
        drawing.curves(HOSTILE, "step", [drawing.Line(HOSTILE, [(0, 1), (1, 2)])]),
    ):
        assert "<script" not in svg
        assert drawn(svg, "svg")
