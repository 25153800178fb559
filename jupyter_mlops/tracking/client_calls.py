"""What a notebook's own code asks of MLflow, as far as it can be read without running it.

MLflow refuses to continue a run after ``set_experiment`` chose another experiment, and to log a
parameter twice with different values. So we have to know before the kernel starts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

_NAMES = ("set_experiment", "set_tracking_uri", "log_param", "log_params", "autolog")
_MENTIONED = re.compile(
    rf"\b({'|'.join(_NAMES)})\s*\((?:\s*(?:experiment_name\s*=\s*)?(['\"])([^'\"\\\n]+)\2)?"
)


def client_calls(cells: Iterable[str]) -> dict[str, Any]:
    """Return what the sources of code cells ask of MLflow, as JSON.

    ``experiments``: the names given to ``set_experiment``, None for one that is computed.
    ``tracking_uri``: whether ``set_tracking_uri`` is called.
    ``parameters``: whether parameters may be logged.
    """
    experiments: list[str | None] = []
    called: set[str] = set()
    for source in cells:
        for name, first in _calls(source):
            called.add(name)
            if name == "set_experiment" and first not in experiments:
                experiments.append(first)
    return {
        "experiments": experiments,
        "tracking_uri": "set_tracking_uri" in called,
        "parameters": bool(called & {"log_param", "log_params", "autolog"}),
    }


def _calls(source: str) -> Iterator[tuple[str, str | None]]:
    """Yield each call's name and its first argument if that is a literal text."""
    if not _MENTIONED.search(source):
        return
    try:
        tree = ast.parse(_without_magics(source))
    except (SyntaxError, ValueError):
        yield from ((match[1], match[3]) for match in _MENTIONED.finditer(source))
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", None))
            if name in _NAMES:
                yield name, _first_argument(node)


def _first_argument(call: ast.Call) -> str | None:
    named = [each.value for each in call.keywords if each.arg == "experiment_name"]
    given = [*call.args[:1], *named]
    if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str):
        return given[0].value
    return None


def _without_magics(source: str) -> str:
    """Replace the lines that IPython reads itself."""
    return "\n".join(map(_plain, source.splitlines()))


def _plain(line: str) -> str:
    code = line.strip()
    is_magic = code.startswith(("%", "!", "?")) or code.endswith("?")
    return line[: len(line) - len(line.lstrip())] + "pass" if is_magic else line
