"""Curves and parallel coordinates as SVG, in the colours of the page that shows them.

Every text is escaped; there is no script, no link and no style sheet.
"""

from __future__ import annotations

import html
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core import formats
from ..core.values import Value, encode, identity

#: Legible on white and on black; dashes tell lines apart for those who see few colours.
COLOURS = ("#3b82c4", "#e07b00", "#2f9e5f", "#d1495b", "#8e6bbf", "#8a7560", "#c2569c", "#5f9ea0")
_DASHES = ("", "7 3", "2 3", "7 3 2 3")
#: From this ratio on, an axis of positive numbers is logarithmic.
_LOG_RATIO = 50
_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 26, 34
#: Columns of the drawing that an axis needs, and entries of a legend.
_PER_AXIS = 120
MAX_LEGEND = 8
_LABEL = 14

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A run's curve."""

    label: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values stand on an axis, from 0 to 1, and what is written beside it."""

    places: Mapping[Hashable, float]
    ticks: Sequence[tuple[float, str]]

    def place(self, value: Value) -> float | None:
        """Return where a value stands; None for one that cannot be drawn."""
        return self.places.get(identity(value))


def curves(title: str, x: str, lines: Sequence[Line]) -> str:
    """Draw curves over one another; the first ones have colours and stand in the legend."""
    points = [each for line in lines for each in _finite(line.points)]
    if not points:
        return ""
    xs, ys = _span(point[0] for point in points), _span(point[1] for point in points)
    height = _HEIGHT + _LABEL * min(len(lines), MAX_LEGEND + 1)

    def at(point: Point) -> Point:
        return (
            _LEFT + _share(point[0], xs) * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - _share(point[1], ys) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [_text(_LEFT, 14, title, weight="bold")]
    parts += _frame(xs, ys, x)
    # The first one is drawn last, on top.
    for number, line in reversed(list(enumerate(lines))):
        drawn = [at(point) for point in _finite(line.points)]
        parts.append(_path(drawn, number, line.label))
    parts += _legend([line.label for line in lines])
    return _svg(f"{title} of {formats.counted(len(lines), 'run')} by {x}", _WIDTH, height, parts)


def parallel(axes: Mapping[str, Mapping[str, Value]], runs: Sequence[str]) -> str:
    """Draw an axis for each name and a line for each run, from its values by the run's id.

    A line has a gap where its run lacks a value.
    """
    if not axes or not runs:
        return ""
    width = _LEFT + _RIGHT + _PER_AXIS * max(1, len(axes) - 1) + _LEFT
    height = _HEIGHT + _LABEL * min(len(runs), MAX_LEGEND + 1)
    bottom, inner = _HEIGHT - _BOTTOM, _HEIGHT - _TOP - 2 * _LABEL - _BOTTOM
    scales = {name: scale_of(values.values()) for name, values in axes.items()}
    parts = []
    for number, (name, scale) in enumerate(scales.items()):
        x = _LEFT + number * _PER_AXIS
        parts.append(_text(x, 14, _short(name, 16), anchor="middle", weight="bold"))
        parts.append(_rule(x, bottom, x, bottom - inner))
        parts += [
            _text(x - 6, bottom - share * inner + 4, text, anchor="end")
            for share, text in scale.ticks
        ]
    for at, run in reversed(list(enumerate(runs))):
        for piece in _pieces(axes, scales, run):
            drawn = [(_LEFT + x * _PER_AXIS, bottom - share * inner) for x, share in piece]
            parts.append(_path(drawn, at, run))
    parts += _legend(runs)
    names = ", ".join(axes)
    label = f"{formats.counted(len(runs), 'run')} as lines through {names}"
    return _svg(label, width, height, parts)


def scale_of(values: Iterable[Value]) -> Scale:
    """Return the scale of an axis: numbers in their distance, if all are; else as they come."""
    known = {identity(value): value for value in values if value is not None}
    numbers = {key: _number(value) for key, value in known.items()}
    if None in numbers.values():
        return _named({key: formats.value(encode(value)) for key, value in known.items()})
    finite = {
        key: each for key, each in numbers.items() if each is not None and math.isfinite(each)
    }
    if not finite:
        return Scale({}, [])
    low, high = _span(finite.values())
    is_log = low > 0 and high / low >= _LOG_RATIO
    span = (math.log(low), math.log(high)) if is_log else (low, high)
    middle = math.exp(sum(span) / 2) if is_log else low / 2 + high / 2
    places = {key: _share(math.log(each) if is_log else each, span) for key, each in finite.items()}
    ticks = [(0.0, low), (0.5, middle), (1.0, high)] if low != high else [(0.5, low)]
    return Scale(places, [(share, formats.number(each)) for share, each in ticks])


def _named(texts: Mapping[Hashable, str]) -> Scale:
    last = max(1, len(texts) - 1)
    places = {key: at / last if len(texts) > 1 else 0.5 for at, key in enumerate(texts)}
    ticks = [(places[key], _short(text, 9)) for key, text in texts.items()]
    return Scale(places, ticks[:: max(1, len(ticks) // 8)])


def _pieces(
    axes: Mapping[str, Mapping[str, Value]], scales: Mapping[str, Scale], run: str
) -> list[list[Point]]:
    """Return the parts of a run's line, each as numbers of axes and places on them."""
    pieces: list[list[Point]] = [[]]
    for number, name in enumerate(axes):
        place = scales[name].place(axes[name].get(run))
        if place is not None:
            pieces[-1].append((number, place))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _number(value: Value) -> float | None:
    """Return a number, which may be infinite or NaN; None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _finite(points: Iterable[Point]) -> list[Point]:
    return [(x, y) for x, y in points if math.isfinite(y)]


def _span(numbers: Iterable[float]) -> tuple[float, float]:
    found = list(numbers)
    return min(found), max(found)


def _share(value: float, span: tuple[float, float]) -> float:
    low, high = span
    # Halves first: the difference of two large numbers may be infinite.
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5


def _frame(xs: tuple[float, float], ys: tuple[float, float], x: str) -> list[str]:
    """Draw both axes with their ends and middles."""
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [_rule(_LEFT, bottom, right, bottom), _rule(_LEFT, bottom, _LEFT, _TOP)]
    for share in (0.0, 0.5, 1.0):
        value = ys[0] * (1 - share) + ys[1] * share
        y = bottom - share * (bottom - _TOP)
        parts.append(_rule(_LEFT, y, right, y, faint=True))
        parts.append(_text(_LEFT - 6, y + 4, formats.number(value), anchor="end"))
    for share in (0.0, 1.0):
        value = xs[0] * (1 - share) + xs[1] * share
        anchor = "start" if share == 0 else "end"
        at = _LEFT + share * (right - _LEFT)
        parts.append(_text(at, bottom + 16, formats.number(value), anchor=anchor))
    return [*parts, _text((_LEFT + right) / 2, bottom + 16, x, anchor="middle")]


def _legend(labels: Sequence[str]) -> list[str]:
    parts = []
    for number, label in enumerate(labels[:MAX_LEGEND]):
        y = _HEIGHT + number * _LABEL
        parts.append(_path([(_LEFT, y), (_LEFT + 24, y)], number, label))
        parts.append(_text(_LEFT + 30, y + 4, _short(label, 80)))
    if len(labels) > MAX_LEGEND:
        more = f"and {len(labels) - MAX_LEGEND:,} more in grey"
        parts.append(_text(_LEFT + 30, _HEIGHT + MAX_LEGEND * _LABEL + 4, more))
    return parts


def _path(points: Sequence[Point], number: int, label: str) -> str:
    """Draw a line, or a dot where there is one point; its label shows under the pointer."""
    is_named = number < MAX_LEGEND
    colour = COLOURS[number % len(COLOURS)] if is_named else "currentColor"
    dashes = _DASHES[number % len(_DASHES)] if is_named else ""
    look = f'stroke="{colour}" stroke-width="{2 if is_named else 1}"'
    look += "" if is_named else ' stroke-opacity="0.25"'
    title = f"<title>{_escaped(label)}</title>"
    if len(points) == 1:
        ((x, y),) = points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}" {look}>{title}</circle>'
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{drawn}" fill="none" {look}{dashed}>{title}</polyline>'


def _rule(x1: float, y1: float, x2: float, y2: float, *, faint: bool = False) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{0.12 if faint else 0.4}"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="currentColor">{_escaped(text)}</text>'
    )


def _escaped(text: str) -> str:
    """Escape a text; what cannot be seen, and may not stand in SVG, is replaced."""
    return html.escape("".join(each if each.isprintable() else "\ufffd" for each in text))


def _svg(label: str, width: float, height: float, parts: Iterable[str]) -> str:
    text = _escaped(label)
    head = f'<svg role="img" aria-label="{text}" viewBox="0 0 {width:.0f} {height:.0f}"'
    size = f' width="{width:.0f}" style="max-width: 100%; font: 11px sans-serif; display: block">'
    return "\n".join([head + size, *parts, "</svg>"])
