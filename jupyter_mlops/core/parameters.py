"""Parameters that a notebook declares: their types, their names and the values they take."""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import difflib
import keyword
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from fractions import Fraction
from pathlib import PurePath

from .exceptions import BadSpace, InvalidInput, UnknownParameter
from .values import MAX_DEPTH, Value, literal, quote, same, text

#: Whole numbers may have this many bits; Python refuses to print much longer ones.
MAX_BITS = 10_000

#: A notebook relies on these even where Python's own builtins do not hold them.
_BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython"}

#: What to pass instead of objects that would reach the notebook as mere text.
_INSTEAD: tuple[tuple[type, str], ...] = (
    (tuple, "a list"),
    (set, "a list"),
    (frozenset, "a list"),
    (range, "list(...)"),
    (bytes, "text: .decode()"),
    (PurePath, "text: str(...)"),
    (dt.date, "text: .isoformat()"),
    (dt.time, "text: .isoformat()"),
    (dt.timedelta, "a number: .total_seconds()"),
    (decimal.Decimal, "float(...)"),
    (Fraction, "float(...)"),
    (Enum, "its .value"),
)


class ParameterKind(StrEnum):
    """What a parameter takes."""

    INT = "int"  #: whole numbers
    FLOAT = "float"  #: numbers
    STR = "str"  #: text
    BOOL = "bool"  #: true or false
    CHOICE = "choice"  #: one of the declared values
    LIST = "list"  #: a JSON array
    DICT = "dict"  #: a JSON object
    ANY = "any"  #: anything; text is read as a number, a constant or text, by its look


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One variable of a notebook's parameters cell."""

    name: str
    kind: ParameterKind
    #: The annotation as it is written. None: the kind comes from the default, so that other
    #: numbers and null are taken too.
    annotation: str | None
    #: The default, or its source text where it is not a literal (``has_default`` is then False).
    default: Value
    has_default: bool
    #: The values of a choice.
    choices: tuple[Value, ...] | None
    #: Whether null is allowed.
    optional: bool
    #: The comment behind the assignment.
    help: str | None

    @property
    def nullable(self) -> bool:
        """Whether it takes null: declared so, or of an inferred kind."""
        return self.optional or self.annotation is None or self.kind is ParameterKind.ANY


_EXPECTED = {
    ParameterKind.INT: "an int",
    ParameterKind.FLOAT: "a float",
    ParameterKind.STR: "text",
    ParameterKind.BOOL: "true or false",
    ParameterKind.LIST: "a list, like [1, 2]",
    ParameterKind.DICT: 'a dict, like {"a": 1}',
    ParameterKind.ANY: "a value",
}


def refuse(name: str, message: str) -> BadSpace:
    """Return the error that says what is wrong with the values of one parameter."""
    return BadSpace(f"{text(name)}: {message}" if name else message, field=name or None)


def mismatch(shown: str, parameter: Parameter) -> BadSpace:
    """Return the error for a value, as shown, that the parameter does not take."""
    if parameter.choices is not None:
        members = ", ".join(map(literal, parameter.choices))
        return refuse(parameter.name, f"{shown} is not one of {members}.")
    return refuse(parameter.name, f"{shown} is not {_EXPECTED[parameter.kind]}.")


def convert(value: Value, parameter: Parameter) -> Value:
    """Return a typed value as the parameter's type; raise BadSpace if it does not fit.

    A whole number fits a float and a float without fraction an int. Where the kind was inferred
    from the default, any number fits an int and null fits everything.
    """
    kind = parameter.kind
    if kind is ParameterKind.ANY or (value is None and parameter.nullable):
        return value
    if parameter.choices is not None:
        return _member(value, parameter)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _convert_number(value, parameter)
    fitting: dict[ParameterKind, type] = {
        ParameterKind.BOOL: bool,
        ParameterKind.STR: str,
        ParameterKind.LIST: list,
        ParameterKind.DICT: dict,
    }
    if kind in fitting and isinstance(value, fitting[kind]):
        return value
    shown = quote(value) if isinstance(value, str) else text(value)
    raise mismatch(shown, parameter)


def _convert_number(value: float, parameter: Parameter) -> Value:
    if parameter.kind is ParameterKind.FLOAT:
        try:
            return float(value)
        except OverflowError:
            raise refuse(parameter.name, "a whole number is too large for a float.") from None
    if parameter.kind is ParameterKind.INT:
        if isinstance(value, int) or parameter.annotation is None:
            return value
        if value.is_integer():
            return int(value)
    hint = ""
    if parameter.kind is ParameterKind.LIST:
        hint = " Values that are lists stand in a list of lists."
    raise BadSpace(mismatch(text(value), parameter).message + hint, field=parameter.name)


def _member(value: Value, parameter: Parameter) -> Value:
    choices = parameter.choices or ()
    for choice in choices:
        if same(choice, value):
            return choice
    for choice in choices:
        if not isinstance(value, bool) and not isinstance(choice, bool) and choice == value:
            return choice
    raise mismatch(quote(value) if isinstance(value, str) else text(value), parameter)


def from_python(value: object, name: str, *, depth: int = 0) -> Value:
    """Return a Python object as a plain value; raise BadSpace if a notebook would not get it whole.

    Subclasses of the plain types and numpy's scalars become plain. ``name`` is for the message.
    """
    if depth > MAX_DEPTH:
        raise refuse(name, f"a value is nested more than {MAX_DEPTH} levels deep. Make it flatter.")
    if isinstance(value, Enum):
        raise _unsupported(value, name)
    if value is None or isinstance(value, (bool, int, float, str)):
        return _plain_scalar(value, name)
    if isinstance(value, list):
        return [from_python(item, name, depth=depth + 1) for item in value]
    if isinstance(value, dict):
        return _dict_from_python(value, name, depth)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        plain = item()
        if type(plain) is not type(value):
            return from_python(plain, name, depth=depth + 1)
    raise _unsupported(value, name)


def _plain_scalar(value: float | str | None, name: str) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(str.__str__(value), name)
    if not isinstance(value, int):
        return float(value)
    if value.bit_length() > MAX_BITS:
        raise refuse(name, "a whole number is too long. Pass it as text.")
    return int(value)


def _dict_from_python(value: dict[object, object], name: str, depth: int) -> Value:
    plain: dict[str, Value] = {}
    for key, item in value.items():
        if not isinstance(key, str) or isinstance(key, Enum):
            raise refuse(name, f"the key {text(str(key))} of a dict is not text. Use str(...).")
        plain[checked_text(str.__str__(key), name)] = from_python(item, name, depth=depth + 1)
    return plain


def checked_text(value: str, name: str) -> str:
    """Return the text; raise BadSpace if it is no Unicode text, so that no file can hold it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refuse(name, f"{quote(value)} holds half a character (a lone surrogate).") from None
    return value


def _unsupported(value: object, name: str) -> BadSpace:
    instead = "text, a number, true or false, None, a list or a dict"
    for cls, hint in _INSTEAD:
        if isinstance(value, cls):
            instead = hint
    kind = type(value).__name__
    return refuse(name, f"a {kind} would not reach the notebook as it is. Pass {instead}.")


def check_names(
    names: Iterable[str], declared: Collection[str], *, allow_undeclared: bool = False
) -> None:
    """Raise unless every name can be assigned in a notebook and is declared there.

    ``allow_undeclared`` lets names through that the parameters cell does not declare, but never
    what is no plain identifier: names are written into the notebook as code.
    """
    for name in names:
        if name in declared:
            continue
        _check_identifier(name)
        if not allow_undeclared:
            raise _unknown(name, declared)


def _check_identifier(name: str) -> None:
    shown = quote(name)
    if not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        raise InvalidInput(
            f"{shown} is not a parameter's name. Use letters, digits and underscores.", field=name
        )
    if keyword.iskeyword(name) or (name.startswith("__") and name.endswith("__")):
        raise InvalidInput(f"{shown} is reserved by Python. Use another name.", field=name)
    if name in _BUILTINS:
        raise InvalidInput(
            f"{shown} is a builtin of Python. Declare it in the parameters cell, or rename it.",
            field=name,
        )


def _unknown(name: str, declared: Collection[str]) -> UnknownParameter:
    close = difflib.get_close_matches(name, declared, n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    listed = ", ".join(list(declared)[:20]) + (", …" if len(declared) > 20 else "")
    known = f" It declares {listed}." if declared else " It declares none."
    return UnknownParameter(
        f"{text(name)} is not a parameter of the notebook.{meant}{known}"
        " Permit others with --allow-undeclared.",
        field=name,
    )
