"""Modules of features, read by their syntax: the functions, and what they say of themselves.

Hamilton's own rules hold: public functions are nodes, a name ends before its last ``__``, and
``extract_columns``, ``extract_fields`` and ``parameterize`` make further nodes.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput

#: Decorators that say what a feature is.
_SAYING = ("feature", "tag")
_CHECKING = ("check_output", "check_output_custom")
_EXTRACTING = ("extract_columns", "extract_fields")
_MULTIPLYING = ("parameterize", "parameterize_sources")


@dataclass(frozen=True, slots=True)
class Node:
    """Something that has a name among Hamilton's: a function, or a column that one makes."""

    name: str
    function: ast.FunctionDef
    #: Names that it needs.
    inputs: tuple[str, ...]
    #: What its decorators say of it, by the words of `define.WORDS`.
    said: Mapping[str, Any]
    #: Whether another column of the same function would be of the same code.
    extracted: bool = False


@dataclass(slots=True)
class Module:
    """One parsed module."""

    path: Path
    source: str
    tree: ast.Module
    nodes: dict[str, Node] = field(default_factory=dict)
    #: What is wrong with functions, by their names, in one line each.
    problems: list[tuple[str, str]] = field(default_factory=list)
    #: Statements at the top, by the names that they bind.
    bound: dict[str, ast.stmt] = field(default_factory=dict)


def parse(path: Path) -> Module:
    """Read a module. Raises `InvalidInput` if it is no Python, or cannot be read."""
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}.") from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" line {line}:" if line else ""
        reason = getattr(error, "msg", None) or str(error)
        raise InvalidInput(f"{path.name}:{where} {reason}. Mend the module.") from error
    found = Module(path, source, tree)
    for statement in tree.body:
        for name in _names_bound(statement):
            found.bound[name] = statement
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_"):
            _add(found, statement)
    return found


def decorators(function: ast.FunctionDef, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Yield the decorators of these names, by whatever path they are called."""
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and _last(each.func) in names:
            yield each


def is_saying(decorator: ast.expr) -> bool:
    """Whether a decorator only says something about its function."""
    return isinstance(decorator, ast.Call) and _last(decorator.func) in _SAYING


def description(function: ast.FunctionDef) -> str:
    """Return the function's docstring."""
    return inspect.cleandoc(ast.get_docstring(function) or "")


def code(module: Module, function: ast.FunctionDef) -> str:
    """Return the function's source, decorators included."""
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
    lines = module.source.splitlines()[first - 1 : function.end_lineno]
    return "\n".join(lines)


def checks(function: ast.FunctionDef) -> tuple[str, ...]:
    """Return the checks of a function's values, as they are written."""
    return tuple(ast.unparse(each) for each in decorators(function, _CHECKING))


def value_type(function: ast.FunctionDef) -> str | None:
    """Return the annotated type of the values; None if it says only how they come."""
    note = function.returns
    if isinstance(note, ast.Constant) and isinstance(note.value, str):
        try:
            note = ast.parse(note.value, mode="eval").body
        except SyntaxError:
            return None
    if isinstance(note, ast.Subscript):
        inner = note.slice.elts[-1] if isinstance(note.slice, ast.Tuple) else note.slice
        return ast.unparse(inner)
    text = ast.unparse(note) if note is not None else ""
    return text if text in ("float", "int", "str", "bool") else None


def _add(module: Module, function: ast.FunctionDef) -> None:
    name = function.name.rpartition("__")[0] or function.name
    try:
        _check_types(function)
        said = _said(module, function)
        nodes = list(_nodes(name, function, said))
    except InvalidInput as error:
        module.problems.append((name, error.message))
        return
    for node in nodes:
        if node.name in module.nodes and node.name == node.function.name:
            first = module.nodes[node.name].function.lineno
            line = (
                f"{node.name} is defined twice, in lines {first} and {function.lineno} of "
                f"{module.path.name}. Rename one."
            )
            module.problems.append((node.name, line))
            continue
        module.nodes[node.name] = node


def _check_types(function: ast.FunctionDef) -> None:
    """Raise `InvalidInput` for a function without the types that Hamilton goes by."""
    given = function.args
    every = (*given.posonlyargs, *given.args, *given.kwonlyargs)
    bare = next((each.arg for each in every if each.annotation is None), None)
    if bare is not None or function.returns is None:
        what = f"of {bare}" if bare is not None else "that it returns"
        raise InvalidInput(
            f"{function.name}: the type {what} is not said, which Hamilton needs. Write it like "
            f"{bare or 'orders'}: pd.DataFrame, or -> pd.Series."
        )


def _nodes(name: str, function: ast.FunctionDef, said: Mapping[str, Any]) -> Iterator[Node]:
    inputs = _inputs(function)
    multiplied = [k for each in decorators(function, _MULTIPLYING) for k in each.keywords if k.arg]
    if multiplied:
        for keyword in multiplied:
            yield Node(str(keyword.arg), function, _replaced(inputs, keyword.value), said)
        return
    extracted = [
        column for each in decorators(function, _EXTRACTING) for column in _columns(each)
    ]  # fmt: skip
    yield Node(name, function, inputs, {} if extracted else said)
    for column in extracted:
        yield Node(column, function, (name,), said, extracted=True)


def _inputs(function: ast.FunctionDef) -> tuple[str, ...]:
    """Return the arguments without a default, which Hamilton would not ask for."""
    given = function.args
    plain = [each.arg for each in (*given.posonlyargs, *given.args)]
    plain = plain[: len(plain) - len(given.defaults)]
    named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return (*plain, *(each.arg for each, default in named if default is None))


def _columns(decorator: ast.Call) -> Iterator[str]:
    """Yield the names that ``extract_columns`` and ``extract_fields`` make nodes."""
    for each in decorator.args:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
        elif isinstance(each, ast.Tuple) and each.elts and isinstance(each.elts[0], ast.Constant):
            yield str(each.elts[0].value)
        elif isinstance(each, ast.Dict):
            yield from (str(key.value) for key in each.keys if isinstance(key, ast.Constant))
        elif isinstance(each, ast.List):
            yield from (str(key.value) for key in each.elts if isinstance(key, ast.Constant))


def _replaced(inputs: tuple[str, ...], given: ast.expr) -> tuple[str, ...]:
    """Return inputs where ``parameterize`` puts other nodes, or values, in place of some."""
    made = dict(_pairs(given))
    found: list[str] = []
    for name in inputs:
        value = made.get(name)
        if value is None:
            found.append(name)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.append(value.value)
        elif isinstance(value, ast.Call) and _last(value.func) == "source":
            found += [str(each.value) for each in value.args if isinstance(each, ast.Constant)]
    return tuple(found)


def _pairs(given: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(given, ast.Dict):
        for key, value in zip(given.keys, given.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value), value
    elif isinstance(given, ast.Call):
        yield from ((each.arg, each.value) for each in given.keywords if each.arg)


def _said(module: Module, function: ast.FunctionDef) -> dict[str, Any]:
    """Return what decorators say. Raises `InvalidInput` for what cannot be read."""
    found: dict[str, Any] = {}
    for decorator in decorators(function, _SAYING):
        for keyword in decorator.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = _literal(module, function, keyword.arg, keyword.value)
                continue
            for name, value in _pairs(keyword.value):
                found[name] = _literal(module, function, name, value)
    return found


def _literal(module: Module, function: ast.FunctionDef, word: str, value: ast.expr) -> Any:
    """Return what an expression stands for: a literal, or a constant of the module."""
    if isinstance(value, ast.Name):
        statement = module.bound.get(value.id)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            value = statement.value
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        raise InvalidInput(
            f"{function.name}: {word} is computed, so that it cannot be read. Write it out."
        ) from None


def _last(expression: ast.expr) -> str:
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def _names_bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import):
        yield from ((each.asname or each.name.partition(".")[0]) for each in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        yield from ((each.asname or each.name) for each in statement.names)
    else:
        for each in ast.walk(statement):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id
