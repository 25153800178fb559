"""Which commands of stages are plainly one execution of a notebook, and what they ask for.

All that is not understood to the last word is left to a shell.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.options import EXECUTION, Kind
from ..core.stages import NotebookCommand, Program
from . import nbconvert, papermill
from .arguments import Flag, NotPlain, parse, words_of

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
#: What every command contains that executes a notebook.
_PROGRAMS = re.compile("papermill|nbconvert|mlops")


def may_execute_notebook(command: str) -> bool:
    """Whether a command is worth a closer look."""
    return _PROGRAMS.search(command) is not None


def notebook_command(
    command: str, folder: Path, *, path: str | None = None
) -> NotebookCommand | None:
    """Return what a command executes in a folder; None if it is not plainly one notebook.

    ``path`` is the caller's PATH: a program of another environment than ours is left to it.
    """
    try:
        words = words_of(command)
        reader, arguments = _program(words, os.environ.get("PATH") if path is None else path)
        return reader(arguments, folder)
    except (NotPlain, InvalidInput):
        return None


_Reader = Callable[[list[str], Path], NotebookCommand]


def _program(words: list[str], path: str | None) -> tuple[_Reader, list[str]]:
    """Return who reads the arguments of a command, and these."""
    if not words:
        raise NotPlain
    name, rest = _name(words[0], path), words[1:]
    if _PYTHON.fullmatch(name):
        if rest[:1] != ["-m"] or len(rest) < 2:
            raise NotPlain
        name, rest = rest[1], rest[2:]
        if name == "nbconvert":
            name = "jupyter-nbconvert"
    if name == "jupyter" and rest:
        name, rest = f"jupyter-{rest[0]}", rest[1:]
    if name == "jupyter-mlops" and rest[:1] == ["run"]:
        return _run, rest[1:]
    found = _READERS.get(name)
    if found is None:
        raise NotPlain
    return found, rest


def _name(word: str, path: str | None) -> str:
    """Return the name of a program that belongs to our environment."""
    name = os.path.basename(word)  # noqa: PTH119 - a path of one part may be the name itself
    if word != name and not os.path.isabs(word):  # noqa: PTH117
        raise NotPlain
    found = shutil.which(word, path=path)
    if found is None:
        # The environment may be used without being on PATH.
        if word != name or _PYTHON.fullmatch(name):
            raise NotPlain
    elif Path(found).parent.resolve() != Path(sys.executable).parent.resolve():
        raise NotPlain
    return name


# -- jupyter mlops run ----------------------------------------------------------------------------

_OPTIONS = {each.name: each for each in EXECUTION}
_FLAGS = (
    Flag(name="assign", forms=("-p",)),
    *(
        Flag(name=each.name, forms=(each.flag,), takes=0 if each.kind is Kind.FLAG else 1)
        for each in EXECUTION
    ),
)


def _run(words: list[str], folder: Path) -> NotebookCommand:
    arguments, given = parse(words, _FLAGS)
    if not arguments:
        raise NotPlain
    source, *assignments = arguments
    notebook = nbconvert.input_notebook(source, folder)
    options = {}
    for name, value in given:
        if name == "assign":
            assignments.append(value[0])
        else:
            option = _OPTIONS[name]
            options[name] = option.read(value[0]) if value else True
    return NotebookCommand(
        program=Program.MLOPS,
        notebook=notebook,
        source=source,
        folder=notebook.parent,
        space=_assigned(assignments),
        options=options,
    )


def _assigned(assignments: list[str]) -> dict[str, str]:
    space: dict[str, str] = {}
    for each in assignments:
        name, equals, text = (part.strip() for part in each.partition("="))
        if not equals or not name or name in space:
            raise NotPlain
        space[name] = text
    return space


_READERS: dict[str, _Reader] = {
    "papermill": papermill.read_command,
    "jupyter-nbconvert": nbconvert.read_command,
}
