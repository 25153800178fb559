"""Which trackers there are."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import cast

from ..core.exceptions import InvalidInput
from ..core.mirrors import Mirror

#: Entry points of this group name further trackers.
GROUP = "jupyter_mlops.trackers"

_OWN = {
    "comet": ("jupyter_mlops.mirrors.comet_mirror", "CometMirror"),
    "wandb": ("jupyter_mlops.mirrors.wandb_mirror", "WandbMirror"),
}


def known_trackers() -> list[str]:
    """Return the names that the setting ``trackers`` may hold."""
    return sorted({*_OWN, *(each.name for each in importlib.metadata.entry_points(group=GROUP))})


def is_known(name: str) -> bool:
    """Whether there is such a tracker."""
    return name in _OWN or bool(importlib.metadata.entry_points(group=GROUP, name=name))


def open_mirror(name: str, folder: Path) -> Mirror:
    """Open a tracker. Raises `InvalidInput`, and what its client raises."""
    for found in importlib.metadata.entry_points(group=GROUP, name=name):
        make = cast("Callable[[Path], Mirror]", found.load())
        return make(folder)
    if name not in _OWN:
        known = ", ".join(known_trackers())
        raise InvalidInput(f"There is no tracker {name} (there are: {known}). Mend the settings.")
    module, attribute = _OWN[name]
    try:
        own = cast("Callable[[Path], Mirror]", getattr(importlib.import_module(module), attribute))
        return own(folder)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"The package {error.name} is missing. Run: pip install 'jupyter-mlops[{name}]'"
        ) from error
