"""Parameter values: what they may be, how they travel as JSON and how they are shown."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Mapping
from itertools import pairwise
from typing import Any, TypeAlias

from .exceptions import BadSpace

#: What a parameter may hold: everything that reaches a notebook with its type intact.
Value: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: Lists and dicts may be nested this deep.
MAX_DEPTH = 100

#: Stands for the value of a parameter that looks like a secret.
MASK = "••••••"

_FLOAT_KEY = "$float"
_ESCAPED_KEY = re.compile(r"\$+float")
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

#: Words of the space language. A text that equals one of them is written in quotes.
CONSTANTS: Mapping[str, bool | float | None] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
    "nan": math.nan,
    "NaN": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}
_PLAIN_TEXT = re.compile(r"[A-Za-z_](?:[\w./ -]*[\w./-])?", re.ASCII)

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_SECRET_WORDS = frozenset(
    (
        *("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "dbpass"),
        *("secret", "secrets", "credential", "credentials"),
        *("apikey", "accesskey", "secretkey", "privatekey", "authtoken", "accesstoken"),
    )
)
_SECRET_PAIRS = frozenset(
    {(word, "key") for word in ("api", "access", "private", "account", "auth", "ssh")}
    | {(word, "key") for word in ("encryption", "signing", "license")}
    | {("db", "pass"), ("user", "pass"), ("connection", "string")}
)
#: ``max_token`` counts and ``pad_token`` belongs to a vocabulary: neither opens a door.
_HARMLESS_BEFORE_TOKEN = frozenset(
    (
        *("max", "min", "num", "n", "per", "next", "first", "last", "start", "end", "stop"),
        *("pad", "eos", "bos", "sep", "cls", "mask", "unk", "special"),
    )
)


def encode(value: Value) -> Value:
    """Return ``value`` in a form that strict JSON can carry.

    A float that is not finite becomes ``{"$float": "nan"}`` (or ``"inf"``, ``"-inf"``); a dict's
    own key ``$float`` becomes ``$$float``, and so on. Everything else stays as it is.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT_KEY: repr(value)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {_escape(key): encode(item) for key, item in value.items()}
    return value


def decode(value: Value, *, depth: int = 0) -> Value:
    """Undo :func:`encode`. Raise BadSpace for what it cannot have written."""
    if depth > MAX_DEPTH:
        raise BadSpace(f"A value is nested more than {MAX_DEPTH} levels deep. Make it flatter.")
    if isinstance(value, list):
        return [decode(item, depth=depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if _FLOAT_KEY in value:
        code = value[_FLOAT_KEY]
        if len(value) != 1 or not isinstance(code, str) or code not in _NON_FINITE:
            raise BadSpace(f'{_FLOAT_KEY} must stand alone and be "nan", "inf" or "-inf".')
        return _NON_FINITE[code]
    return {_unescape(key): decode(item, depth=depth + 1) for key, item in value.items()}


def _escape(key: str) -> str:
    return f"${key}" if _ESCAPED_KEY.fullmatch(key) else key


def _unescape(key: str) -> str:
    return key[1:] if _ESCAPED_KEY.fullmatch(key) else key


def identity(value: Value) -> Hashable:
    """Return a key that is equal for the same values only: 1, True and 1.0 differ, NaN is NaN."""
    if isinstance(value, list):
        return ("list", *map(identity, value))
    if isinstance(value, dict):
        return ("dict", frozenset((key, identity(item)) for key, item in value.items()))
    if isinstance(value, float):
        return ("float", repr(value))
    return (type(value).__name__, value)


def same(a: Value, b: Value) -> bool:
    """Return whether two values are the same in type and content."""
    return identity(a) == identity(b)


def literal(value: Value) -> str:
    """Write a value as the space language reads it back."""
    if isinstance(value, str):
        plain = _PLAIN_TEXT.fullmatch(value) and value not in CONSTANTS
        return value if plain else json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def text(value: Value, *, limit: int = 60) -> str:
    """Write a value for a table or a list: one line of at most ``limit`` characters."""
    whole = value if isinstance(value, str) else literal(value)
    shown = whole[: limit + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def quote(source: str) -> str:
    """Quote a piece of what somebody wrote, for an error message."""
    return f'"{text(source)}"'


def looks_secret(name: str) -> bool:
    """Return whether a parameter of this name probably holds a secret.

    Names are compared word by word: ``api_key`` and ``hfToken`` are secrets, ``max_tokens`` and
    ``keyboard`` are not.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not _SECRET_WORDS.isdisjoint(words):
        return True
    if not _SECRET_PAIRS.isdisjoint(pairwise(words)):
        return True
    return words[-1:] == ["token"] and _HARMLESS_BEFORE_TOKEN.isdisjoint(words[-2:-1])


def masked(parameters: Mapping[str, Value]) -> dict[str, Value]:
    """Return the parameters with every secret-looking one's value replaced by :data:`MASK`."""
    return {name: MASK if looks_secret(name) else value for name, value in parameters.items()}
