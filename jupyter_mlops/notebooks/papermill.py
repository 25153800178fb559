"""The command line of papermill, read as papermill reads it."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import yaml

from ..core.exceptions import InvalidInput
from ..core.stages import NotebookCommand, Program
from ..core.values import MAX_DEPTH
from .arguments import Flag, Given, NotPlain, parse
from .nbconvert import input_notebook

_FLAGS = (
    Flag(name="parameters", forms=("-p", "--parameters"), takes=2),
    Flag(name="raw", forms=("-r", "--parameters_raw"), takes=2),
    Flag(name="file", forms=("-f", "--parameters_file")),
    Flag(name="yaml", forms=("-y", "--parameters_yaml")),
    Flag(name="base64", forms=("-b", "--parameters_base64")),
    Flag(name="inject_input", forms=("--inject-input-path",), takes=0),
    Flag(name="inject_output", forms=("--inject-output-path",), takes=0),
    Flag(name="inject_paths", forms=("--inject-paths",), takes=0),
    Flag(name="engine", forms=("--engine",)),
    Flag(name="kernel", forms=("-k", "--kernel")),
    Flag(name="language", forms=("-l", "--language")),
    Flag(name="cwd", forms=("--cwd",)),
    Flag(name="start_timeout", forms=("--start-timeout", "--start_timeout")),
    Flag(name="execution_timeout", forms=("--execution-timeout",)),
    Flag(name="report", forms=("--report-mode",), takes=0),
    Flag(name="no_report", forms=("--no-report-mode",), takes=0),
    Flag(name="prepare_execute", forms=("--prepare-execute",), takes=0),
    # What is printed, and how often the output is written meanwhile, makes no other notebook.
    Flag(name="autosave", forms=("--autosave-cell-every",)),
    Flag(name="log_level", forms=("--log-level",)),
    Flag(
        name="printing",
        forms=(
            *("--progress-bar", "--no-progress-bar", "--log-output", "--no-log-output"),
            *("--request-save-on-cell-execute", "--no-request-save-on-cell-execute"),
        ),
        takes=0,
    ),
)

_LOG_LEVELS = ("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

#: papermill's engines that do what ours does.
_ENGINES = ("nbclient", "mlops")


def read_command(words: list[str], folder: Path) -> NotebookCommand:
    """Read what follows the program's name. Raises `NotPlain`."""
    arguments, given = parse(words, _FLAGS)
    if len(arguments) != 2:
        raise NotPlain
    source, target = arguments
    last = {name: value[0] if value else "" for name, value in given}
    if last.get("engine", "mlops") not in _ENGINES:
        raise NotPlain
    if last.get("log_level", "INFO") not in _LOG_LEVELS:
        raise NotPlain
    _whole(last.get("autosave", "30"))
    reports = [name for name, _ in given if name in ("report", "no_report")]
    return NotebookCommand(
        program=Program.PAPERMILL,
        notebook=input_notebook(source, folder),
        source=source,
        folder=folder / last.get("cwd", "."),
        first=_first(given, source, target),
        files=tuple(folder / _local(value[0]) for name, value in given if name == "file"),
        parameters=_parameters(given),
        output=input_notebook(target, folder),
        target=target,
        options=_limits(last),
        start_timeout=_start_timeout(last),
        language=last.get("language") or None,
        report=reports[-1:] == ["report"],
    )


def _limits(last: dict[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {"allow_undeclared": True}
    if last.get("kernel"):
        options["kernel"] = last["kernel"]
    seconds = _whole(last.get("execution_timeout", "0"))
    if seconds > 0:
        options["cell_timeout"] = float(seconds)
    return options


def _start_timeout(last: dict[str, str]) -> float | None:
    if "start_timeout" not in last:
        return None
    seconds = _whole(last["start_timeout"])
    if seconds <= 0:
        raise NotPlain
    return float(seconds)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotPlain from None


def _local(path: str) -> str:
    if "://" in path or not path or path == "-":
        raise NotPlain
    return path


# -- parameters -----------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML whose dates stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - yaml looks for a plain dict
        first: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_parameters(path: Path) -> dict[str, Any]:
    """Read a file of parameters. Raises `InvalidInput`."""
    try:
        return _mapping(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except (NotPlain, ValueError) as error:
        raise InvalidInput(f"{path} is no YAML of parameters by their names.") from error


def _first(given: list[Given], source: str, target: str) -> dict[str, Any]:
    names = {name for name, _ in given}
    found: dict[str, Any] = {}
    if names & {"inject_input", "inject_paths"}:
        found["PAPERMILL_INPUT_PATH"] = source
    if names & {"inject_output", "inject_paths"}:
        found["PAPERMILL_OUTPUT_PATH"] = target
    for name, value in given:
        if name == "base64":
            try:
                found |= _mapping(base64.b64decode(value[0]))
            except binascii.Error:
                raise NotPlain from None
    return found


def _parameters(given: list[Given]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given:
        if name == "yaml":
            found |= _mapping(value[0])
    for name, value in given:
        if name == "parameters":
            found[value[0]] = typed(value[1])
    found |= {value[0]: value[1] for name, value in given if name == "raw"}
    if not all(map(_is_plain, found.values())):
        raise NotPlain
    return found


def typed(text: str) -> bool | int | float | str | None:
    """Give a value of ``-p`` the type that it looks like."""
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _mapping(text: str | bytes) -> dict[str, Any]:
    try:
        found = yaml.load(text, Loader=_Loader) or {}  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise NotPlain from None
    if not isinstance(found, dict) or not _is_plain(found):
        raise NotPlain
    return found


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value reaches a notebook, and our records, as it is."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, list):
        return all(_is_plain(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and _is_plain(
            list(value.values()), depth + 1
        )
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str | float)
