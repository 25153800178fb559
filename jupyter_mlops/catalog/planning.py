"""What is to be computed, in which order, in which slices of time, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core.features import Computation, Definition, FeatureFailed, Why, Window
from .periods import ALL, name_of, pieces, widened
from .reading import Catalog

ALWAYS = Window()

#: What is said of each reason.
SAID = {
    Why.NEW: "it was never computed",
    Why.CODE: "its code was changed",
    Why.SOURCES: "its sources have other content",
    Why.WINDOW: "a window of time was asked for",
    Why.MISSING: "values of it are missing",
    Why.FORCED: "it was asked for",
    Why.FRESH: "nothing has changed",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """A span of time that is computed at once."""

    name: str
    #: Values of these times are kept.
    kept: Window = ALWAYS
    #: Rows of these times are read for it.
    read: Window = ALWAYS


@dataclass(frozen=True, slots=True)
class Task:
    """A feature that is to be computed."""

    definition: Definition
    version: str
    why: Why
    slices: tuple[Slice, ...]
    #: What its sources were like, by their names, and the versions of stored features it is from.
    sources: Mapping[str, str]
    #: The version whose other partitions are taken over.
    base: Computation | None = None
    complete: bool = True


def batches(catalog: Catalog, names: Iterable[str]) -> list[list[Definition]]:
    """Return stored features by groups, those first whose values others are made from.

    Features on demand stand for the stored ones that they need. Raises `NotFound`, `InvalidInput`.
    """
    levels: dict[str, int] = {}

    def visit(definition: Definition) -> int:
        known = levels.get(definition.full_name)
        if known is not None:
            return known
        needed = [catalog.find(each) for each in definition.upstream]
        if not definition.on_demand:
            needed = [each for each in needed if each.group != definition.group]
        below = [visit(each) for each in needed]
        levels[definition.full_name] = level = 1 + max(below, default=-1)
        return level

    for each in catalog.checked(names):
        visit(each)
    found: dict[tuple[int, str], list[Definition]] = {}
    for name, level in levels.items():
        definition = catalog.definitions[name]
        if not definition.on_demand:
            found.setdefault((level, definition.group), []).append(definition)
    return [sorted(found[key], key=lambda each: (each.line, each.name)) for key in sorted(found)]


def decide(
    definition: Definition,
    latest: Computation | None,
    sources: Mapping[str, str],
    *,
    whole: bool,
    window: Window = ALWAYS,
    force: bool = False,
) -> Why:
    """Return why a feature is computed; ``whole`` tells whether the files of ``latest`` are there.

    Raises `FeatureFailed` if a window is asked for and the code was changed, since values of both
    would stand side by side.
    """
    windowed = window != ALWAYS and definition.timestamp is not None
    if latest is None:
        return Why.NEW
    if latest.code_hash != definition.code_hash:
        if windowed:
            raise FeatureFailed(
                f"{definition.full_name}: its code was changed since it was computed, so that a "
                "window would stand beside values of other code. Compute all of it, without "
                "since and until."
            )
        return Why.CODE
    return Why.FORCED if force else _outdated(latest, sources, whole=whole, windowed=windowed)


def _outdated(
    latest: Computation, sources: Mapping[str, str], *, whole: bool, windowed: bool
) -> Why:
    """Return why a feature is computed whose code is what it was."""
    same = dict(latest.sources) == dict(sources)
    if same and whole and latest.complete:
        return Why.FRESH
    if windowed:
        return Why.WINDOW
    return Why.MISSING if same else Why.SOURCES


def version_of(
    definition: Definition,
    sources: Mapping[str, str],
    why: Why,
    window: Window,
    latest: Computation | None,
) -> str:
    """Return the name of a version: equal for equal code and inputs.

    What is computed once more, or into a version that is there, is named after that one, too.
    """
    facts = [definition.code_hash, *(f"{name}={sources[name]}" for name in sorted(sources))]
    if window != ALWAYS:
        facts.append(f"window={window.since} {window.until}")
    if latest is not None and (why is Why.FORCED or window != ALWAYS):
        facts.append(f"after={latest.version}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


def slices(
    definition: Definition,
    window: Window,
    span: tuple[datetime, datetime] | None,
) -> tuple[Slice, ...]:
    """Return the slices of a feature: one, or one each period if ``span`` tells what there is.

    The first begins with the first value and the last one ends with the last, unless the window
    says otherwise.
    """
    if definition.timestamp is None:
        return (Slice(ALL),)
    window = widened(window, definition.partition)
    cut = []
    if span is not None:
        reach = Window(since=window.since or span[0], until=window.until or span[1] + _TICK)
        cut = list(pieces(reach, definition.partition))
    if not cut:
        return (Slice(ALL, window, _read(definition, window)),)
    made = []
    for number, (start, end) in enumerate(cut):
        kept = Window(
            since=window.since if number == 0 else start,
            until=window.until if number == len(cut) - 1 else end,
        )
        name = name_of(start, definition.partition)
        made.append(Slice(name, kept, _read(definition, kept)))
    return tuple(made)


_TICK = timedelta(microseconds=1)


def _read(definition: Definition, kept: Window) -> Window:
    """Return the times of the rows that values of some times are made from."""
    if definition.lookback is None or kept.since is None:
        return Window(until=kept.until)
    return Window(since=kept.since - definition.lookback, until=kept.until)


def shared(tasks: Sequence[Task]) -> list[list[Task]]:
    """Return tasks by what they read, so that it is read once."""
    found: dict[tuple[Slice, ...], list[Task]] = {}
    for each in tasks:
        found.setdefault(each.slices, []).append(each)
    return list(found.values())
