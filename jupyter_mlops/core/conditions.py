"""What a pipeline stage must declare whose command is carried out on a condition.

DVC removes a stage's outputs before its command and misses them afterwards, and reruns a stage
only if something has changed that it sees.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .condition_language import BadCondition, parse

_PROGRAMS = ("mlops", "jupyter-mlops", "jupyter_mlops")
_SEPARATORS = frozenset("();<>|&\n")


@dataclass(frozen=True, slots=True)
class Conditional:
    """A ``jupyter mlops when`` command."""

    condition: str
    #: Where its decision goes, as seen from the folder in which it is executed.
    decision: str


def check_conditional(command: str, outputs: Collection[str], always_changed: bool) -> str | None:
    """Return why a stage must not run like this, in one line with what to change; else None.

    ``command`` is the stage's command, its lines joined if there are several; ``outputs`` are all
    its outputs, metrics and plots as seen from the folder in which it is executed.
    """
    found = conditionals(command)
    for each in found:
        # What the shell puts in is not known here.
        if not {"$", "`"}.isdisjoint(each.condition):
            continue
        try:
            parse(each.condition)
        except BadCondition as error:
            return error.message
    return refusal(found, outputs, always_changed)


def refusal(
    found: Sequence[Conditional], outputs: Collection[str], always_changed: bool
) -> str | None:
    """Return why a stage with such commands must not run as it is declared; else None."""
    if not found:
        return None
    for each in found:
        if not any(_holds(output, each.decision) for output in outputs):
            return (
                f"The decision {each.decision} is not among the stage's outputs. Add to it: "
                f"metrics: [{{{each.decision}: {{cache: false}}}}]"
            )
    others = [
        output for output in outputs if not any(_holds(output, each.decision) for each in found)
    ]
    if others:
        return (
            f"A stage whose command may be skipped declares its decision as its only output, but "
            f"this one declares {', '.join(sorted(others))} too, which DVC would delete and miss. "
            "Take it out of outs, or make it in a stage of its own."
        )
    if not always_changed and any(_uses_registry(each.condition) for each in found):
        return (
            "The condition asks the model registry, whose changes DVC does not see. "
            "Add to the stage: always_changed: true"
        )
    return None


def conditionals(command: str) -> list[Conditional]:
    """Find the ``jupyter mlops when`` commands in a stage's command."""
    found = (_conditional(words) for words in _simple_commands(command))
    return [each for each in found if each is not None]


def normal(path: str) -> str:
    """Return a path in the form by which two of them are compared."""
    return posixpath.normpath(path)


def _holds(output: str, path: str) -> bool:
    """Whether an output is this file, or a folder above it."""
    return normal(path) == normal(output) or normal(path).startswith(f"{normal(output)}/")


def _uses_registry(condition: str) -> bool:
    try:
        return parse(condition).uses_registry
    except BadCondition:
        # It holds what the shell puts in. Better once too often than not at all.
        return any(f"{name}(" in condition for name in ("champion", "model", "version"))


def _simple_commands(command: str) -> Iterator[list[str]]:
    """Split a shell's command line at its operators; nothing if its quotes do not close."""
    lexer = shlex.shlex(
        command.replace("\\\n", " "), posix=True, punctuation_chars="".join(sorted(_SEPARATORS))
    )
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if word and _SEPARATORS.issuperset(word):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:
        return
    yield words


def _conditional(words: Sequence[str]) -> Conditional | None:
    for at in range(1, len(words)):
        if words[at] == "when" and posixpath.basename(words[at - 1]) in _PROGRAMS:
            return _read(words[at + 1 :])
    return None


def _read(arguments: Sequence[str]) -> Conditional | None:
    """Read the command's own arguments; None if it will refuse them itself."""
    condition = decision = None
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            break
        option, equals, value = word.partition("=")
        if option in ("--decision", "--else"):
            value = value if equals else next(rest, "")
            decision = value if option == "--decision" else decision
        elif not word.startswith("--") and condition is None:
            condition = word
    if condition is None or not decision:
        return None
    return Conditional(condition, decision)
