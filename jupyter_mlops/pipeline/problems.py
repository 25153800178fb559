"""DVC's errors as one line that names the file and the place, and what to do."""

from __future__ import annotations

import os
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.serialize import parse_yaml_for_update
from dvc.utils.strictyaml import YAMLSyntaxError, YAMLValidationError, determine_linecol
from ruamel.yaml.error import MarkedYAMLError

#: With which the lines begin that git leaves where it could not merge.
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>")


def describe(error: BaseException, root: Path) -> str:
    """Return one line about what DVC refused."""
    if isinstance(error, YAMLSyntaxError):
        return _syntax(error)
    if isinstance(error, YAMLValidationError):
        return _validation(error)
    if isinstance(error, RecursionError):
        return "dvc.yaml refers to itself without an end. Break the circle of its aliases."
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}.".replace(f"{root}{os.sep}", "")
    place, problem = _mark(error.__cause__)
    text = f"{_joined(str(error)) or type(error).__name__}{place}{problem}"
    cause = error.__cause__
    if cause is not None and isinstance(cause, DvcException) and str(cause) not in text:
        text = f"{text}: {_joined(str(cause))}"
    return text.replace(f"{root}{os.sep}", "")


def _syntax(error: YAMLSyntaxError) -> str:
    place, problem = _mark(error.exc.__cause__ or error.__cause__)
    if error.hint:
        lines = error.yaml_text.splitlines()
        first = next((at for at, line in enumerate(lines, 1) if line.startswith(_MARKERS)), None)
        place = f", line {first}" if first else place
        where = f"{_path(error.relpath)}{place}"
        return f"{where} has merge conflict markers. Resolve them, then try again."
    return f"{_path(error.relpath)}{place} is not valid YAML{problem}. Mend it there."


def _mark(error: BaseException | None) -> tuple[str, str]:
    """Return where in a YAML file an error's cause lies, and what it is; empty if unknown."""
    while error is not None and not isinstance(error, MarkedYAMLError):
        error = error.__cause__
    if error is None:
        return "", ""
    mark = error.problem_mark or error.context_mark
    return f", line {mark.line + 1}" if mark else "", f": {error.problem or error.context}"


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
