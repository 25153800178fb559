"""What a search of runs asks for, such as ``metrics.auc > 0.9 and params.depth = 3``.

Fields are the facts of `FACTS`, ``params.NAME``, ``metrics.NAME`` and ``tags.NAME``. A comparison
with a value that a run lacks is never true; ``= null`` asks for what is missing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

from .ages import parse_age
from .exceptions import InvalidInput
from .query_words import Kind, Word, bad_query, words
from .runs import Environment, Reason, Status, SweepKind
from .values import looks_secret

#: Most comparisons of one condition, how deep it may be nested, and keys of one order.
MAX_COMPARISONS = 50
MAX_DEPTH = 20
MAX_KEYS = 10

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "like"]
Literal_ = bool | int | float | str | datetime | None


class FactType(StrEnum):
    """What the values of a fact are."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


#: What a run can be asked for beside its parameters and metrics.
FACTS: dict[str, FactType] = {
    "id": FactType.TEXT,
    "sweep": FactType.TEXT,
    "kind": FactType.TEXT,
    "index": FactType.NUMBER,
    "notebook": FactType.TEXT,
    "experiment": FactType.TEXT,
    "stage": FactType.TEXT,
    "status": FactType.TEXT,
    "reason": FactType.TEXT,
    "error": FactType.TEXT,
    "environment": FactType.TEXT,
    "attempts": FactType.NUMBER,
    "duration": FactType.NUMBER,
    "created": FactType.TIME,
    "started": FactType.TIME,
    "finished": FactType.TIME,
}
#: Facts that have one of a few words.
_CHOICES: dict[str, type[StrEnum]] = {
    "status": Status,
    "reason": Reason,
    "kind": SweepKind,
    "environment": Environment,
}
Group = Literal["fact", "params", "metrics", "tags"]
_GROUPS: dict[str, Group] = {
    "params": "params",
    "parameters": "params",
    "metrics": "metrics",
    "tags": "tags",
}
_NAMED: dict[str, Literal_] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "nan": float("nan"),
    "inf": float("inf"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared or sorted by: a fact, or a parameter, metric or tag by its name."""

    group: Group
    name: str

    @property
    def type(self) -> FactType | None:
        """What its values are; None if each run may have another."""
        return FACTS[self.name] if self.group == "fact" else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value, or with another field's number."""

    field: Field
    operator: Operator
    value: Literal_ | Field


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """All of several."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of several."""

    parts: tuple[Condition, ...]


Condition = Comparison | Not | Every | Some


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by. What a run lacks comes last, and NaN before that, in both directions."""

    field: Field
    descending: bool


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises `InvalidInput`, with the place of what is wrong."""
    return _Parser("where", text).condition()


def parse_order(text: str) -> tuple[SortKey, ...]:
    """Read what to sort by: fields with commas between them, with ``-`` the highest first.

    Raises `InvalidInput`, with the place of what is wrong.
    """
    return _Parser("sort", text).order()


def fields_of(condition: Condition | None, order: Iterable[SortKey] = ()) -> list[Field]:
    """Return the fields that a condition and an order name, in the order in which they do."""
    found: dict[Field, None] = {}
    pending = [condition] if condition is not None else []
    while pending:
        match pending.pop(0):
            case Comparison(field, _, value):
                found[field] = None
                if isinstance(value, Field):
                    found[value] = None
            case Not(part):
                pending.insert(0, part)
            case Every(parts) | Some(parts):
                pending[:0] = parts
    return list(found | {key.field: None for key in order})


class _Parser:
    """Reads words from left to right."""

    def __init__(self, option: str, text: str) -> None:
        self._option = option
        self._words = words(option, text)
        self._at = 0
        self._comparisons = 0

    # -- the two ways in ---------------------------------------------------------------------------

    def condition(self) -> Condition:
        if self._ends():
            raise self._wrong("it is empty. Write one like metrics.auc > 0.9")
        found = self._some(0)
        if not self._ends():
            raise self._wrong("expected and, or, or the end")
        return found

    def order(self) -> tuple[SortKey, ...]:
        keys: list[SortKey] = []
        while not keys or self._takes(","):
            descending = self._takes("-")
            keys.append(SortKey(self._field(), descending))
        if not self._ends():
            raise self._wrong("expected a comma, or the end")
        if len(keys) > MAX_KEYS:
            raise InvalidInput(f"sort: at most {MAX_KEYS} fields are sorted by.", field="sort")
        return tuple(keys)

    # -- conditions, from the loosest to the closest -----------------------------------------------

    def _some(self, depth: int) -> Condition:
        parts = [self._every(depth)]
        while self._takes("or"):
            parts.append(self._every(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _every(self, depth: int) -> Condition:
        parts = [self._not(depth)]
        while self._takes("and"):
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _not(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._wrong(f"it is nested deeper than {MAX_DEPTH} levels")
        if self._takes("not"):
            return Not(self._not(depth + 1))
        if self._takes("("):
            found = self._some(depth + 1)
            self._expect(")")
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self._wrong(f"it has more than {MAX_COMPARISONS} comparisons")
        field = self._field()
        negated = self._takes("not")
        if self._takes("in"):
            return _unless(negated, self._among(field))
        if self._takes("like"):
            pattern = self._value(field, pattern=True)
            if not isinstance(pattern, str):
                raise self._wrong('like compares text, as in notebook like "%train%"', back=1)
            return _unless(negated, Comparison(field, "like", pattern))
        if negated:
            raise self._wrong("not is followed by in or like here")
        return self._compared(field)

    def _compared(self, field: Field) -> Condition:
        operator = self._operator()
        value = self._value(field)
        if value is None and operator not in ("=", "!="):
            raise self._wrong("null is compared with = or != only", back=1)
        if isinstance(value, bool) and operator not in ("=", "!="):
            raise self._wrong("true and false are compared with = or != only", back=1)
        if self._next.kind is Kind.OPERATOR:
            raise self._wrong("a comparison has two sides. Join two of them with and")
        return Comparison(field, operator, value)

    def _operator(self) -> Operator:
        word = self._next
        if word.kind is not Kind.OPERATOR:
            raise self._wrong("expected a comparison such as = or >")
        self._at += 1
        return "=" if word.text == "==" else word.text  # type: ignore[return-value]

    def _among(self, field: Field) -> Condition:
        closing = "]" if self._takes("[") else ")"
        if closing == ")":
            self._expect("(")
        parts = [Comparison(field, "=", self._value(field))]
        while self._takes(","):
            parts.append(Comparison(field, "=", self._value(field)))
        self._expect(closing)
        return Some(tuple(parts))

    # -- fields and values -------------------------------------------------------------------------

    def _field(self) -> Field:
        word = self._next
        if word.kind is not Kind.NAME:
            raise self._wrong("expected a field such as metrics.auc, params.depth or status")
        found = self._named(word)
        if found is None:
            raise self._unknown(word)
        self._at += 1
        return found

    def _named(self, word: Word) -> Field | None:
        if word.key is None:
            return Field("fact", word.text) if word.text in FACTS else None
        group = _GROUPS.get(word.text)
        if group is None:
            return None
        if group in ("params", "tags") and looks_secret(word.key):
            raise self._wrong(f"{word.key} looks like a secret, whose values are not searched")
        return Field(group, word.key)

    def _unknown(self, word: Word) -> InvalidInput:
        if word.key is not None:
            unknown = f"there is no {word.text}.{word.key}"
            return self._wrong(f"{unknown}. Write params., metrics. or tags.")
        close = difflib.get_close_matches(word.text, [*FACTS, *_GROUPS], n=1)
        if close or word.text in _GROUPS:
            meant = close[0] if close and word.text not in _GROUPS else word.text
            meant += ".NAME" if meant in _GROUPS else ""
            return self._wrong(f"there is no field {word.text}. Did you mean {meant}?")
        known = f"There are params.NAME, metrics.NAME, tags.NAME, {', '.join(FACTS)}"
        return self._wrong(f"there is no field {word.text}. {known}")

    def _value(self, field: Field, *, pattern: bool = False) -> Literal_ | Field:
        negative = self._takes("-")
        word = self._next
        value: Literal_ | Field
        match word.kind:
            case Kind.NUMBER:
                value = word.number
            case Kind.TEXT:
                value = word.text
            case Kind.NAME:
                value = self._word(word)
            case _:
                raise self._wrong("expected a value: a number, text in quotes, true, false or null")
        if negative and (isinstance(value, (bool, str, Field)) or value is None):
            raise self._wrong("only a number can be negative")
        if negative:
            value = -value  # type: ignore[operator]
        self._at += 1
        if isinstance(value, Field) and field.type not in (None, FactType.NUMBER):
            raise self._wrong(f"{field.name} is not compared with other fields", back=1)
        if value is None or isinstance(value, Field):
            return value
        return self._fitting(field, value, pattern=pattern)

    def _word(self, word: Word) -> Literal_ | Field:
        """Return what a word without quotes means as a value: a constant, a field, or itself."""
        if word.key is None:
            return _NAMED.get(word.text.lower(), word.written)
        return self._named(word) or word.written

    def _fitting(self, field: Field, value: Literal_, *, pattern: bool) -> Literal_:
        """Return a value as its field has it. Raises `InvalidInput` for one that can never be."""
        kind = field.type
        if kind is FactType.TIME:
            return self._time(value)
        if kind is FactType.NUMBER and (isinstance(value, (bool, str))):
            raise self._wrong(f"{field.name} is a number", back=1)
        if kind is FactType.TEXT and not isinstance(value, str):
            # An id may consist of digits alone.
            return self._words[self._at - 1].written
        choices = None if pattern or kind is None else _CHOICES.get(field.name)
        if choices is not None and value not in list(choices):
            raise self._wrong(f"{field.name} is one of {', '.join(choices)}", back=1)
        return value

    def _time(self, value: Literal_) -> datetime:
        """Return a moment: an ISO date or time, in UTC unless it says otherwise, or an age."""
        if isinstance(value, str):
            try:
                if value.endswith(" ago"):
                    return datetime.now(UTC) - timedelta(seconds=parse_age(value[:-4]))
                moment = datetime.fromisoformat(value)
                return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            except (InvalidInput, ValueError, OverflowError):
                pass
        raise self._wrong('a time is written "2026-01-31", "2026-01-31T12:00" or "2d ago"', back=1)

    # -- words -------------------------------------------------------------------------------------

    @property
    def _next(self) -> Word:
        return self._words[self._at]

    def _ends(self) -> bool:
        return self._next.kind is Kind.END

    def _takes(self, text: str) -> bool:
        word = self._next
        # What is in quotes is never a word of the language.
        found = word.kind in (Kind.NAME, Kind.MARK) and word.key is None
        if found and word.text.lower() == text:
            self._at += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            raise self._wrong(f"expected {mark}")

    def _wrong(self, what: str, *, back: int = 0) -> InvalidInput:
        return bad_query(self._option, self._words, self._at - back, what)


def _unless(negated: bool, condition: Condition) -> Condition:
    return Not(condition) if negated else condition
