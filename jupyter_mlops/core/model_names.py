"""What models, aliases and tags may be called: what MLflow takes, and what can name a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .cards import RESERVED
from .exceptions import InvalidInput

#: Longest name of a model or an alias.
LIMIT = 250

_FORBIDDEN = '/\\:@%?#*"<>|'
_ALIAS = re.compile(r"[\w-]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)
_TAG = re.compile(r"\w[\w.\-/ :]{0,249}")
#: Longest text of a tag: a card shows it whole, and MLflow takes more.
_TEXT = 5000


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


def check_own_tags(tags: Mapping[str, str]) -> None:
    """Raise `InvalidInput` unless tags are such as a person may set."""
    taken = next((name for name in tags if name.startswith(RESERVED)), None)
    if taken is not None:
        raise InvalidInput(f"tags: {taken} is not yours to set. Choose another name.", field="tags")
    check_tags(tags)


def check_notes(notes: str | None) -> None:
    """Raise `InvalidInput` unless MLflow takes the notes on a version."""
    if notes is not None and len(notes) > _TEXT:
        raise InvalidInput(
            f"notes: they have {len(notes):,} characters; MLflow takes {_TEXT:,}.", field="notes"
        )


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise `InvalidInput` unless MLflow takes tags of a version."""
    for name, text in tags.items():
        if not _TAG.fullmatch(name):
            raise InvalidInput(
                f"tags: {name!r} is no name of a tag. Use letters, digits, and . _ - /",
                field="tags",
            )
        if len(text) > _TEXT and not name.startswith("mlops."):
            raise InvalidInput(
                f"tags: {name} has {len(text):,} characters. A tag has {_TEXT:,} at most.",
                field="tags",
            )
