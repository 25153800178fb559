"""Where a project's features are defined, and where their values lie."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core.exceptions import InvalidInput
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


def resolved(root: Path, address: str) -> str:
    """Return an address that a variable holds, or the project's ``.env``; any other as it is.

    Raises `InvalidInput` where neither says the variable.
    """
    if not address.startswith(ENVIRONMENT):
        return address
    from dotenv import dotenv_values

    name = address.removeprefix(ENVIRONMENT)
    found = os.environ.get(name) or dotenv_values(root / ".env").get(name)
    if not found:
        raise InvalidInput(f"The variable {name} is not set. Set it, or add it to .env.")
    return found
