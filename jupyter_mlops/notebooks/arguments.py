"""Reading command lines: the words of a plain shell command, and the options among words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


class NotPlain(Exception):
    """The command means more than we understand, so whoever asked leaves it to a shell."""


#: What every shell takes for the same words: letters without a meaning of their own, blanks,
#: escaped signs and ends of lines, and quotes in which nothing is replaced.
_PLAIN = re.compile(
    r"""(?:
        \\\n | \\[^\w\s] | [ \t] | [^\s|&;<>()$`\\"'*?\[\]{}\#~!^] | '[^'\\]*' | "[^"\\$`!]*"
    )*""",
    re.VERBOSE,
)


def words_of(command: str) -> list[str]:
    """Split a shell command into its words. Raises `NotPlain` if a shell would do more."""
    text = command.strip(" \t\n")
    if not _PLAIN.fullmatch(text):
        raise NotPlain
    return shlex.split(text.replace("\\\n", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """An option of a command line."""

    name: str
    #: How it is written.
    forms: tuple[str, ...]
    #: How many words follow it.
    takes: int = 1


#: Name of an option, and the words that followed it.
Given = tuple[str, tuple[str, ...]]


def parse(words: Sequence[str], flags: Sequence[Flag]) -> tuple[list[str], list[Given]]:
    """Return the arguments and the options among words, as click reads them.

    Raises `NotPlain` for an unknown option, or one that lacks words.
    """
    forms = {form: flag for flag in flags for form in flag.forms}
    arguments: list[str] = []
    given: list[Given] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            arguments += rest
        elif word[:1] != "-" or word == "-":
            arguments.append(word)
        else:
            given.append(_option(word, forms, rest))
    return arguments, given


def _option(word: str, forms: dict[str, Flag], rest: Iterator[str]) -> Given:
    name, equals, value = word.partition("=")
    flag = forms.get(name if name.startswith("--") else word)
    if flag is None or (equals and not flag.takes):
        raise NotPlain
    followed = [value] if equals else []
    while len(followed) < flag.takes:
        following = next(rest, None)
        if following is None:
            raise NotPlain
        followed.append(following)
    return flag.name, tuple(followed)
