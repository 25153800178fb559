"""Where a project's features are defined, and where their values lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core.features import Source

#: Begins a URL that the variable behind it holds, or the project's ``.env``.
ENVIRONMENT = "env:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The folders and sources of a project's features."""

    #: The project's folder.
    root: Path
    #: Folder of the modules that define features.
    modules: Path
    #: Folder of the computed values.
    data: Path
    #: URL of the online store: ``sqlite:///PATH``, ``redis://HOST:PORT/DB``, or ``env:VARIABLE``.
    online: str
    sources: Mapping[str, Source] = field(default_factory=dict)
