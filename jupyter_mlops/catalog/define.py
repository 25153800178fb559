"""``mlops.feature``: what a function says of the feature that it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..core.exceptions import InvalidInput
from ..core.features import Period, parse_duration
from .extensions import prepare

F = TypeVar("F", bound=Callable[..., Any])

#: The words of the decorator, which are those of Hamilton's ``tag``, too.
WORDS = (
    "entity",
    "timestamp",
    "owner",
    "tags",
    "ttl",
    "lookback",
    "partition",
    "sensitivity",
    "cost",
)


def feature(  # noqa: PLR0913  # by name, and each but one with a default
    *,
    entity: str | Sequence[str],
    timestamp: str | None = None,
    owner: str | None = None,
    tags: Sequence[str] = (),
    ttl: str | None = None,
    lookback: str | None = None,
    partition: str | None = None,
    sensitivity: str | None = None,
    cost: str | None = None,
) -> Callable[[F], F]:
    """Make a function of a module below ``features/`` a feature.

    ``entity`` is the column, or columns, that say what it describes; ``timestamp`` the column that
    says from when on a value was known, left out for what never changes. A value holds for ``ttl``
    (``"7d"``) and looks back for ``lookback``. Values are kept by ``partition``: ``day``, ``month``
    or ``year``. ``sensitivity="restricted"`` keeps values from those whom the project's settings do
    not name. The rest is for the catalog.

    It says all this by Hamilton's ``tag``, so that the module runs under Hamilton alone, where
    ``tag`` with the same words can take its place. Raises `InvalidInput`.
    """
    prepare()
    from hamilton.function_modifiers import tag

    for name, text in (("ttl", ttl), ("lookback", lookback)):
        if text is not None:
            parse_duration(text, name)
    if partition is not None and partition not in list(Period):
        raise InvalidInput(
            f"partition: {partition!r} is none of {', '.join(Period)}.", field="partition"
        )
    given = {
        "entity": entity if isinstance(entity, str) else list(entity),
        "timestamp": timestamp,
        "owner": owner,
        "tags": list(tags) or None,
        "ttl": ttl,
        "lookback": lookback,
        "partition": partition,
        "sensitivity": sensitivity,
        "cost": cost,
    }
    made: Callable[[F], F] = tag(**{name: each for name, each in given.items() if each})
    return made
