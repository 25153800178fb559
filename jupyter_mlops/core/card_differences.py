"""Two cards side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .cards import Card, PartName

#: Facts that differ between any two versions and tell nothing.
_ALWAYS = frozenset({"run", "kept", "used", "machine", "sweep", "executable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One fact of two cards."""

    part: str
    name: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return bool(self.first != self.second)


def differences(first: Card, second: Card) -> list[Difference]:
    """Return the facts of two cards: those that differ first, else in the cards' order."""
    found = [each for name in PartName for each in _of_part(name, first, second)]
    return sorted(found, key=lambda each: not each.differs)


def _of_part(name: PartName, first: Card, second: Card) -> Iterator[Difference]:
    before, after = (dict(_flat(card.part(name).facts)) for card in (first, second))
    for key in dict.fromkeys([*before, *after]):
        yield Difference(part=name.value, name=key, first=before.get(key), second=after.get(key))


def _flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield single facts; files, rows of a list and the like go by their path."""
    for name, value in facts.items():
        if not prefix and name in _ALWAYS:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and all(_is_file(each) for each in value):
            yield from ((f"{prefix}{each['path']}", each.get("sha256")) for each in value)
        elif value not in (None, "", [], {}):
            yield f"{prefix}{name}", value


def _is_file(value: Any) -> bool:
    return isinstance(value, Mapping) and "path" in value
