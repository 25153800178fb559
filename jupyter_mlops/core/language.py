"""The language of parameter spaces: ``3``, ``3,5,7``, ``0..1..0.1``, ``log(1e-4,1e-1,5)``.

A comma separates values. Text stands bare or in quotes; what begins with ``[`` or ``{`` is one
JSON value. The declared parameter decides what a bare word means: ``3`` is text where text is
wanted. ``NUMBER..NUMBER[..STEP]`` counts from the first number to the second, both included if a
step meets it; ``log(FIRST,LAST,COUNT)`` gives numbers in equal ratios, rounded for an int.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from .axes import Axis, Listed, Log, Part, Range
from .exceptions import InvalidInput
from .literals import Bare, Call, Item, Json, Quoted, Scanner
from .parameters import Parameter, ParameterKind, convert, mismatch, refuse
from .values import CONSTANTS, Value, literal, quote

#: A number may be written in this many characters.
MAX_NUMBER = 1_000
#: A ``log`` of up to so many values is looked through for whole numbers.
_LOOK_FOR_WHOLE = 10_000

_WHOLE = r"[+-]?[0-9]+(?:_[0-9]+)*"
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
_ENDPOINT = rf"{_WHOLE}(?:\.[0-9]+)?{_EXPONENT}"
_NUMBER = re.compile(rf"(?:{_WHOLE}(?:\.[0-9]*)?|[+-]?\.[0-9]+){_EXPONENT}")
_JSON_NUMBER = re.compile(rf"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+){_EXPONENT}")
_RANGE = re.compile(rf"({_ENDPOINT})\s*\.\.\s*({_ENDPOINT})(?:\s*\.\.\s*({_ENDPOINT}))?")
_RANGE_LIKE = re.compile(r"[+-]?[0-9][0-9_.eE+\s-]*\.\.[0-9_.eE+\s-]*")

_INT, _FLOAT, _STR, _BOOL, _CHOICE, _ANY = (
    ParameterKind.INT,
    ParameterKind.FLOAT,
    ParameterKind.STR,
    ParameterKind.BOOL,
    ParameterKind.CHOICE,
    ParameterKind.ANY,
)
_NULLS = frozenset(word for word, value in CONSTANTS.items() if value is None)


def split_assignment(source: str) -> tuple[str, str]:
    """Split ``NAME=SPACE`` into the name and the text of its space."""
    name, equals, text = source.partition("=")
    if not equals or not name.strip():
        raise InvalidInput(f"{quote(source)} is not of the form NAME=VALUES.")
    return name.strip(), text.strip()


def undeclared(name: str) -> Parameter:
    """Return the declaration that stands in for a missing one: it takes anything."""
    return Parameter(
        name=name,
        kind=ParameterKind.ANY,
        annotation=None,
        default=None,
        has_default=False,
        choices=None,
        optional=True,
        help=None,
    )


def parse_axis(text: str, parameter: Parameter | None = None, *, name: str = "") -> Axis:
    """Read the space of one parameter.

    ``parameter`` is its declaration; without one the values are typed by their look and the axis
    is called ``name``. Raise BadSpace, with the name as its field, for what cannot be read.
    """
    parameter = parameter or undeclared(name)
    scanner = Scanner(text, parameter.name, lenient=parameter.kind in (_STR, _CHOICE))
    parts: list[Part] = []
    listed: list[Value] = []
    for item in scanner.items():
        part = _part(item, parameter)
        if isinstance(part, Listed):
            listed.extend(part.values)
            continue
        if listed:
            parts.append(Listed(tuple(listed)))
            listed = []
        parts.append(part)
    if listed:
        parts.append(Listed(tuple(listed)))
    return Axis(parameter.name, text.strip(), tuple(parts))


def parse_cell(text: str, parameter: Parameter | None = None, *, name: str = "") -> Value:
    """Read one value from a cell of a table, where commas and quotes mean nothing special."""
    parameter = parameter or undeclared(name)
    source = text.strip()
    if source[:1] in ("[", "{") and parameter.kind not in (_STR, _CHOICE):
        (item,) = Scanner(source, parameter.name, lenient=False).items()
        part = _part(item, parameter)
        return part.at(0)
    return _scalar(text if parameter.kind is _STR else source, parameter)


def _part(item: Item, parameter: Parameter) -> Part:
    match item:
        case Quoted(value):
            return Listed((convert(value, parameter),))
        case Json(source, value):
            return Listed((source if parameter.kind is _STR else convert(value, parameter),))
        case Call(source, arguments):
            return _log(source, arguments, parameter)
        case Bare(source):
            return _bare(source, parameter)


def _bare(source: str, parameter: Parameter) -> Part:
    if parameter.choices is not None and source in parameter.choices:
        return Listed((source,))
    match = _RANGE.fullmatch(source)
    if match:
        return _range(source, match, parameter)
    if _RANGE_LIKE.fullmatch(source) and parameter.kind is not _STR:
        raise refuse(
            parameter.name, f"{quote(source)} is not a range. Write it like 1..10 or 0..1..0.1."
        )
    return Listed((_scalar(source, parameter),))


def _range(source: str, match: re.Match[str], parameter: Parameter) -> Part:
    _need_numbers(source, parameter)
    name = parameter.name
    start, end = _fraction(match[1], name), _fraction(match[2], name)
    if match[3] is None and not (start.denominator == end.denominator == 1):
        raise refuse(name, f"{quote(source)} needs a step, like 0..1..0.1.")
    down = end < start
    step = _fraction(match[3], name) if match[3] else Fraction(-1 if down else 1)
    if step == 0:
        raise refuse(name, f"the step of {quote(source)} is 0. Use another.")
    if start != end and (step < 0) != down:
        sign = "negative" if down else "positive"
        raise refuse(name, f"{quote(source)} never gets to its end. Use a {sign} step.")
    numbers = (match[1], match[3] or "1")
    spaced = Range(start, step, (end - start) // step + 1, _gives_ints(source, numbers, parameter))
    if not spaced.whole:
        widest = max(abs(_as_float(start, name)), abs(_as_float(end, name)))
        if spaced.count > 1 and abs(step) < 2 * Fraction(math.ulp(widest)):
            raise refuse(name, f"the step of {quote(source)} is too small for floats.")
    if parameter.choices is None:
        return spaced
    # The numbers differ, so that this ends at the first that is not one of the few choices.
    return Listed(tuple(convert(value, parameter) for value in Axis(name, "", (spaced,)).values()))


def _log(source: str, arguments: tuple[str, ...], parameter: Parameter) -> Part:
    name = parameter.name
    _need_numbers(source, parameter)
    if len(arguments) != 3:
        raise refuse(name, f"{quote(source)} needs three numbers, like log(1e-4,1e-1,5).")
    first, last, count = (_fraction(argument, name) for argument in arguments)
    if first <= 0 or last <= 0:
        raise refuse(name, f"{quote(source)} needs a first and a last number above 0.")
    if count.denominator != 1 or count < 2:
        raise refuse(name, f"{quote(source)} needs a whole number of values, 2 or more.")
    for argument in arguments[:2]:
        _float(argument, name)
    whole = _gives_ints(source, arguments[:2], parameter)
    log = Log(first, last, int(count), whole)
    if whole and not _is_strict_int(parameter) and not _all_whole(log):
        return Log(first, last, int(count), whole=False)
    return log


def _all_whole(log: Log) -> bool:
    if log.count > _LOOK_FOR_WHOLE:
        return False
    exact = (log.exact(index) for index in range(log.count))
    return all(abs(value - round(value)) < Fraction(1, 10**12) for value in exact)


def _need_numbers(source: str, parameter: Parameter) -> None:
    if parameter.kind is _STR:
        raise refuse(
            parameter.name, f"{quote(source)} gives numbers, but text is wanted. Quote it as text."
        )
    if parameter.kind not in (_INT, _FLOAT, _ANY, _CHOICE):
        raise mismatch(quote(source), parameter)


def _is_strict_int(parameter: Parameter) -> bool:
    return parameter.kind is _INT and parameter.annotation is not None


def _gives_ints(source: str, numbers: tuple[str, ...], parameter: Parameter) -> bool:
    """Return whether a range or log that starts from these numbers gives ints."""
    if parameter.kind is _FLOAT:
        return False
    whole = all(_fraction(number, parameter.name).denominator == 1 for number in numbers)
    if _is_strict_int(parameter):
        if not whole:
            raise refuse(parameter.name, f"{quote(source)} does not give ints. Use whole numbers.")
        return True
    return whole and not any("." in number for number in numbers)


def _scalar(source: str, parameter: Parameter) -> Value:
    """Read one bare word as the parameter's type."""
    kind = parameter.kind
    if kind is _STR:
        return None if parameter.optional and source in _NULLS else source
    if parameter.choices is not None:
        return _choice(source, parameter)
    if source in _NULLS and parameter.nullable:
        return None
    if kind is _ANY:
        return _guess(source, parameter.name)
    constant = CONSTANTS.get(source)
    expected = {_BOOL: bool, _FLOAT: float}.get(kind)
    if expected and isinstance(constant, expected):
        return constant
    if kind in (_INT, _FLOAT) and _NUMBER.fullmatch(source):
        return _number(source, parameter)
    raise mismatch(quote(source), parameter)


def _choice(source: str, parameter: Parameter) -> Value:
    if source in _NULLS and parameter.optional:
        return None
    for choice in parameter.choices or ():
        if source in (choice, literal(choice)):
            return choice
    return convert(_guess(source, parameter.name), parameter)


def _number(source: str, parameter: Parameter) -> Value:
    if parameter.kind is _FLOAT:
        return _float(source, parameter.name)
    exact = _fraction(source, parameter.name)
    if exact.denominator == 1 and (_is_strict_int(parameter) or "." not in source):
        return int(exact)
    if _is_strict_int(parameter):
        raise mismatch(quote(source), parameter)
    return _float(source, parameter.name)


def _guess(source: str, name: str) -> Value:
    """Type a word by its look, as JSON would."""
    if source in CONSTANTS:
        return CONSTANTS[source]
    if not _JSON_NUMBER.fullmatch(source):
        return source
    if source.lstrip("-").isdigit():
        return int(_fraction(source, name))
    return _float(source, name)


def _fraction(source: str, name: str) -> Fraction:
    if len(source) > MAX_NUMBER:
        raise refuse(name, f"{quote(source)} is too long for a number.")
    if not _NUMBER.fullmatch(source):
        raise refuse(name, f"{quote(source)} is not a number.")
    return Fraction(source)


def _float(source: str, name: str) -> float:
    exact = _fraction(source, name)
    number = _as_float(exact, name)
    if number == 0 and exact != 0:
        raise refuse(name, f"{quote(source)} is too small for a float. Write 0.")
    return math.copysign(number, -1) if source.startswith("-") else number


def _as_float(exact: Fraction, name: str) -> float:
    try:
        return float(exact)
    except OverflowError:
        raise refuse(name, "a number is too large for a float. Write inf for infinity.") from None
