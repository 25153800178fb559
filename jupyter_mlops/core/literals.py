"""Reads the text of a parameter space into its comma-separated items, not yet typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .parameters import checked_text, from_python, refuse
from .values import Value, quote

_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(", re.ASCII)
_SPACES = re.compile(r"\s*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_ESCAPES |= {mark: mark for mark in "\\\"'/"}


@dataclass(frozen=True, slots=True)
class Bare:
    """A word without quotes; its meaning depends on the parameter."""

    source: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text in quotes, unescaped."""

    value: str


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON array or object, as it was written and as it was read."""

    source: str
    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """``log(...)`` with its arguments."""

    source: str
    arguments: tuple[str, ...]


Item = Bare | Quoted | Json | Call


@dataclass(slots=True)
class Scanner:
    """Splits one space into items, from left to right.

    ``lenient`` is for parameters that take text: brackets that are not JSON and functions other
    than ``log`` are then words like any other.
    """

    text: str
    name: str
    lenient: bool
    position: int = 0

    def items(self) -> Iterator[Item]:
        """Yield the items; raise BadSpace at the first that cannot be read."""
        if not self.text.strip():
            raise refuse(self.name, 'no value is given. Write "" for an empty text.')
        while True:
            self._skip_spaces()
            yield self._item()
            self._skip_spaces()
            if self.position == len(self.text):
                return
            if self.text[self.position] != ",":
                raise refuse(self.name, f"a comma is missing before {quote(self._rest())}.")
            self.position += 1

    def _rest(self) -> str:
        return self.text[self.position :].rstrip()

    def _skip_spaces(self) -> None:
        match = _SPACES.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def _item(self) -> Item:
        first = self.text[self.position : self.position + 1]
        if first in ("", ","):
            raise refuse(
                self.name, 'a value is missing beside a comma. Write "" for an empty text.'
            )
        if first in ("'", '"'):
            return self._quoted(first)
        if first in ("[", "{"):
            return self._json()
        call = _CALL.match(self.text, self.position)
        if call and call[1] == "log":
            return self._call(call)
        if call and not self.lenient:
            raise refuse(
                self.name, f"{call[1]}(...) is unknown. There is log(1e-4,1e-1,5); quote text."
            )
        return self._bare()

    def _quoted(self, mark: str) -> Quoted:
        start = end = self.position + 1
        while end < len(self.text) and self.text[end] != mark:
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise refuse(self.name, f"{quote(self._rest())} has no closing quote.")
        self.position = end + 1
        plain = _ESCAPE.sub(self._unescape, self.text[start:end])
        # Two escapes may be the halves of one character: so JSON writes what lies beyond U+FFFF.
        joined = plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return Quoted(checked_text(joined if "\ufffd" not in joined else plain, self.name))

    def _unescape(self, match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise refuse(self.name, f"{match[0]} is not an escape. Write a backslash as \\\\.")
        return _ESCAPES[code]

    def _json(self) -> Item:
        start = self.position
        try:
            value, end = json.JSONDecoder().raw_decode(self.text, start)
        except (ValueError, RecursionError):
            if self.lenient:
                return self._bare()
            raise refuse(self.name, f"{quote(self._rest())} is not valid JSON.") from None
        follows = self.text[end:].lstrip()
        if self.lenient and follows and not follows.startswith(","):
            return self._bare()
        self.position = end
        return Json(self.text[start:end], from_python(value, self.name))

    def _call(self, call: re.Match[str]) -> Call:
        close = self.text.find(")", call.end())
        if close < 0:
            raise refuse(self.name, f"{quote(self._rest())} has no closing parenthesis.")
        source = self.text[self.position : close + 1]
        self.position = close + 1
        arguments = self.text[call.end() : close].split(",")
        return Call(source, tuple(argument.strip() for argument in arguments))

    def _bare(self) -> Bare:
        end = self.text.find(",", self.position)
        end = len(self.text) if end < 0 else end
        source = self.text[self.position : end].strip()
        self.position = end
        return Bare(checked_text(source, self.name))
