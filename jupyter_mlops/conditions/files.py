"""Reads files of metrics and parameters as DVC reads them: JSON, TOML, and YAML for the rest."""

from __future__ import annotations

import difflib
import json
import stat
import tomllib
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput

#: Most bytes of a file, values in it with all that YAML's aliases repeat, and levels of nesting.
MAX_BYTES = 5_000_000
MAX_VALUES = 200_000
MAX_LEVELS = 50


def read_values(path: Path, shown: str) -> Any:
    """Return what a file says as plain values, its keys as text.

    Raises `InvalidInput` in one line with the file as ``shown``, and the place of what is broken.
    """
    text = _text(path, shown)
    try:
        found = _parsed(text, path.suffix.lower())
        return _Plainer().plain({} if found is None else found)
    except RecursionError:
        problem = "it is nested too deeply"
    except _Broken as error:
        problem = str(error)
    raise InvalidInput(f"{shown} cannot be read: {problem}. Mend the file.")


class _Broken(Exception):
    """What is wrong with a file's content."""


class _Plainer:
    """Makes plain values of what a reader returned, and gives up where there are too many."""

    def __init__(self) -> None:
        self._count = 0

    def plain(self, value: Any, level: int = 0) -> Any:
        """Return a value as number, text, truth value, None, list or dict."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise _Broken(f"it holds more than {MAX_VALUES:,} values, aliases counted")
        if level > MAX_LEVELS:
            raise _Broken("it is nested too deeply")
        match value:
            case None | bool() | str():
                return value
            case int() | float():
                return float(value) if isinstance(value, float) else int(value)
            case dict():
                return {str(key): self.plain(each, level + 1) for key, each in value.items()}
            case list() | tuple() | set():
                return [self.plain(each, level + 1) for each in value]
            case _:  # dates and times
                return str(value)


def _text(path: Path, shown: str) -> str:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InvalidInput(f"{shown} is no file. Name a file of metrics or parameters.")
        if facts.st_size > MAX_BYTES:
            raise InvalidInput(
                f"{shown} is larger than {MAX_BYTES // 1_000_000} MB. "
                "Write what is compared into a file of its own."
            )
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InvalidInput(
            f"There is no file {shown}.{_meant(path)} Make it first, or begin the condition with: "
            f'exists("{shown}") and'
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{shown} is no UTF-8 text. Write it as UTF-8.") from None
    except OSError as error:
        raise InvalidInput(f"{shown} cannot be read: {error.strerror}.") from error


def _meant(path: Path) -> str:
    try:
        names = [each.name for each in path.parent.iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _parsed(text: str, suffix: str) -> Any:
    readers = {".json": _json, ".toml": _toml}
    return readers.get(suffix, _yaml)(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise _Broken(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # a number with thousands of digits
        raise _Broken(str(error).split(";", 1)[0]) from None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _Broken(str(error)) from None


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        # The other reader is written in C, whose stack a deeply nested file would overflow.
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise _Broken(f"{problem}{where}") from None
    except ValueError as error:  # such as a date that does not exist
        raise _Broken(str(error)) from None
