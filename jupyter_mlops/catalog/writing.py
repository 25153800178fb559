"""Putting the functions of a cell into a module of features."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.files import write_atomically
from .place import Place

_GROUP = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*")


@dataclass(frozen=True, slots=True)
class Change:
    """What a cell would make of a module."""

    path: Path
    #: Its path in the project.
    shown: str
    text: str
    #: The difference, as lines of a unified diff; empty if there is none.
    diff: tuple[str, ...]
    #: Names that the cell defines.
    names: tuple[str, ...]
    #: Those of them that the module defines otherwise.
    replaced: tuple[str, ...]

    def write(self) -> None:
        """Write the module."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, self.text.encode())


def change(place: Place, group: str, cell: str) -> Change:
    """Return what a cell would make of the module of a group. Raises `InvalidInput`."""
    if not _GROUP.fullmatch(group):
        raise InvalidInput(f"{group!r} is no name of a module. Write it like: flights")
    path = place.modules.joinpath(*group.split(".")).with_suffix(".py")
    before = path.read_text("utf-8") if path.is_file() else ""
    new = _parsed(cell, "the cell")
    old = _parsed(before, path.name)
    text, replaced = _merged(before, old, cell, new)
    shown = path.relative_to(place.root).as_posix()
    diff = difflib.unified_diff(
        before.splitlines(), text.splitlines(), f"{shown} (before)", f"{shown} (after)", lineterm=""
    )
    names = tuple(each.name for each in new.body if isinstance(each, ast.FunctionDef))
    if not names:
        raise InvalidInput("The cell defines no function. A feature is a function in it.")
    return Change(path, shown, text, tuple(diff), names, replaced)


def _merged(
    before: str, old: ast.Module, cell: str, new: ast.Module
) -> tuple[str, tuple[str, ...]]:
    """Return the module with the cell's statements in it, and the names that were replaced."""
    lines = before.splitlines()
    known = {name: each for each in old.body for name in _names(each)}
    replaced: list[str] = []
    pieces: dict[int, tuple[int, str]] = {}
    imports: list[str] = []
    appended: list[str] = []
    for statement in new.body:
        text = _text(cell, statement)
        names = list(_names(statement))
        place = next((known[name] for name in names if name in known), None)
        if place is not None:
            if ast.dump(place) == ast.dump(statement) and _text(before, place) == text:
                continue
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                replaced += names
                pieces[_first(place) - 1] = place.end_lineno or place.lineno, text
                continue
        (imports if isinstance(statement, ast.Import | ast.ImportFrom) else appended).append(text)
    made: list[str] = []
    i = 0
    last_import = max((e.end_lineno or 0 for e in old.body if _is_head(e)), default=0)
    while i < len(lines):
        if i in pieces:
            i, text = pieces[i]
            made.append(text)
        else:
            made.append(lines[i])
            i += 1
        if i == last_import:
            made += [each for each in imports if each not in lines]
            imports = []
    head = [] if lines else imports
    parts = ["\n".join([*head, *made]).strip("\n"), *appended]
    return "\n\n\n".join(each for each in parts if each) + "\n", tuple(replaced)


def _parsed(text: str, what: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidInput(
            f"{what}: {getattr(error, 'msg', error)} in line {line}. Nothing was written."
        ) from error


def _first(statement: ast.stmt) -> int:
    decorated: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorated)])


def _text(source: str, statement: ast.stmt) -> str:
    return "\n".join(source.splitlines()[_first(statement) - 1 : statement.end_lineno])


def _is_head(statement: ast.stmt) -> bool:
    """Whether a statement belongs to the head of a module: its docstring and imports."""
    return isinstance(statement, ast.Import | ast.ImportFrom) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (each.asname or each.name for each in statement.names)
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (each.id for each in targets if isinstance(each, ast.Name))
