"""Writes IPython's own syntax as Python that reads and binds the same names."""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass

from .sources import NOT_PYTHON, PYTHON_CELL_MAGICS, Cell, parse_cell

#: Line magics that execute the Python behind them.
_PYTHON_LINES = ("time", "timeit", "prun", "memit")
#: Line magics that any shell may execute, whether or not it is the one of the later cells.
_ANYWHERE = frozenset(
    [
        *_PYTHON_LINES,
        *("cd", "conda", "env", "ls", "lsmagic", "mamba", "pinfo", "pip", "pwd", "sc"),
        *("set_env", "sx", "system", "uv", "who", "whos"),
    ]
)
#: What magics do, as Python.
_MEANING = {
    "cd": "import os; os.chdir({})",
    "env": "import os; os.environ['x'] = {}",
    "set_env": "import os; os.environ['x'] = {}",
}
_LINE = re.compile(
    r"\s*(?:(?P<targets>[\w.,\s]*[\w.])\s*=\s*(?=[%!]))?(?P<sign>%|!!?)?(?P<rest>.*)"
)
_OPTIONS = re.compile(r"(?:-\w+(?:\s+\d+)?\s+)*")
_INSERTED = re.compile(r"\{([^{}]*)\}|\$\{?([A-Za-z_]\w*)")
_NAME = re.compile(r"[A-Za-z_]\w*")


class NotReadable(Exception):
    """A cell is not Python; the text says what it is, as the end of "which …"."""


@dataclass(frozen=True, slots=True)
class Program:
    """A cell as Python."""

    body: list[ast.stmt]
    #: Magics in it that mean something only to the shell that executes the later cells.
    shells_own: tuple[str, ...]


def translate(source: str) -> Program:
    """Translate a cell. Raises `NotReadable`."""
    lines = re.split(r"\r\n|\r|\n", source)
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    magic = _cell_magic(lines[first])
    if magic is not None and magic not in PYTHON_CELL_MAGICS:
        raise NotReadable(f"begins with %%{magic}")
    made = _parsed(source).source.split("\n")
    shells_own: list[str] = []
    for index, line in enumerate(lines):
        if index == first and magic is not None:
            made[index] = _begin(line[2:])
        elif line != made[index]:
            indent = made[index][: -len(made[index].lstrip())]
            made[index] = indent + _translate(line, shells_own)
    return Program(_parsed("\n".join(made)).body, tuple(shells_own))


def _cell_magic(line: str) -> str | None:
    if not line.startswith("%%"):
        return None
    return (line[2:].split() or [""])[0]


def _parsed(source: str) -> Cell:
    try:
        return parse_cell(source)
    except NOT_PYTHON as error:
        line = getattr(error, "lineno", None)
        why = getattr(error, "msg", None) or "it is no Python"
        place = f"line {line}: " if line else ""
        raise NotReadable(f"cannot be read ({place}{why})") from None


def _begin(line: str) -> str:
    """Write the first line of a cell in Python: ``%%capture`` binds the name behind it."""
    words = line.split()
    bound = [each for each in words[1:] if _NAME.fullmatch(each)]
    target = f"{bound[0]} = " if words[0] == "capture" and bound else ""
    return target + _tuple(line)


def _translate(line: str, shells_own: list[str]) -> str:
    """Write a line in Python, and note a magic that belongs to the shell of the later cells."""
    match = _LINE.match(line)
    if match is None:
        return "pass"
    rest = match["rest"]
    name = (rest.split() or [""])[0] if match["sign"] == "%" else ""
    if name and not _runs_anywhere(rest):
        shells_own.append(f"%{name}")
    python = _tuple(rest)
    if name in _PYTHON_LINES:
        code = _OPTIONS.sub("", rest[len(name) :].lstrip(), count=1)
        python = code if _is_python(code) else python
    elif name in _MEANING:
        python = _MEANING[name].format(python)
    targets = match["targets"]
    assigned = f"{targets.strip(' ,')} = {python}" if targets else python
    return assigned if _is_python(assigned) else python


def _runs_anywhere(line: str) -> bool:
    name, *arguments = line.split()
    inline = name == "matplotlib" and set(arguments) <= {"inline", "agg"}
    return name in _ANYWHERE or inline


def _tuple(text: str) -> str:
    """Write the names that a magic has inserted as a tuple."""
    names: dict[str, None] = {}
    for expression, name in _INSERTED.findall(text):
        names.update(dict.fromkeys([name] if name else _NAME.findall(expression)))
    return "(" + "".join(f"{name}, " for name in names if not keyword.iskeyword(name)) + ")"


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except NOT_PYTHON:
        return False
    return True
