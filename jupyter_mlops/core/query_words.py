"""Splits a search of runs into words, each of which knows its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .exceptions import InvalidInput
from .values import quote

#: Longest condition in characters.
MAX_LENGTH = 2_000

_SPACES = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?(?![\w./:-])")
_OPERATOR = re.compile(r"==|!=|<>|<=|>=|=|<|>")
_MARK = re.compile(r"[()\[\],-]")
#: A name may begin with a digit, as ids do, and hold what paths and metrics do.
_NAME = re.compile(r"\w(?:[\w./:@-]*[\w@])?")
_QUOTES = "\"'`"


class Kind(Enum):
    """What a word is."""

    NAME = auto()
    NUMBER = auto()
    TEXT = auto()
    OPERATOR = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its place; ``metrics.auc`` is one with a key."""

    kind: Kind
    text: str
    #: Position of its first character, from 1, and how it was written.
    at: int
    written: str
    key: str | None = None
    number: int | float = 0


def words(option: str, text: str) -> list[Word]:
    """Split a text; the last word is its end. Raises `InvalidInput`."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(
            f"{option}: it has {len(text):,} characters, at most {MAX_LENGTH:,} are read.",
            field=option,
        )
    found: list[Word] = []
    at = _skip(text, 0)
    while at < len(text):
        word, end = _word(option, text, at)
        found.append(word)
        at = _skip(text, end)
    return [*found, Word(Kind.END, "", len(text.rstrip()) + 1, "")]


def bad_query(option: str, found: Sequence[Word], index: int, what: str) -> InvalidInput:
    """Return the error that something is wrong with a word."""
    word = found[index]
    where = (
        f"at character {word.at}, before {quote(word.written)}" if word.written else "at the end"
    )
    return _error(option, where, what)


def _error(option: str, where: str, what: str) -> InvalidInput:
    end = "" if what.endswith("?") else "."
    return InvalidInput(f"{option}, {where}: {what}{end}", field=option)


def _skip(text: str, at: int) -> int:
    match = _SPACES.match(text, at)
    return match.end() if match else at


def _word(option: str, text: str, at: int) -> tuple[Word, int]:
    if text[at] in _QUOTES:
        value, end = _quoted(option, text, at)
        return Word(Kind.TEXT, value, at + 1, text[at:end]), end
    if match := _NUMBER.match(text, at):
        return Word(Kind.NUMBER, match[0], at + 1, match[0], number=_number(match[0])), match.end()
    if match := _OPERATOR.match(text, at):
        plain = "!=" if match[0] == "<>" else match[0]
        return Word(Kind.OPERATOR, plain, at + 1, match[0]), match.end()
    if match := _NAME.match(text, at):
        return _name(option, text, at, match)
    if match := _MARK.match(text, at):
        return Word(Kind.MARK, match[0], at + 1, match[0]), match.end()
    hint = ". Write == or =, and, or, not" if text[at] in "&|!~" else ""
    raise _error(option, f"at character {at + 1}", f"{quote(text[at])} is not known{hint}")


def _name(option: str, text: str, at: int, match: re.Match[str]) -> tuple[Word, int]:
    """Read a name, with its key behind a dot or in brackets."""
    end = match.end()
    group, _, key = match[0].partition(".")
    rest = text[end : end + 2]
    if not key and (rest[:1] == "." and rest[1:] and rest[1] in _QUOTES):
        key, end = _quoted(option, text, end + 1)
    elif not key and rest[:1] == "[" and rest[1:] and rest[1] in _QUOTES:
        key, end = _quoted(option, text, end + 1)
        if text[end : end + 1] != "]":
            raise _error(option, f"at character {end + 1}", "expected ]")
        end += 1
    return Word(Kind.NAME, group, at + 1, text[at:end], key or None), end


def _quoted(option: str, text: str, start: int) -> tuple[str, int]:
    """Read text in quotes; a quote inside is written twice, or behind a backslash."""
    mark, at, parts = text[start], start + 1, []
    while at < len(text):
        pair = text[at : at + 2]
        if pair in (mark * 2, f"\\{mark}", "\\\\"):
            parts.append(pair[1])
            at += 2
        elif text[at] == mark:
            return "".join(parts), at + 1
        else:
            parts.append(text[at])
            at += 1
    raise _error(option, f"at character {start + 1}", f"{quote(text[start:])} has no closing quote")


def _number(written: str) -> int | float:
    return int(written) if written.isdigit() else float(written)
