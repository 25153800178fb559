"""Values that settings leave to the environment."""

from __future__ import annotations

import msgspec


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An environment variable, or an entry of the project's ``.env``."""

    env: str
