"""A card as Markdown, for whoever reads the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.cards import Card, Part, PartStatus

_TITLES = {
    "definition": "Definition",
    "parameters": "Parameters",
    "functions": "Featurize and predict",
    "dependencies": "Dependencies",
    "data": "Data",
    "generation": "How it was made",
    "artifacts": "Artifacts",
    "tags": "Tags",
}
_LONGEST = 400
_ITEMS = 50


def markdown(card: Card) -> str:
    """Write a card."""
    lines = [
        f"# {_text(card.model)} v{card.version}",
        "",
        f"{card.complete} of {len(card.parts)} parts are complete. "
        f"Registered {card.created_at:%Y-%m-%d %H:%M} UTC"
        + (f" from run `{card.run_id}`." if card.run_id else "."),
        "",
    ]
    for part in card.parts:
        lines += [*_part(part), ""]
    return "\n".join(lines).rstrip() + "\n"


def _part(part: Part) -> Iterator[str]:
    status = "" if part.status is PartStatus.PRESENT else f" ({part.status})"
    yield f"## {_TITLES[part.name]}{status}"
    yield ""
    if part.line is not None:
        yield f"To complete it: {_text(part.line)}"
        yield ""
    for name, value in part.facts.items():
        yield from _fact(name.replace("_", " "), value)


def _fact(name: str, value: Any) -> Iterator[str]:
    if value in (None, "", [], {}):
        return
    if isinstance(value, Mapping) and isinstance(value.get("source"), str):
        yield f"- {name}:"
        yield ""
        yield from (f"      {line}" for line in value["source"].rstrip().splitlines())
        yield ""
    elif isinstance(value, Mapping):
        yield f"- {name}:"
        for key, each in list(value.items())[:_ITEMS]:
            yield f"  - {_text(str(key))}: {_short(each)}"
        if len(value) > _ITEMS:
            yield f"  - and {len(value) - _ITEMS} more"
    elif isinstance(value, list):
        yield f"- {name}:"
        yield from (f"  - {_short(each)}" for each in value[:_ITEMS])
        if len(value) > _ITEMS:
            yield f"  - and {len(value) - _ITEMS} more"
    else:
        yield f"- {name}: {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and {"path", "sha256"} <= value.keys():
        by = f", kept by {value['kept_by']}" if value.get("kept_by") else ""
        return f"`{value['path']}`, {value.get('size')} bytes, sha256 `{value['sha256']}`{by}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return _text(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _text(text: str) -> str:
    """Return text as Markdown that shows it and nothing else."""
    for each in "\\`*_{}[]<>#|":
        text = text.replace(each, f"\\{each}")
    return text
