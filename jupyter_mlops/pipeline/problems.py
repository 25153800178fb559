"""DVC's errors as one line that names the file and the place, and what to do."""

from __future__ import annotations

import os
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.serialize import parse_yaml_for_update
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError, determine_linecol
from ruamel.yaml.error import MarkedYAMLError


def describe(error: BaseException, root: Path) -> str:
    """Return one line about what DVC refused."""
    if isinstance(error, YAMLSyntaxError):
        return _syntax(error)
    if isinstance(error, YAMLValidationError):
        return _validation(error)
    if isinstance(error, RecursionError):
        return "dvc.yaml refers to itself without an end. Break the circle of its aliases."
    text = _joined(str(error)) or type(error).__name__
    cause = error.__cause__
    if cause is not None and isinstance(cause, DvcException) and str(cause) not in text:
        text = f"{text}: {_joined(str(cause))}"
    return text.replace(f"{root}{os.sep}", "")


def _syntax(error: YAMLSyntaxError) -> str:
    cause = error.exc.__cause__ or error.__cause__
    place, problem = "", ""
    if isinstance(cause, MarkedYAMLError):
        mark = cause.problem_mark or cause.context_mark
        place = f", line {mark.line + 1}" if mark is not None else ""
        problem = f": {cause.problem or cause.context}"
    if error.hint:
        where = f"{_path(error.relpath)}{place}"
        return f"{where} has merge conflict markers. Resolve them, then try again."
    return f"{_path(error.relpath)}{place} is not valid YAML{problem}. Mend it there."


def _validation(error: YAMLValidationError) -> str:
    data = parse_yaml_for_update(error.text, error.path)
    first = error.exc.errors[0]
    line = None
    if isinstance(data, dict):
        line, _, _ = determine_linecol(data, first.path)
    place = f", line {line}" if line else ""
    where = " -> ".join(str(part) for part in first.path)
    return f"{_path(error.path)}{place}: {first.error_message}{f' in {where}' if where else ''}."


def _path(path: str) -> str:
    return path.removeprefix("./")


def _joined(text: str) -> str:
    return " ".join(text.split())
