"""What models and aliases may be called: what MLflow takes, and what can name a folder."""

from __future__ import annotations

import re

from .exceptions import InvalidInput

#: Longest name of a model or an alias.
LIMIT = 250

_FORBIDDEN = '/\\:@%?#*"<>|'
_ALIAS = re.compile(r"[\w-]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)


def check_model_name(name: str) -> str:
    """Return the name of a model. Raises `InvalidInput`."""
    if not name.strip() or name != name.strip():
        raise InvalidInput(
            "name: a model's name must not be empty, nor begin or end with a space.", field="name"
        )
    if len(name) > LIMIT:
        raise InvalidInput(
            f"name: a model's name has at most {LIMIT} characters, this one has {len(name)}.",
            field="name",
        )
    found = next((each for each in name if each in _FORBIDDEN or not each.isprintable()), None)
    if found is not None:
        raise InvalidInput(
            f"name: a model's name must not contain {found!r}. Use letters, digits, - and _.",
            field="name",
        )
    if name.startswith("."):
        raise InvalidInput("name: a model's name must not begin with a dot.", field="name")
    return name


def check_alias(alias: str) -> str:
    """Return the alias of a model version. Raises `InvalidInput`."""
    if not _ALIAS.fullmatch(alias) or len(alias) > LIMIT:
        raise InvalidInput(
            f"alias: {alias!r} is no alias. Use letters, digits, - and _, for example champion.",
            field="alias",
        )
    if alias.lower() == "latest" or _VERSION.fullmatch(alias):
        raise InvalidInput(
            f"alias: {alias} means a version already. Choose another, for example champion.",
            field="alias",
        )
    return alias
