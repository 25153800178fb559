"""Evaluates a condition, with simpleeval, over values that can do nothing.

The library walks the tree; what it may meet was checked before by `core.condition_language`, and
values are numbers, texts, lists, `Keys` and `Versioned`: no attribute of an object is ever looked
up, and no operator takes what could grow without bounds.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from simpleeval import SimpleEval

from ..core.condition_language import Condition, arguments_of, path_of, split_alias
from ..core.exceptions import InvalidInput
from ..core.values import quote

#: Digits after the point to which a number may be rounded, and most items of a list in a reason.
_DIGITS = 15
_ITEMS = 20
_NAMES = 12
CHAMPION = "champion"


@dataclass(frozen=True, slots=True)
class Versioned:
    """A version of a registered model, or that there is none."""

    #: Such as ``late-flights@champion``.
    name: str
    #: None if there is no such version.
    version: int | None
    metrics: Mapping[str, Any]

    @property
    def missing(self) -> str:
        """What to do about there being none."""
        model, at, alias = self.name.partition("@")
        if not at:
            return f"There is no {self.name}. See: jupyter mlops models list"
        call = f'champion("{model}")' if alias == CHAMPION else f'model("{self.name}")'
        return (
            f"{model} has no {alias}. Set one with: jupyter mlops models alias {model} {alias} "
            f"VERSION; or begin the condition with: not {call} or"
        )


class Sources(Protocol):
    """Where a condition's values come from. All raise `MlopsError`."""

    def read(self, path: str) -> Any:
        """Return what a file of metrics or parameters says."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        ...

    def aliased(self, model: str, alias: str) -> Versioned:
        """Return the version that an alias points at."""
        ...

    def numbered(self, model: str, version: int) -> Versioned:
        """Return a version by its number."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """A table of metrics or parameters, and where it was found."""

    source: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition came to."""

    result: bool
    #: What was looked at, as it was written, and its value. Strict JSON: NaN is a text.
    values: dict[str, Any]
    #: Those of them that were NaN.
    nan: tuple[str, ...]


def evaluate(condition: Condition, sources: Sources) -> Answer:
    """Evaluate a condition. Raises `InvalidInput`, and what the sources raise."""
    return _Evaluation(condition, sources).answer()


class _Evaluation:
    """One evaluation, and the values that it met."""

    def __init__(self, condition: Condition, sources: Sources) -> None:
        self._condition = condition
        self._sources = sources
        self._values: dict[str, Any] = {}
        self._nan: list[str] = []
        self._readers: dict[str, Callable[[ast.Call], Any]] = {
            "metrics": self._read,
            "params": self._read,
            "exists": lambda call: sources.exists(path_of(call)),
            "champion": lambda call: sources.aliased(arguments_of(call)[0], CHAMPION),
            "model": lambda call: sources.aliased(*split_alias(arguments_of(call)[0])),
            "version": lambda call: sources.numbered(*arguments_of(call)),
        }
        self._engine = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names={})
        library = self._engine.nodes
        self._engine.nodes = {
            **{kind: library[kind] for kind in _LEFT_TO_LIBRARY},
            ast.Call: self._call,
            ast.Attribute: self._named,
            ast.Subscript: self._named,
            ast.BoolOp: self._logical,
            ast.List: self._listed,
            ast.Tuple: self._listed,
        }
        self._call_function = library[ast.Call]

    def answer(self) -> Answer:
        """Evaluate the whole."""
        try:
            result = _truth(self._value(self._condition.tree.body))
        except ZeroDivisionError:
            raise InvalidInput("condition: it divides by zero. Test the divisor first.") from None
        except (ArithmeticError, ValueError):  # ValueError: too many digits to be written
            raise InvalidInput("condition: a number is too large. Compare smaller ones.") from None
        return Answer(result, self._values, tuple(self._nan))

    def _value(self, node: ast.AST) -> Any:
        return self._engine.eval(self._condition.text, previously_parsed=node)

    def _logical(self, node: ast.BoolOp) -> Any:
        """Evaluate up to the value that decides, as Python does; NaN is false."""
        decisive = isinstance(node.op, ast.Or)
        value = None
        for each in node.values:
            value = self._value(each)
            if _truth(value) is decisive:
                break
        return value

    def _listed(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self._value(each) for each in node.elts]

    def _call(self, node: ast.Call) -> Any:
        return self._named(node) if _name(node) in self._readers else self._call_function(node)

    def _read(self, call: ast.Call) -> Any:
        return self._sources.read(path_of(call))

    # -- values with a name ------------------------------------------------------------------------

    def _named(self, node: ast.expr) -> Any:
        """Evaluate something that stands for a value found elsewhere, and note that value."""
        value = self._found(node)
        self._note(self._condition.source(node), value)
        return value

    def _found(self, node: ast.expr) -> Any:
        """Evaluate a call that reads, or a key of what it read."""
        match node:
            case ast.Call() if _name(node) in self._readers:
                found = self._readers[_name(node)](node)
                if isinstance(found, Versioned):
                    self._note(self._condition.source(node), found)
                    return found
                return _wrapped(path_of(node), found)
            case ast.Attribute():
                return self._key(self._found(node.value), node.attr)
            case ast.Subscript():
                return self._key(self._found(node.value), self._value(node.slice))
        return self._value(node)

    def _key(self, container: Any, key: Any) -> Any:
        """Return what a table, a model version or a list has under a key."""
        if isinstance(container, list):
            if type(key) is not int or not -len(container) <= key < len(container):
                raise InvalidInput(
                    f"condition: a list of {len(container)} has no {_shown(key)}. Count from 0."
                )
            return _wrapped(f"item {key}", container[key])
        if isinstance(container, Versioned):
            if container.version is None:
                raise InvalidInput(f"condition: {container.missing}")
            container = Keys(f"{container.name} (v{container.version})", container.metrics)
        if not isinstance(container, Keys):
            raise InvalidInput(
                f"condition: {_kind(container)} has no keys such as {_shown(key)}. Leave it out."
            )
        name = key if isinstance(key, str) else str(key)
        if name not in container.values:
            raise InvalidInput(f"condition: {_no_key(container, name)}")
        return _wrapped(f"{container.source}: {name}", container.values[name])

    def _note(self, name: str, value: Any) -> None:
        if isinstance(value, float) and math.isnan(value) and name not in self._nan:
            self._nan.append(name)
        self._values[name] = _recorded(value)


def _wrapped(source: str, value: Any) -> Any:
    return Keys(source, value) if isinstance(value, dict) else value


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _no_key(container: Keys, name: str) -> str:
    known = sorted(container.values)
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"{container.source} has no {quote(name)}. Did you mean {quote(close[0])}?"
    more = f" and {len(known) - _NAMES} more" if len(known) > _NAMES else ""
    listed = ", ".join(known[:_NAMES]) + more if known else "nothing"
    return f"{container.source} has no {quote(name)}. There is: {listed}."


def _recorded(value: Any) -> Any:
    """Return a value as it is written into a decision."""
    if isinstance(value, Versioned):
        return None if value.version is None else f"v{value.version}"
    if isinstance(value, Keys):
        return f"{len(value.values)} keys"
    if isinstance(value, list):
        plain = len(value) <= _ITEMS and not any(isinstance(each, list | dict) for each in value)
        return [_recorded(each) for each in value] if plain else f"{len(value)} items"
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
    return value


# -- operators and functions -----------------------------------------------------------------------


def _truth(value: Any) -> bool:
    if isinstance(value, Versioned):
        return value.version is not None
    if isinstance(value, Keys):
        return bool(value.values)
    return bool(value) and not _is_nan(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _kind(value: Any) -> str:
    if isinstance(value, Keys):
        return f"the table {value.source}"
    if isinstance(value, Versioned):
        return f"the model version {value.name}"
    kinds = {bool: "a truth value", str: f"the text {_shown(value)}", list: "a list"}
    return "nothing (null)" if value is None else kinds.get(type(value), "a number")


def _shown(value: Any) -> str:
    return quote(value) if isinstance(value, str) else str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float):
        return value
    raise InvalidInput(f"condition: a number is needed, but there is {_kind(value)}.{_way(value)}")


def _way(value: Any) -> str:
    """Say what to write in place of something that holds the value."""
    if isinstance(value, Keys):
        names = ", ".join(sorted(value.values)[:_NAMES])
        return f" Name one of its keys: {names}."
    if isinstance(value, Versioned):
        return f" {value.missing}" if value.version is None else " Name one of its metrics."
    return ""


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: compute(_number(a), _number(b))


def _power(a: float, b: float) -> float:
    """Compute with floats, which do not grow."""
    found = float(a) ** float(b)
    if isinstance(found, float):
        return found
    raise InvalidInput("condition: a power of a negative number needs a whole exponent.")


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(a: Any, b: Any) -> bool:
        if isinstance(a, str) and isinstance(b, str):
            return compare(a, b)
        a, b = _number(a), _number(b)
        return not _is_nan(a) and not _is_nan(b) and compare(a, b)

    return ordered


def _equal(a: Any, b: Any) -> bool:
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Keys | Versioned) and other is not None:
            raise InvalidInput(f"condition: {_kind(one)} cannot be compared.{_way(one)}")
        if isinstance(one, Versioned):
            return one.version is None
    return not _is_nan(a) and not _is_nan(b) and bool(a == b)


def _unequal(a: Any, b: Any) -> bool:
    return not _is_nan(a) and not _is_nan(b) and not _equal(a, b)


def _contains(item: Any, container: Any) -> bool:
    if isinstance(container, str) and isinstance(item, str):
        return item in container
    if isinstance(container, Keys):
        return item in container.values
    if isinstance(container, Versioned) and container.version is not None:
        return item in container.metrics
    if isinstance(container, list):
        return any(_equal(item, each) for each in container)
    raise InvalidInput(f"condition: nothing is in {_kind(container)}.{_way(container)}")


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(*values: Any) -> Any:
        listed = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        numbers = [_number(each) for each in listed]
        if not numbers:
            raise InvalidInput(f"condition: {choose.__name__} of an empty list is undefined.")
        return next((each for each in numbers if _is_nan(each)), choose(numbers))

    return extreme


def _round(value: Any, digits: Any = 0) -> float | int:
    if type(digits) is not int or not 0 <= digits <= _DIGITS:
        raise InvalidInput(f"condition: round takes 0 to {_DIGITS} digits, as round(a, 3).")
    number = _number(value)
    return round(number, digits) if digits or not math.isfinite(number) else round(number)


def _length(value: Any) -> int:
    if isinstance(value, Keys):
        return len(value.values)
    if isinstance(value, str | list):
        return len(value)
    raise InvalidInput(f"condition: {_kind(value)} has no length.{_way(value)}")


_LEFT_TO_LIBRARY = (ast.UnaryOp, ast.BinOp, ast.Compare, ast.Constant)
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _arithmetic(operator.add),
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(operator.mul),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
    ast.Pow: _arithmetic(_power),
    ast.USub: lambda value: -_number(value),
    ast.UAdd: _number,
    ast.Not: lambda value: not _truth(value),
    ast.Eq: _equal,
    ast.NotEq: _unequal,
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: _contains,
    ast.NotIn: lambda item, container: not _contains(item, container),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(min),
    "max": _extreme(max),
    "abs": lambda value: abs(_number(value)),
    "round": _round,
    "len": _length,
}
