"""Tells idle cullers that the server is in use while runs are queued or running."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..app.messages import HealthView, StatusView
from ..app.operations import HEALTH, STATUS
from ..app.runtime import runtime_dir
from ..core.exceptions import MlopsError
from .link import Gone, fetch

#: Seconds between two looks.
PERIOD = 60.0


async def busy_projects(root: Path) -> list[str]:
    """Return the projects below the server's root whose workers have something to do.

    Every worker of the user is asked, whoever started it: a sweep may come from a shell.
    """
    found: list[str] = []
    for socket in sorted(runtime_dir().glob("*.sock")):
        try:
            health = msgspec.json.decode(await fetch(socket, HEALTH), type=HealthView)
            if not Path(health.project).is_relative_to(root):
                continue
            status = msgspec.json.decode(await fetch(socket, STATUS), type=StatusView)
        except (Gone, MlopsError, msgspec.DecodeError):
            continue
        if status.queued or status.running:
            found.append(health.project)
    return found
