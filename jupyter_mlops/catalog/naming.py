"""Names of columns that features are returned in, equal for training sets and online."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from ..core.exceptions import InvalidInput
from ..core.features import Definition


def columns_of(
    definitions: Sequence[Definition], taken: Collection[str] = ()
) -> dict[str, Definition]:
    """Return features by their columns: a feature's own name, or its full one if two share that.

    Raises `InvalidInput` if a column is taken.
    """
    counts = Counter(each.name for each in definitions)
    found = {each.name if counts[each.name] == 1 else each.full_name: each for each in definitions}
    for column, each in found.items():
        if column in taken:
            raise InvalidInput(
                f"{each.full_name}: the entities have a column {column} already. "
                "Rename it or leave it out.",
                field="entities",
            )
    return found
