"""The order in which nodes are handed out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.walks import Walk

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_each_after_what_it_depends_on() -> None:
    """A node comes when all before it have ended."""
    walk = Walk(DIAMOND)
    assert walk.ready() == ["a"]
    assert walk.ready() == []
    walk.end("a")
    assert walk.ready() == ["b", "c"]
    walk.end("b")
    assert walk.ready() == []
    walk.end("c")
    assert walk.ready() == ["d"]


def test_drop() -> None:
    """What depends on a node is left out, the rest goes on."""
    walk = Walk({**DIAMOND, "e": ["c"], "f": []})
    assert walk.ready() == ["a", "f"]
    walk.end("a")
    assert walk.ready() == ["b", "c"]
    assert walk.drop("b") == ["d"]
    walk.end("c")
    assert walk.ready() == ["e"]
    assert walk.drop_all() == []


def test_drop_all() -> None:
    """Nothing more comes."""
    walk = Walk(DIAMOND)
    walk.ready()
    assert walk.drop_all() == ["b", "c", "d"]
    walk.end("a")
    assert walk.ready() == []


def test_a_circle() -> None:
    """There is nothing to begin with."""
    with pytest.raises(ValueError, match="circle"):
        Walk({"a": ["b"], "b": ["a"]})


@given(st.lists(st.sets(st.integers(0, 20)), max_size=20), st.randoms())
def test_all_come_once(before: list[set[int]], random: st.DrawFn) -> None:
    """Each node comes exactly once, after what it depends on, in whatever order others end."""
    graph = {str(i): [str(j) for j in each if j < i] for i, each in enumerate(before)}
    walk = Walk(graph)
    running = walk.ready()
    ended: list[str] = []
    while running:
        node = running.pop(random.randrange(len(running)))  # type: ignore[attr-defined]
        assert set(graph[node]) <= set(ended)
        ended.append(node)
        walk.end(node)
        running += walk.ready()
    assert sorted(ended) == sorted(graph)
