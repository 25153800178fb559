"""What checks of features, and comparisons of their distributions, found last."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..core.features import Finding
from ..core.files import write_atomically
from .place import Place
from .storing import Offline

Kind = Literal["check", "drift"]


def note(place: Place, name: str, kind: Kind, finding: Finding) -> None:
    """Keep what was found of a feature, by its full name, in place of what was before."""
    path = _path(place, name, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "at": finding.at.isoformat(),
        "good": finding.good,
        "line": finding.line,
        "facts": dict(finding.facts),
    }
    write_atomically(path, json.dumps(record).encode())


def last(place: Place, name: str, kind: Kind) -> Finding | None:
    """Return what was found last."""
    try:
        record = json.loads(_path(place, name, kind).read_bytes())
        return Finding(
            at=datetime.fromisoformat(record["at"]),
            good=bool(record["good"]),
            line=str(record["line"]),
            facts=dict(record["facts"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(place: Place, name: str, kind: Kind) -> Path:
    return Offline(place).folder(name) / f"{kind}.json"
