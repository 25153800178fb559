"""What the notebooks of runs over features call: computing, joining, checking.

Runs in the kernel, from whose folder the project is found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..catalog.place import Place
from ..catalog.reading import Catalog, read_catalog
from ..core.exceptions import Conflict
from ..core.features import (
    Ingredient,
    Leak,
    Why,
    Window,
    as_record,
)
from ..core.runs import DECLARATION, INGREDIENT, PROJECT_VARIABLE, READS_VARIABLE
from .feature_views import local_files
from .places import place_of
from .projects import find_project

if TYPE_CHECKING:
    from ..catalog.joining import TrainingSet


#: Differences of one feature that are printed.
_SHOWN = 20


class FeaturesDiffer(Conflict):
    """A feature is not the same online and offline."""

    code = "features_differ"


class FeaturesDrifted(Conflict):
    """A feature differs from what it was at training by more than is allowed."""

    code = "features_drifted"


def open_catalog() -> tuple[Place, Catalog]:
    """Return the place and catalog of the project of this process."""
    place = place_of(find_project(os.environ.get(PROJECT_VARIABLE) or Path.cwd()))
    return place, read_catalog(place)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of the work: metrics of its run, and what makes it fail."""

    metrics: Mapping[str, float]
    error: Conflict | None = None

    def check(self) -> None:
        """Raise what makes the run fail."""
        if self.error is not None:
            raise self.error


def compute(  # the parameters of a notebook
    features: Sequence[str],
    since: str | None,
    until: str | None,
    *,
    backfill: bool,
    force: bool,
    online: bool,
    engine: str,  # noqa: ARG001
) -> Done:
    """Compute features and say of each why, or why not."""
    from ..catalog.computing import compute as compute_features
    from ..catalog.online import fill_online

    place, catalog = open_catalog()
    window = Window(since=_moment(since), until=_moment(until)) if since or until else None
    done = compute_features(
        place,
        catalog,
        features,
        window,
        force=force,
        backfill=backfill,
        told=print,
    )
    if online:
        fill_online(place, catalog, features, told=print)
    computed = [each for each in done if each.why is not Why.FRESH]
    rows = sum(each.rows for each in computed)
    return Done({"features": len(done), "computed": len(computed), "rows": rows})


def join(
    features: Sequence[str],
    entities: str,
    output: str,
    timestamp: str | None,
    label: str | None,
) -> Done:
    """Join features to the rows of a file, and write the training set."""
    from ..catalog.files import read_table, write_table
    from ..catalog.joining import training_set

    place, catalog = open_catalog()
    table = read_table(Path(entities))
    made = training_set(
        place, catalog, table, features, timestamp=timestamp, label=label, as_="arrow"
    )
    record(place, catalog, made.ingredients)
    write_table(made.table, Path(output))
    tell_leaks(made)
    print(f"{len(made.table):,} rows: {output}")
    return Done({"rows": len(made.table), "features": len(features), "leaks": len(made.leaks)})


def record(place: Place, catalog: Catalog, ingredients: Iterable[Ingredient]) -> None:
    """Tell the run that is going on, if there is one, of which features a training set is made.

    The files that these come from are data of the run, too.
    """
    report = os.environ.get(READS_VARIABLE)
    if not report:
        return
    found = list(ingredients)
    lines = [f"{INGREDIENT}{json.dumps(as_record(each))}\n" for each in found]
    names = {name for each in found for name in catalog.find(each.feature).sources}
    for name in sorted(names):
        files = local_files(place, place.sources[name])
        lines += [f"{DECLARATION}{each}\n" for each in files]
    with Path(report).open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write("".join(lines))


def tell_leaks(made: TrainingSet) -> None:
    """Print what looks like a leak: a line for each kind, and for the first of its columns."""
    by_kind: dict[str, list[Leak]] = {}
    for each in made.leaks:
        by_kind.setdefault(each.why, []).append(each)
    for leaks in by_kind.values():
        others = ", ".join(each.column for each in leaks[1:])
        print(f"Possible leak: {leaks[0].line}{f' So do: {others}.' if others else ''}")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
