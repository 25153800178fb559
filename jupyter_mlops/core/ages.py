"""How ages are written, such as ``30d``."""

from __future__ import annotations

import re

from .exceptions import InvalidInput

_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_AGE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_age(text: str) -> float:
    """Read an age such as ``30d``, ``12h`` or ``2w`` and return seconds."""
    match = _AGE.fullmatch(text)
    unit = _SECONDS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise InvalidInput(
            f"older_than: {text!r} is no age. Write it like 30d, 12h or 2w.", field="older_than"
        )
    return float(match[1]) * unit
