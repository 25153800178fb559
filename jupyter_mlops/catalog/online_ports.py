"""What online stores do, whichever they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from .encoding import Fill

#: Returns the keys of a fill that are asked for; None stands for one of which a part is missing.
KeysOf = Callable[[Fill], Sequence[bytes | None]]


@dataclass(frozen=True, slots=True)
class Found:
    """Values of a feature, one for each key; None where there is none."""

    fill: Fill
    entries: list[bytes | None]


class Filling(Protocol):
    """Writes fills, which nobody sees before they are published."""

    def add(self, feature: str, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Write values of a feature, and return how many."""

    def publish(self, fills: Sequence[Fill]) -> None:
        """Make fills the current ones, all at one moment."""

    def remove(self, features: Collection[str]) -> None:
        """Take features off."""


class Online(Protocol):
    """Keeps the newest value of each entity. Raises `OnlineUnavailable` where it cannot."""

    def fills(self) -> dict[str, Fill]:
        """Return what is online."""

    def read(self, features: Sequence[str], keys_of: KeysOf) -> dict[str, Found]:
        """Return the values of keys of the features that are online, all as of one moment."""

    def filling(self) -> AbstractContextManager[Filling]:
        """Begin to fill."""

    def close(self) -> None:
        """Let go of the store."""
