"""Adaptive search: what a sampler may choose from, what it chooses, and which runs are stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from jupyter_mlops.core import values
from jupyter_mlops.core.exceptions import BadSpace, SearchMissing
from jupyter_mlops.core.language import parse_axis
from jupyter_mlops.core.search import (
    Ladder,
    Pruning,
    PruningRule,
    Sampler,
    Search,
    dimensions,
    place,
    value_at,
)
from jupyter_mlops.core.spaces import Space
from jupyter_mlops.core.values import Value, identity
from jupyter_mlops.search import check_installed
from jupyter_mlops.search.optuna_searcher import OptunaSearcher

SPACE = {
    "depth": "1..10",
    "rate": "log(1e-4,1e-1,5)",
    "share": "0..1..0.1",
    "units": "log(1,1000,4)",
    "kind": "rf,gbm,null,[1,2]",
    "early": "true,false",
    "size": "7",
}


def a_space(trials: int = 30, **texts: str) -> Space:
    """Read a space for a sampler."""
    return Space.search((parse_axis(text, name=name) for name, text in texts.items()), trials)


def a_search(sampler: Sampler = Sampler.TPE, seed: int = 1, **texts: str) -> Search:
    """Make a search of a space."""
    space = a_space(**texts)
    return Search(sampler=sampler, seed=seed, trials=30, dimensions=dimensions(space.axes))


def searcher(
    search: Search | None, pruning: Pruning | None = None, *, up: bool = False
) -> OptunaSearcher:
    """Make a searcher that minimises, or maximises."""
    return OptunaSearcher(search, pruning, maximize=up)


def asha(steps: int | None = 1, factor: int = 3) -> Pruning:
    """Make a rule of pruning."""
    return Pruning(rule=PruningRule.ASHA, steps=steps, factor=factor)


def run(
    made: OptunaSearcher, goal: Callable[[dict[str, Value]], float], indexes: range
) -> list[dict[str, Value]]:
    """Ask and tell, one run after the other."""
    asked = []
    for index in indexes:
        asked.append(made.ask(index))
        made.tell(index, goal(asked[-1]))
    return asked


def parabola(point: dict[str, Value]) -> float:
    """Have a minimum at 700."""
    x = point["x"]
    assert isinstance(x, int)
    return (x - 700) ** 2 / 1000


# -- the space -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        ({"x": "1..1000000"}, 30),
        ({"x": "1,2,3", "y": "true,false"}, 6),
        ({"x": "1..3,3"}, 3),
        ({"x": "log(1,4,3)"}, 4),
        ({"x": "log(0.1,1,2)"}, 30),
        ({}, 1),
    ],
)
def test_a_small_space_ends_the_search(texts: dict[str, str], count: int) -> None:
    """There are as many runs as trials, but no more than points; a log scale has no end of them."""
    space = a_space(**texts)
    assert space.count == count
    assert list(space.points()) == [{}] * count
    assert space.texts() == texts


def test_too_many_values_in_no_order_are_refused() -> None:
    """A sampler learns nothing from thousands of unrelated values."""
    with pytest.raises(BadSpace, match=r"x: .* 1,000 values .* Write a range"):
        a_space(x="1..2000,5000")


def test_a_search_survives_the_store() -> None:
    """Exact bounds, types and choices come back from JSON as they were."""
    search = a_search(**SPACE)
    packed = json.dumps(values.encode(search.pack()), allow_nan=False)
    assert Search.unpack(values.decode(json.loads(packed))) == search
    pruning = asha(None)
    assert Pruning.unpack(json.loads(json.dumps(pruning.pack()))) == pruning


def test_values_have_places() -> None:
    """Each value of each kind of axis is found again by its place, and strangers have none."""
    for name, part in a_search(**SPACE).dimensions.items():
        for index in range(part.count):
            value = part.at(index)
            assert identity(value_at(part, place(part, value))) == identity(value), name
    part = a_search(x="1,true,1.0").dimensions["x"]
    assert [place(part, each) for each in (1, True, 1.0)] == [0, 1, 2]
    with pytest.raises(ValueError, match="2"):
        place(part, 2)


# -- asking and telling ----------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", list(Sampler))
def test_values_keep_their_types(sampler: Sampler) -> None:
    """Ranges give the very numbers of the range, a log scale any between its ends, lists theirs."""
    found = run(searcher(a_search(sampler, **SPACE)), lambda _: 0.0, range(1, 40))
    assert {identity(each["size"]) for each in found} == {identity(7)}
    assert {identity(each["kind"]) for each in found} == {
        identity(each) for each in ("rf", "gbm", None, [1, 2])
    }
    assert {each["early"] for each in found} == {True, False}
    shares = {each["share"] for each in found}
    assert shares <= {float(f"0.{i}") for i in range(10)} | {1.0}
    assert len(shares) > 5
    for each in found:
        assert isinstance(each["depth"], int)
        assert isinstance(each["units"], int)
        assert isinstance(each["rate"], float)
        assert 1 <= each["depth"] <= 10
        assert 1 <= each["units"] <= 1000
        assert 1e-4 <= each["rate"] <= 1e-1
    below = sum(1 for each in found if isinstance(each["units"], int) and each["units"] < 32)
    assert 10 <= below <= 30


def test_tpe_looks_closer_where_it_was_good() -> None:
    """After its first draws its points lie nearer to the best than random ones."""

    def distance(sampler: Sampler) -> float:
        found = run(searcher(a_search(sampler, x="1..1000")), parabola, range(1, 41))
        late = [abs(int(str(each["x"])) - 700) for each in found[20:]]
        return sum(late) / len(late)

    assert distance(Sampler.TPE) < distance(Sampler.RANDOM) / 2


def test_tpe_heeds_the_direction() -> None:
    """Maximising, it goes to the other end."""
    made = searcher(a_search(x="1..1000"), up=True)
    found = run(made, lambda point: float(str(point["x"])), range(1, 41))
    assert sum(int(str(each["x"])) for each in found[20:]) / 20 > 700


@pytest.mark.parametrize("sampler", list(Sampler))
def test_the_same_seed_gives_the_same_points(sampler: Sampler) -> None:
    """Given the same results; another seed gives others."""
    search = a_search(sampler, x="1..1000", y="log(1,10,2)")
    first = run(searcher(search), parabola, range(1, 16))
    assert run(searcher(search), parabola, range(1, 16)) == first
    other = a_search(sampler, seed=2, x="1..1000", y="log(1,10,2)")
    assert run(searcher(other), parabola, range(1, 16)) != first


@pytest.mark.parametrize("sampler", list(Sampler))
def test_another_searcher_goes_on_where_one_was_killed(sampler: Sampler) -> None:
    """Told what became of the earlier runs, it asks what the first one would have asked."""
    search = a_search(sampler, x="1..1000", y="log(1,10,2)", z="a,b")
    whole, part = searcher(search), searcher(search)
    asked = run(whole, parabola, range(1, 21))
    # Another one runs when the worker dies, one has failed.
    running, failed = whole.ask(21), whole.ask(22)
    whole.tell(22, None)
    for index, point in enumerate([*asked, running, failed], start=1):
        part.add(index, point)
    for index, point in enumerate(asked, start=1):
        part.tell(index, parabola(point))
    part.tell(22, None)
    assert part.ask(23) == whole.ask(23)
    whole.tell(21, 3.0)
    part.tell(21, 3.0)
    assert run(part, parabola, range(24, 30)) == run(whole, parabola, range(24, 30))


@pytest.mark.parametrize("sampler", list(Sampler))
def test_no_point_is_tried_twice(sampler: Sampler) -> None:
    """However keen the sampler is on a point, each run has its own, failed ones included."""
    made = searcher(a_search(sampler, x="1..3", y="true,false", z="log(1,4,2)"))
    found = []
    for index in range(1, 25):
        found.append(made.ask(index))
        best = found[-1] == found[0]
        made.tell(index, None if index % 5 == 0 else 0.0 if best else 1.0)
    assert len({identity(each) for each in found}) == 24


def test_a_point_that_was_not_begun_is_free_again() -> None:
    """A run that is asked for once more gets what is left, even in a space of one point."""
    made = searcher(a_search(x="5"))
    assert made.ask(1) == made.ask(1) == {"x": 5}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_a_value_that_is_no_number_stops_nothing(value: float | None) -> None:
    """The search goes on after failures and after metrics that ran away."""
    made = searcher(a_search(x="1..1000"))
    for index in range(1, 20):
        made.ask(index)
        made.tell(index, value if index % 2 else float(index))
    assert made.ask(20)


def test_what_is_unknown_is_ignored() -> None:
    """Late words about runs that have ended change nothing."""
    made = searcher(a_search(x="1..1000"), asha())
    made.ask(1)
    made.tell(1, 1.0)
    made.tell(1, 2.0)
    made.tell(9, 2.0)
    assert made.report(1, 1, 5.0) is None


def test_a_missing_optuna_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    check_installed()
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(SearchMissing, match=r'pip install "jupyter-mlops\[optuna\]"') as refused:
        check_installed()
    assert "\n" not in refused.value.message


# -- pruning ---------------------------------------------------------------------------------------


def test_rungs_are_where_they_were_asked_for() -> None:
    """At the first step and each time the factor further, but not where a run ends."""
    ladder = Ladder.of(asha(2, 4))
    assert ladder is not None
    assert [ladder.step(rung) for rung in range(4)] == [2, 8, 32, 128]
    bounded = Ladder.of(asha(2, 4), (1, 32))
    assert bounded is not None
    assert [bounded.step(rung) for rung in range(4)] == [2, 8, None, None]


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ((1, 100), [3, 9, 27, 81, None]),
        ((10, 500), [18, 54, 162, 486, None]),
        ((40, 200), [40, 120, None]),
        ((1, 5), [1, 3, None]),
        ((7, 7), [None]),
    ],
)
def test_rungs_follow_from_the_first_success(seen: tuple[int, int], steps: list[int]) -> None:
    """Unasked, runs are looked at from a twenty-seventh of their way, where they have a value."""
    assert Ladder.of(asha(None)) is None
    ladder = Ladder.of(asha(None), seen)
    assert ladder is not None
    assert [ladder.step(rung) for rung in range(len(steps))] == steps


def test_runs_that_lag_behind_are_stopped() -> None:
    """At each rung the best third goes on; who comes first goes on anyway."""
    made = searcher(None, asha(2), up=True)
    for index in range(1, 7):
        made.add(index, {"x": index})
    assert made.report(1, 1, 0.1) is None
    assert made.report(1, 2, 0.5) is None
    assert made.report(2, 2, 0.6) is None
    third = made.report(3, 3, 0.4)
    assert third is not None
    assert (third.step, third.value, third.rank, third.of) == (3, 0.4, 3, 3)
    assert made.report(4, 2, 0.7) is None
    fifth = made.report(5, 2, 0.65)
    assert fifth is not None
    assert (fifth.rank, fifth.of) == (2, 5)
    # Between the rungs nobody is compared, and a value counts once.
    assert made.report(1, 3, 0.0) is None
    assert made.report(1, 5, 0.0) is None
    assert made.report(4, 6, 0.9) is None
    behind = made.report(1, 7, 0.8)
    assert behind is not None
    assert (behind.rank, behind.of) == (2, 2)


def test_minimising_the_smallest_go_on() -> None:
    """The rank follows the direction, and NaN is the worst of all."""
    made = searcher(None, asha(1))
    for index in range(1, 5):
        made.add(index, {})
    assert made.report(1, 1, 0.5) is None
    assert made.report(2, 1, 0.4) is None
    behind, lost = made.report(3, 1, 0.6), made.report(4, 1, math.nan)
    assert behind is not None
    assert lost is not None
    assert (behind.rank, behind.of, lost.rank, lost.of) == (3, 3, 4, 4)


def test_runs_are_compared_once_one_has_shown_how_far_they_go() -> None:
    """Those under way by then count with what they have reported before."""
    made = searcher(None, asha(None), up=True)
    for index in (1, 2, 3):
        made.add(index, {})
    for step in range(28):
        assert made.report(1, step, 0.5) is None
        assert made.report(2, step // 2, 0.9) is None
    made.tell(1, 0.5)
    behind = made.report(3, 1, 0.4)
    assert behind is not None
    assert (behind.rank, behind.of) == (3, 3)
    assert made.report(2, 14, 0.9) is None


def test_a_single_value_at_the_end_prunes_nothing() -> None:
    """Where a metric is logged once there is nothing to stop early."""
    made = searcher(None, asha(None), up=True)
    for index in range(1, 10):
        made.add(index, {})
        assert made.report(index, 0, -index) is None
        made.tell(index, -index)


def test_the_sampler_learns_from_pruned_runs() -> None:
    """It hears their last value: what was stopped early is not tried again nearby."""
    made = searcher(a_search(x="1..1000"), asha(1))
    found = []
    for index in range(1, 41):
        point = made.ask(index)
        found.append(abs(int(str(point["x"])) - 700))
        standing = made.report(index, 1, parabola(point))
        made.tell(index, parabola(point) if standing is None else None, pruned=standing is not None)
    assert sum(found[25:]) / 15 < 120
