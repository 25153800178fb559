"""Parameter spaces: their sizes and their points."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.axes import MAX_DISTINCT, amount
from jupyter_mlops.core.exceptions import BadSpace, SpaceTooLarge
from jupyter_mlops.core.language import parse_axis, undeclared
from jupyter_mlops.core.parameters import ParameterKind
from jupyter_mlops.core.spaces import (
    Space,
    SpaceMode,
    axes_from_python,
    check_size,
)
from jupyter_mlops.core.values import (
    MASK,
    Value,
    identity,
)


def assert_same(found: Iterable[Value], expected: Iterable[Value]) -> None:
    """Compare with types, so that 1, 1.0 and True differ."""
    assert [identity(value) for value in found] == [identity(value) for value in expected]


def axis(name: str, source: str) -> Any:
    """Read an undeclared axis."""
    return parse_axis(source, name=name)


def test_large_spaces_are_counted_and_read_without_being_made() -> None:
    """10^9 values are counted at once, and the first ones are available."""
    started = time.perf_counter()
    big = axis("a", "1..1000000000")
    assert big.count == 10**9
    assert list(islice(big.values(), 3)) == [1, 2, 3]
    grid = Space.grid([big, axis("b", "0..1..0.000000001")])
    assert grid.count == 10**9 * (10**9 + 1)
    assert next(grid.points()) == {"a": 1, "b": 0.0}
    assert Space.zip([big]).count == 10**9
    rates = axis("c", "log(1e-4,1e-1,1000000000)")
    assert Space.random([rates], 3).count == 3
    assert Space.grid([rates]).count == 10**9
    assert time.perf_counter() - started < 1


def test_a_space_beyond_the_limit_is_refused_with_its_size() -> None:
    """The refusal tells the number, the limit and the ways out."""
    space = Space.grid([axis("a", "1..1000000000")])
    with pytest.raises(SpaceTooLarge) as caught:
        check_size(space)
    assert caught.value.message == (
        "1,000,000,000 points are more than the limit of 10,000. Give fewer values, draw some"
        " with --random N, or raise max_points in mlops.toml."
    )
    check_size(space, limit=10**9)
    check_size(Space.grid([axis("a", "1..10000")]))


def test_sizes_beyond_any_print_limit_are_refused_too() -> None:
    """Counts of thousands of digits are named by their magnitude."""
    axes = [axis(f"a{i}", "1..1e900") for i in range(6)]
    space = Space.grid(axes)
    with pytest.raises(SpaceTooLarge, match=r"about 10\^5400 points"):
        check_size(space)
    assert amount(10**12) == "1,000,000,000,000"


def test_a_list_with_long_ranges_is_refused_unless_zipped() -> None:
    """What would have to be written out in order to drop equal values has a limit."""
    mixed = axis("a", "1..1000000000,5")
    with pytest.raises(SpaceTooLarge, match=r"a: 1,000,000,001 values are too many"):
        Space.grid([mixed])
    assert Space.zip([mixed]).count == 10**9 + 1
    with pytest.raises(SpaceTooLarge, match=r"a: 50,002 values are too many"):
        axis("a", f"1..{MAX_DISTINCT + 1},1").distinct()


def test_logs_that_floats_cannot_tell_apart_count_once() -> None:
    """Neighbours closer than two floats are equal, and so are ints after rounding."""
    close = Space.grid([axis("a", "log(1.0,1.000000000000001,100)")])
    values = [point["a"] for point in close.points()]
    assert len(set(values)) == len(values) == close.count < 10
    rounded = parse_axis(
        "log(1,4,9)", replace(undeclared("a"), kind=ParameterKind.INT, annotation="int")
    )
    assert list(rounded.distinct().values()) == [1, 2, 3, 4]


def test_a_grid_combines_all_values_in_order() -> None:
    """The last axis changes fastest; without axes there is the one point of all defaults."""
    grid = Space.grid([axis("a", "1,2"), axis("b", "x,y,z")])
    expected = [{"a": a, "b": b} for a, b in product([1, 2], "xyz")]
    assert (grid.mode, grid.count, list(grid.points())) == (SpaceMode.GRID, 6, expected)
    assert grid.names == ("a", "b")
    assert list(Space.grid([]).points()) == [{}]


def test_equal_values_of_a_grid_count_once_and_types_differ() -> None:
    """1, 1.0, true and "1" are four values; NaN equals itself; the first one keeps its place."""
    grid = Space.grid([axis("a", '1,1.0,true,"1",1,nan,nan,-0.0,0.0,[1],[1.0],[1],1..2')])
    values = [point["a"] for point in grid.points()]
    assert_same(values, [1, 1.0, True, "1", math.nan, -0.0, 0.0, [1], [1.0], 2])
    assert grid.count == 10


def test_zip_goes_through_axes_together() -> None:
    """Repeated values stay, since their place matters, and a single value is repeated."""
    zipped = Space.zip([axis("a", "1,1,2"), axis("b", "x,y,z"), axis("c", "7")])
    assert list(zipped.points()) == [
        {"a": 1, "b": "x", "c": 7},
        {"a": 1, "b": "y", "c": 7},
        {"a": 2, "b": "z", "c": 7},
    ]
    with pytest.raises(BadSpace, match=r"^b: 2 values cannot be zipped with the 3 of a\."):
        Space.zip([axis("a", "1..3"), axis("b", "1,2")])


def test_names_given_twice_and_empty_lists_are_refused() -> None:
    """A space always has at least one point and one list per parameter."""
    for make in (Space.grid, Space.zip):
        with pytest.raises(BadSpace, match=r"^a: it is given twice"):
            make([axis("a", "1"), axis("a", "2")])
        with pytest.raises(BadSpace, match=r"^a: the list has no values"):
            make(axes_from_python({"a": []}))
    with pytest.raises(BadSpace, match="no points"):
        Space.listed([])
    with pytest.raises(BadSpace, match="at least 1 point"):
        Space.random([axis("a", "1,2")], 0)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 200), st.integers())
def test_random_points_are_distinct_points_of_the_grid(
    rows: int, columns: int, n: int, seed: int
) -> None:
    """A draw has n different points of the grid, or all of a small one, and can be repeated."""
    axes = [axis("a", f"1..{rows}"), axis("b", f"1..{columns}")]
    space = Space.random(axes, n, seed)
    points = [(point["a"], point["b"]) for point in space.points()]
    assert len(points) == len(set(points)) == space.count == min(n, rows * columns)
    assert set(points) <= set(product(range(1, rows + 1), range(1, columns + 1)))
    again = Space.random(axes, n, seed)
    assert list(again.points()) == list(space.points())


def test_random_points_of_a_huge_grid_are_spread_over_it() -> None:
    """A grid of 10^18 points is sampled by index, in no particular order."""
    axes = [axis("a", "1..1000000000"), axis("b", "1..1000000000")]
    points: list[dict[str, Any]] = list(Space.random(axes, 200, seed=1).points())
    assert len({(p["a"], p["b"]) for p in points}) == 200
    for name in ("a", "b"):
        assert len(Counter(p[name] for p in points)) > 190
        assert 4e8 < sum(p[name] for p in points) / 200 < 6e8
        assert [p[name] for p in points] != sorted(p[name] for p in points)
    assert points != list(Space.random(axes, 200, seed=2).points())


def test_points_can_be_made_again_and_are_independent() -> None:
    """Changing a point that was handed out changes no other."""
    space = Space.listed([{"a": 1}, {"a": 1, "b": 2}])
    for point in space.points():
        point["a"] = 9
    assert list(space.points()) == [{"a": 1}, {"a": 1, "b": 2}]
    assert (space.mode, space.count, space.names) == (SpaceMode.LIST, 2, ("a", "b"))


def test_texts_record_what_was_written_and_mask_secrets() -> None:
    """The record of a space is as its author wrote it, but for secrets."""
    space = Space.grid([axis("depth", " 3, 1..2 "), axis("api_key", "abc")])
    assert space.texts() == {"depth": "3, 1..2", "api_key": MASK}
    listed = Space.listed([{"a": i % 12, "b": "x,y"} for i in range(24)])
    assert listed.texts() == {"a": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …", "b": '"x,y"'}
