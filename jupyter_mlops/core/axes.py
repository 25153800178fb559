"""Axes: the values to try for one parameter, counted without being written out."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Protocol

from .exceptions import SpaceTooLarge
from .values import Value, identity, literal, text

#: Mixed lists and rounded logs are written out to drop equal values, up to this many.
MAX_DISTINCT = 50_000

_DIGITS = 34
#: Neighbours in a log differ as floats if the logarithm of their ratio is above this.
_SURE_GROWTH = 1e-14


class Part(Protocol):
    """A piece of an axis: values that are made when they are asked for."""

    @property
    def count(self) -> int:
        """Number of values."""
        ...

    @property
    def is_distinct(self) -> bool:
        """Whether no value repeats, which is known without making them."""
        ...

    def at(self, index: int) -> Value:
        """Return the value at ``index``, counted from 0."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """Values that were written out."""

    values: tuple[Value, ...]

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def is_distinct(self) -> bool:
        """Whether it is certain that no value repeats."""
        return False

    def at(self, index: int) -> Value:
        """Return the value at ``index``."""
        return self.values[index]


@dataclass(frozen=True, slots=True)
class Range:
    """Evenly spaced numbers. Exact fractions keep 0.1 + 0.2 at 0.3."""

    start: Fraction
    step: Fraction
    count: int
    #: Whether the values are ints.
    whole: bool

    @property
    def is_distinct(self) -> bool:
        """Whether it is certain that no value repeats."""
        return True

    def at(self, index: int) -> Value:
        """Return the value at ``index``."""
        value = self.start + index * self.step
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Log:
    """Numbers in equal ratios from ``first`` to ``last``, both exact."""

    first: Fraction
    last: Fraction
    count: int
    #: Whether the values are rounded to ints.
    whole: bool

    @property
    def is_distinct(self) -> bool:
        """Whether it is certain that no value repeats."""
        with localcontext(prec=_DIGITS):
            growth = _decimal(self.last / self.first).ln() / (self.count - 1)
        return not self.whole and abs(growth) > _SURE_GROWTH

    def exact(self, index: int) -> Fraction:
        """Return the value at ``index`` before it becomes an int or a float."""
        if index == 0:
            return self.first
        if index == self.count - 1:
            return self.last
        with localcontext(prec=_DIGITS):
            growth = _decimal(self.last / self.first) ** (Decimal(index) / (self.count - 1))
            return Fraction(_decimal(self.first) * growth)

    def at(self, index: int) -> Value:
        """Return the value at ``index``."""
        value = self.exact(index)
        return round(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Axis:
    """The values to try for one parameter, in the order in which they were given."""

    name: str
    #: The values as they were written, in the language of parameter spaces.
    text: str
    parts: tuple[Part, ...]

    @property
    def count(self) -> int:
        """Number of values, known without making them."""
        return sum(part.count for part in self.parts)

    def at(self, index: int) -> Value:
        """Return the value at ``index``, counted from 0."""
        for part in self.parts:
            if index < part.count:
                return part.at(index)
            index -= part.count
        raise IndexError(index)

    def values(self) -> Iterator[Value]:
        """Make the values one by one."""
        for part in self.parts:
            index = 0
            while index < part.count:
                yield part.at(index)
                index += 1

    def distinct(self) -> Axis:
        """Return the axis without repeated values; the first of equal ones stays.

        Raise SpaceTooLarge for what would have to be written out and is too long for that.
        """
        if len(self.parts) == 1 and self.parts[0].is_distinct:
            return self
        written = sum(part.count for part in self.parts if not isinstance(part, Listed))
        if written > MAX_DISTINCT:
            raise SpaceTooLarge(
                f"{text(self.name)}: {amount(self.count)} values are too many. Use at most"
                f" {MAX_DISTINCT:,}.",
                field=self.name or None,
            )
        unique: dict[Hashable, Value] = {}
        for value in self.values():
            unique.setdefault(identity(value), value)
        return replace(self, parts=(Listed(tuple(unique.values())),))


def listed(name: str, values: Iterable[Value]) -> Axis:
    """Make an axis of values that are at hand."""
    kept = tuple(values)
    return Axis(name, ", ".join(map(literal, kept)), (Listed(kept),))


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / number.denominator


def amount(number: int) -> str:
    """Write a count of any size: ``1,000,000,000`` or ``10^400``."""
    if number.bit_length() < 200:
        return f"{number:,}"
    return f"about 10^{int(math.log10(number))}"
