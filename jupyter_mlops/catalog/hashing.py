"""Hashes of the code that decides a feature's values."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..core.exceptions import InvalidInput
from .modules import Module, is_saying, parse

_NAMED = re.compile(r"id='(\w+)'")
_BOUND = re.compile(r"id='(\w+)', ctx=Store")


class Hashes:
    """Hashes of one project's modules, made once for each."""

    def __init__(self, root: Path, modules: Path) -> None:
        """``root`` and ``modules`` are where modules of the project are imported from."""
        self._folders: tuple[Path, ...] = (root, modules)
        self._texts: dict[tuple[Path, str], str] = {}
        self._files: dict[Path, str] = {}

    def of(self, module: Module, functions: Iterable[ast.FunctionDef], *facts: str) -> str:
        """Return the hash of functions, of what they use of their project, and further facts."""
        found = [self._text(module, each) for each in functions]
        return _hashed(*sorted(found), *facts)

    def _text(self, module: Module, function: ast.FunctionDef) -> str:
        key = module.path, f"{function.name}:{function.lineno}"
        if key not in self._texts:
            self._texts[key] = _hashed(bare(function), *self._used(module, function))
        return self._texts[key]

    def _used(self, module: Module, function: ast.FunctionDef) -> list[str]:
        """Return the text of what a function uses of its module, directly or not."""
        found: dict[str, str] = {}
        pending = list(_names(function))
        while pending:
            name = pending.pop()
            statement = module.bound.get(name)
            if statement is None or statement is function or name in found:
                continue
            if isinstance(statement, ast.Import | ast.ImportFrom):
                found[name] = "".join(self._imported(module.path, statement, {module.path}))
                continue
            found[name] = ast.unparse(statement)
            pending += _names(statement)
        return [f"{name}={text}" for name, text in sorted(found.items())]

    def _imported(
        self, path: Path, statement: ast.Import | ast.ImportFrom, seen: set[Path]
    ) -> Iterator[str]:
        """Yield the hashes of the project's own modules that are imported."""
        for file in self._files_of(path, statement):
            if file not in seen:
                yield self._file(file, seen | {file})

    def _file(self, path: Path, seen: set[Path]) -> str:
        if path not in self._files:
            try:
                tree = parse(path).tree
            except InvalidInput:
                return _hashed(str(path))
            imports = [e for e in ast.walk(tree) if isinstance(e, ast.Import | ast.ImportFrom)]
            further = (text for each in imports for text in self._imported(path, each, seen))
            self._files[path] = _hashed(ast.unparse(tree), *further)
        return self._files[path]

    def _files_of(self, path: Path, statement: ast.Import | ast.ImportFrom) -> Iterator[Path]:
        if isinstance(statement, ast.Import):
            names, folders = [each.name for each in statement.names], self._folders
        elif statement.level:
            folders = (path.parents[statement.level - 1],)
            base = f"{statement.module}." if statement.module else ""
            names = [statement.module or "", *(base + each.name for each in statement.names)]
        else:
            base, folders = statement.module or "", self._folders
            names = [base, *(f"{base}.{each.name}" for each in statement.names)]
        for name in filter(None, names):
            for folder in folders:
                place = folder.joinpath(*name.split("."))
                for file in (place.with_suffix(".py"), place / "__init__.py"):
                    if file.is_file():
                        yield file


def shape(function: ast.FunctionDef) -> str:
    """Return a hash that is equal for functions of equal code, whatever they are called.

    The names that are bound inside count by their order; those of the arguments do matter.
    """
    text = "".join(ast.dump(each) for each in _without_docstring(function.body))
    names = {name: str(i) for i, name in enumerate(dict.fromkeys(_BOUND.findall(text)))}
    renamed = _NAMED.sub(lambda found: f"id={names.get(found[1], found[1])}", text)
    return _hashed(",".join(sorted(each.arg for each in function.args.args)), renamed)


def bare(function: ast.FunctionDef) -> str:
    """Return a function without its docstring and what only says something about it."""
    kept = [each for each in function.decorator_list if not is_saying(each)]
    parts = (function.args, *kept, *_without_docstring(function.body))
    return "\n".join([function.name, *(ast.unparse(each) for each in parts)])


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _names(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            yield each.id


def _hashed(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()
