"""Whether a worker of the cluster can execute our attempts, before anything is sent there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

#: The packages without which a node cannot work, those that must be of our version, and those
#: that must be of our major version.
_NEEDED = ("jupyter-mlops", "papermill", "ipykernel")
_SAME = ("jupyter-mlops",)
_ALIKE = ("papermill", "ipykernel")

#: What a worker is asked; an expression, since it may have nothing of ours that could be called.
QUESTION = (
    "{'python': list(__import__('sys').version_info[:2]), 'packages': {each.name.lower(): "
    "each.version for each in __import__('importlib.metadata').metadata.distributions() "
    f"if each.name and each.name.lower().replace('_', '-') in {_NEEDED!r}}}}}"
)


def lacking(found: Mapping[str, Any]) -> str | None:
    """Say in a line why a worker that answered so is of no use; None if it is."""
    ours = list(sys.version_info[:2])
    if list(found["python"]) != ours:
        theirs, here = (".".join(map(str, each)) for each in (found["python"], ours))
        return f"it has Python {theirs}, and here is {here}"
    packages = {name.replace("_", "-"): version for name, version in found["packages"].items()}
    missing = [name for name in _NEEDED if name not in packages]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed there"
    for name in (*_SAME, *_ALIKE):
        here = metadata.version(name)
        is_same = packages[name] == here
        if not (is_same or (name in _ALIKE and _major(packages[name]) == _major(here))):
            return f"it has {name} {packages[name]}, and here is {here}"
    return None


def _major(version: str) -> str:
    return version.partition(".")[0]
