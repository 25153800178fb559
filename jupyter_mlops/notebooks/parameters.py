"""Reads the parameters that a notebook declares, without executing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..core.exceptions import NotebookUnreadable
from ..core.parameters import Parameter
from ..core.values import Value
from .expressions import ANY, NotLiteralError, Type, evaluate, type_of_annotation, type_of_value
from .sources import NOT_PYTHON, Comment, comments, parse_cell

#: Cells of more characters are not offered as parameters cells.
_MAX_CANDIDATE = 20_000
#: Share of a candidate's statements that are literal assignments.
_MOSTLY = 0.75
_MAX_SOURCE = 200
_SILENT = Comment(annotation=None, help=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotebookParameters:
    """What a notebook declares."""

    #: Whether a code cell is tagged ``parameters``, and its position among all cells, from 0.
    has_cell: bool
    cell_index: int | None
    parameters: tuple[Parameter, ...]
    #: Without such a cell: positions of the cells that could be one, best first.
    candidates: tuple[int, ...]
    kernel_name: str | None
    language: str | None
    #: Whether the parameters could be read. If not (another language), names cannot be checked.
    readable: bool


def read_parameters(notebook: Mapping[str, Any]) -> NotebookParameters:
    """Read the parameters of a notebook's JSON.

    Raise NotebookUnreadable for two parameters cells and for one that is not Python though the
    notebook is.
    """
    cells = notebook["cells"]
    metadata = _mapping(notebook.get("metadata"))
    kernelspec = _mapping(metadata.get("kernelspec"))
    language = _text(_mapping(metadata.get("language_info")).get("name"))
    language = language or _text(kernelspec.get("language"))
    readable = language is None or language.lower().startswith(("python", "ipython"))
    index = _parameters_cell(cells)
    parameters: tuple[Parameter, ...] = ()
    candidates: tuple[int, ...] = ()
    if readable and index is not None:
        parameters = _declared(source_of(cells[index]))
    elif readable:
        candidates = _candidates(cells)
    return NotebookParameters(
        has_cell=index is not None,
        cell_index=index,
        parameters=parameters,
        candidates=candidates,
        kernel_name=_text(kernelspec.get("name")),
        language=language,
        readable=readable,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def tags_of(cell: Mapping[str, Any]) -> list[object]:
    """Return the tags of a cell's JSON."""
    tags = _mapping(cell.get("metadata")).get("tags")
    return tags if isinstance(tags, list) else []


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the source of a cell's JSON, which may be a list of lines."""
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _parameters_cell(cells: list[dict[str, Any]]) -> int | None:
    tagged = [
        index
        for index, cell in enumerate(cells)
        if cell.get("cell_type") == "code"
        and "parameters" in tags_of(cell)
        and "injected-parameters" not in tags_of(cell)
    ]
    if len(tagged) > 1:
        # Values would be injected after the first one, and the second would undo them.
        raise NotebookUnreadable(
            f"Cells {tagged[0] + 1} and {tagged[1] + 1} are both tagged parameters."
            " Remove the tag from one."
        )
    return tagged[0] if tagged else None


def _declared(source: str) -> tuple[Parameter, ...]:
    try:
        cell = parse_cell(source)
    except NOT_PYTHON as error:
        line = getattr(error, "lineno", None)
        place = f"line {line}: " if line else ""
        reason = getattr(error, "msg", None) or "it is not Python that can be read"
        raise NotebookUnreadable(f"Parameters cell, {place}{reason}. Correct the cell.") from None
    remarks = comments(cell)
    found: dict[str, Parameter] = {}
    for statement in cell.body:
        remark = remarks.get(statement.end_lineno or 0) or remarks.get(statement.lineno) or _SILENT
        for parameter in _parameters_of(statement, cell.source, remark):
            found[parameter.name] = parameter
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            changed = found.get(statement.target.id)
            if changed:
                shown = _shown(statement, cell.source)
                found[changed.name] = replace(changed, default=shown, has_default=False)
    return tuple(found.values())


def _parameters_of(statement: ast.stmt, source: str, remark: Comment) -> Iterator[Parameter]:
    annotation: ast.expr | None = None
    value: ast.expr | None = None
    targets: list[ast.expr] = []
    if isinstance(statement, ast.AnnAssign):
        targets, annotation, value = [statement.target], statement.annotation, statement.value
    elif isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
        annotation = ast.Constant(remark.annotation) if remark.annotation else None
    type_ = type_of_annotation(annotation) if annotation else None
    written = _annotation_text(annotation, source)
    for target in targets:
        for name, default in _names(target, _Default(value, whole=True)):
            if name.startswith("__") and name.endswith("__"):
                continue
            plain = _parameter(name, type_, default, source)
            yield replace(plain, annotation=written, help=remark.help)


@dataclass(frozen=True, slots=True)
class _Default:
    """The expression that a name is assigned, or one of whose parts it is assigned."""

    node: ast.expr | None
    whole: bool


def _names(target: ast.expr, default: _Default) -> Iterator[tuple[str, _Default]]:
    """Pair the names of an assignment's target with what they are assigned."""
    match target:
        case ast.Name(id=name):
            yield name, default
        case ast.Starred(value=inner):
            yield from _names(inner, replace(default, whole=False))
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            parts = [replace(default, whole=False)] * len(targets)
            starred = any(isinstance(each, ast.Starred) for each in targets)
            if isinstance(default.node, (ast.Tuple, ast.List)) and not starred:
                parts = [_Default(part, default.whole) for part in default.node.elts]
            for each, part in zip(targets, parts, strict=False):
                yield from _names(each, part)


def _parameter(name: str, declared: Type | None, default: _Default, source: str) -> Parameter:
    value: Value = None
    has_default = False
    if default.node is not None:
        try:
            value, has_default = evaluate(default.node), default.whole
        except NotLiteralError:
            has_default = False
        if not has_default:
            value = _shown(default.node, source)
    type_ = declared or (type_of_value(value) if has_default else ANY)
    return Parameter(
        name=name,
        kind=type_.kind,
        annotation=None,
        default=value,
        has_default=has_default,
        choices=type_.choices,
        optional=type_.optional or (has_default and value is None),
        help=None,
    )


def _annotation_text(annotation: ast.expr | None, source: str) -> str | None:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.strip()
    return _shown(annotation, source) if annotation else None


def _shown(node: ast.AST, source: str) -> str:
    """Return the source of a node on one line."""
    line = " ".join((ast.get_source_segment(source, node) or "").split())
    return line if len(line) <= _MAX_SOURCE else f"{line[: _MAX_SOURCE - 1]}…"


def _candidates(cells: list[dict[str, Any]]) -> tuple[int, ...]:
    scored: list[tuple[float, int, int]] = []
    for index, cell in enumerate(cells):
        if cell.get("cell_type") != "code" or "injected-parameters" in tags_of(cell):
            continue
        source = source_of(cell)
        share, literals = _literal_share(source) if len(source) <= _MAX_CANDIDATE else (0.0, 0)
        if share >= _MOSTLY:
            scored.append((-share, -literals, index))
    return tuple(index for _, _, index in sorted(scored))


def _literal_share(source: str) -> tuple[float, int]:
    """Return the share and the number of a cell's statements that assign literals."""
    try:
        cell = parse_cell(source)
    except NOT_PYTHON:
        return 0.0, 0
    literals = others = 0
    for statement in cell.body:
        found = list(_parameters_of(statement, cell.source, _SILENT))
        if found and all(parameter.has_default for parameter in found):
            literals += 1
        elif not _is_neutral(statement):
            others += 1
    return literals / max(1, literals + others), literals


def _is_neutral(statement: ast.stmt) -> bool:
    """Return whether it is an import, a magic (now ``pass``) or a string."""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
