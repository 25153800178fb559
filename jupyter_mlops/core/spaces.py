"""Parameter spaces: which points a sweep tries, counted before they are made."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from .axes import Axis, Log, Range, amount, listed
from .exceptions import BadSpace, SpaceTooLarge
from .language import parse_cell, undeclared
from .parameters import Parameter, ParameterKind, convert, from_python, refuse
from .search import dimensions, points_of
from .values import MASK, Value, decode, identity, literal, looks_secret, quote, text

#: Points that a sweep may have unless the project sets ``max_points``.
MAX_POINTS = 10_000

#: Values that are shown of each parameter where the points were listed one by one.
_SHOWN_VALUES = 10


class SpaceMode(StrEnum):
    """How axes become points."""

    GRID = "grid"  #: every combination
    ZIP = "zip"  #: first values together, second values together, and so on
    LIST = "list"  #: points that were given one by one
    RANDOM = "random"  #: combinations drawn at random, none twice
    SEARCH = "search"  #: points that a sampler chooses one after the other


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """The points that a sweep tries. Make one by its class methods."""

    mode: SpaceMode
    axes: tuple[Axis, ...]
    #: The points of a list.
    rows: tuple[dict[str, Value], ...]
    #: What the draw of a random space starts from.
    seed: int
    #: Number of points, known without making them.
    count: int

    @classmethod
    def grid(cls, axes: Iterable[Axis]) -> Space:
        """Combine every value with every other; the last axis changes fastest.

        Values that repeat within an axis count once. Without axes there is one point: the
        notebook's own defaults.
        """
        kept = tuple(axis.distinct() for axis in _checked(axes))
        count = math.prod(axis.count for axis in kept)
        return cls(mode=SpaceMode.GRID, axes=kept, rows=(), seed=0, count=count)

    @classmethod
    def zip(cls, axes: Iterable[Axis]) -> Space:
        """Go through all axes at the same time; an axis of one value repeats it."""
        kept = _checked(axes)
        longest = max((axis.count for axis in kept), default=1)
        for axis in kept:
            if axis.count not in (1, longest):
                other = next(each.name for each in kept if each.count == longest)
                raise refuse(
                    axis.name,
                    f"{amount(axis.count)} values cannot be zipped with the {amount(longest)}"
                    f" of {other}. Give as many, or one.",
                )
        return cls(mode=SpaceMode.ZIP, axes=kept, rows=(), seed=0, count=longest)

    @classmethod
    def listed(cls, points: Iterable[Mapping[str, Value]]) -> Space:
        """Take the points as they are given. A name that a point lacks keeps its default."""
        kept = tuple(dict(point) for point in points)
        if not kept:
            raise BadSpace("The list has no points. Give at least one.")
        return cls(mode=SpaceMode.LIST, axes=(), rows=kept, seed=0, count=len(kept))

    @classmethod
    def random(cls, axes: Iterable[Axis], n: int, seed: int = 0) -> Space:
        """Draw ``n`` different points of the grid, the same ones for the same seed.

        A grid of no more points than that is taken whole.
        """
        if n < 1:
            raise BadSpace("random: at least 1 point must be drawn.", field="random")
        grid = cls.grid(axes)
        return cls(
            mode=SpaceMode.RANDOM, axes=grid.axes, rows=(), seed=seed, count=min(n, grid.count)
        )

    @classmethod
    def search(cls, axes: Iterable[Axis], trials: int) -> Space:
        """Leave the choice of ``trials`` different points to a sampler.

        All of a space of no more points than that are tried. A log scale has no end of points.
        """
        kept = tuple(axis if _is_scale(axis) else axis.distinct() for axis in _checked(axes))
        points = points_of(dimensions(kept).values())
        return cls(
            mode=SpaceMode.SEARCH, axes=kept, rows=(), seed=0, count=int(min(trials, points))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that vary or are set, in the order in which they were given."""
        if self.mode is SpaceMode.LIST:
            return tuple(dict.fromkeys(name for point in self.rows for name in point))
        return tuple(axis.name for axis in self.axes)

    def points(self) -> Iterator[dict[str, Value]]:
        """Make the points one by one; those that a sampler will choose are still empty."""
        match self.mode:
            case SpaceMode.SEARCH:
                yield from ({} for _ in range(self.count))
            case SpaceMode.LIST:
                yield from (dict(point) for point in self.rows)
            case SpaceMode.ZIP:
                for index in range(self.count):
                    yield {a.name: a.at(index if a.count > 1 else 0) for a in self.axes}
            case SpaceMode.GRID:
                for index in range(self.count):
                    yield self._grid_point(index)
            case SpaceMode.RANDOM:
                total = math.prod(axis.count for axis in self.axes)
                for index in _draw(total, self.count, self.seed):
                    yield self._grid_point(index)

    def _grid_point(self, index: int) -> dict[str, Value]:
        chosen: list[Value] = []
        for axis in reversed(self.axes):
            index, position = divmod(index, axis.count)
            chosen.append(axis.at(position))
        return dict(zip(self.names, reversed(chosen), strict=True))

    def texts(self) -> dict[str, str]:
        """Return each parameter's values as text, for a record; secrets are masked."""
        if self.mode is SpaceMode.LIST:
            shown = {name: self._listed_text(name) for name in self.names}
        else:
            shown = {axis.name: axis.text for axis in self.axes}
        return {name: MASK if looks_secret(name) else shown[name] for name in shown}

    def _listed_text(self, name: str) -> str:
        values = [point[name] for point in self.rows if name in point]
        unique = list({identity(value): value for value in values}.values())
        more = ", …" if len(unique) > _SHOWN_VALUES else ""
        return ", ".join(map(literal, unique[:_SHOWN_VALUES])) + more


def check_size(space: Space, limit: int = MAX_POINTS) -> None:
    """Raise SpaceTooLarge if the space has more points than ``limit``."""
    if space.count > limit:
        raise SpaceTooLarge(
            f"{amount(space.count)} points are more than the limit of {amount(limit)}."
            " Give fewer values, draw some with --random N, or raise max_points in mlops.toml."
        )


def _checked(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    kept = tuple(axes)
    seen: set[str] = set()
    for axis in kept:
        if axis.name in seen:
            raise refuse(axis.name, "it is given twice. Put all its values in one list.")
        if axis.count == 0:
            raise refuse(axis.name, "the list has no values. Give at least one.")
        seen.add(axis.name)
    return kept


def _is_scale(axis: Axis) -> bool:
    return len(axis.parts) == 1 and isinstance(axis.parts[0], Log)


def _draw(total: int, count: int, seed: int) -> list[int]:
    """Draw ``count`` different numbers below ``total``, which may be huge (Floyd's algorithm)."""
    if count >= total:
        return list(range(total))
    generator = random.Random(seed)  # noqa: S311  # it must be repeatable, not secret
    chosen: dict[int, None] = {}
    for top in range(total - count, total):
        pick = generator.randrange(top + 1)
        chosen[top if pick in chosen else pick] = None
    drawn = list(chosen)
    generator.shuffle(drawn)
    return drawn


def axes_from_python(space: Mapping[str, object], declared: Iterable[Parameter] = ()) -> list[Axis]:
    """Read a space given in Python.

    A list, tuple, range or 1-d array is a list of values, all else is one value. Text is taken as
    it is, not read as the language of spaces. Declared parameters get their type. Raise BadSpace
    for what a notebook could not receive with its type.
    """
    known = {parameter.name: parameter for parameter in declared}
    return [_axis_from_python(name, known.get(name), value) for name, value in space.items()]


def space_from_python(
    space: Mapping[str, object] | Sequence[Mapping[str, object]],
    declared: Iterable[Parameter] = (),
) -> Space:
    """Make a grid of a dict, or a list of points of a list of dicts. See axes_from_python."""
    if isinstance(space, Mapping):
        return Space.grid(axes_from_python(space, declared))
    known = {parameter.name: parameter for parameter in declared}
    return Space.listed(_point(point, known, f"point {i}") for i, point in enumerate(space, 1))


def _axis_from_python(name: object, parameter: Parameter | None, value: object) -> Axis:
    if not isinstance(name, str):
        raise BadSpace(f"{text(str(name))} is not a parameter's name. Use text.")
    parameter = parameter or undeclared(name)
    if isinstance(value, range):
        spaced = _range_axis(name, parameter, value)
        if spaced is not None:
            return spaced
    to_list = getattr(value, "tolist", None)
    if callable(to_list) and getattr(value, "ndim", None) == 1:
        value = to_list()
    values = list(value) if isinstance(value, (list, tuple, range)) else [value]
    return listed(name, (convert(from_python(item, name), parameter) for item in values))


def _range_axis(name: str, parameter: Parameter, value: range) -> Axis | None:
    """Keep a Python range lazy, where its ints need no check one by one."""
    if parameter.kind not in (ParameterKind.INT, ParameterKind.ANY) or len(value) < 2:
        return None
    part = Range(Fraction(value[0]), Fraction(value.step), len(value), whole=True)
    return Axis(name, f"{value[0]}..{value[-1]}..{value.step}", (part,))


def _point(point: object, declared: Mapping[str, Parameter], place: str) -> dict[str, Value]:
    if not isinstance(point, Mapping):
        raise BadSpace(f"{place} is not an object of names and values.")
    made: dict[str, Value] = {}
    for name, value in point.items():
        if not isinstance(name, str):
            raise BadSpace(f"{place}: {text(str(name))} is not a parameter's name. Use text.")
        plain = from_python(value, name)
        made[name] = convert(plain, declared[name]) if name in declared else plain
    return made


def parse_points(
    source: str, suffix: str, declared: Iterable[Parameter] = ()
) -> list[dict[str, Value]]:
    """Read points from a file's text; ``suffix`` is .csv, .json, or .jsonl (also .ndjson).

    CSV has a row of names first; an empty cell keeps the notebook's default. JSON is a list of
    objects, JSON lines one object per line.
    """
    known = {parameter.name: parameter for parameter in declared}
    source = source.removeprefix("\ufeff")
    match suffix.lower():
        case ".csv":
            return _points_from_csv(source, known)
        case ".json":
            content = _load_json(source, "The file")
            if not isinstance(content, list):
                raise BadSpace('The file is not a JSON list of points, like [{"depth": 3}].')
            return [_point(point, known, f"point {i}") for i, point in enumerate(content, 1)]
        case ".jsonl" | ".ndjson":
            return [
                _point(_load_json(line, f"line {i}"), known, f"line {i}")
                for i, line in enumerate(source.split("\n"), 1)
                if line.strip()
            ]
    raise BadSpace(f"{quote(suffix)} files hold no points. Use .csv, .json or .jsonl.")


def _load_json(source: str, place: str) -> Value:
    try:
        return decode(json.loads(source))
    except (ValueError, RecursionError) as error:
        raise BadSpace(f"{place} is not valid JSON: {error}.") from None


def _points_from_csv(source: str, declared: Mapping[str, Parameter]) -> list[dict[str, Value]]:
    reader = csv.reader(io.StringIO(source, newline=""), strict=True)
    points: list[dict[str, Value]] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names):
            raise BadSpace("line 1: a name stands twice. Use each once.")
        points.extend(
            _point_from_row(names, row, declared, reader.line_num) for row in reader if row
        )
    except csv.Error as error:
        raise BadSpace(f"line {reader.line_num} is not valid CSV: {error}.") from None
    return points


def _point_from_row(
    names: Sequence[str], row: Sequence[str], declared: Mapping[str, Parameter], line: int
) -> dict[str, Value]:
    if len(row) != len(names):
        raise BadSpace(f"line {line} has {len(row)} values for {len(names)} names.")
    try:
        return {
            name: parse_cell(cell, declared.get(name), name=name)
            for name, cell in zip(names, row, strict=True)
            if cell.strip()
        }
    except BadSpace as error:
        raise BadSpace(f"line {line}: {error.message}", field=error.field) from None
