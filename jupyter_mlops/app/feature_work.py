"""What the notebooks of runs over features call: computing, joining, checking.

Runs in the kernel, from whose folder the project is found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..catalog import findings
from ..catalog.place import Place
from ..catalog.reading import Catalog, read_catalog
from ..core import formats
from ..core.exceptions import Conflict
from ..core.features import (
    CheckReport,
    Finding,
    Ingredient,
    Leak,
    Why,
    Window,
    as_record,
    from_record,
)
from ..core.runs import DECLARATION, INGREDIENT, PROJECT_VARIABLE, READS_VARIABLE
from ..registry.drift import metric_name
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
    engine: str,
    left_out: Sequence[str] = (),
) -> Done:
    """Compute features and say of each why, or why not."""
    from ..catalog.computing import compute as compute_features
    from ..catalog.online import fill_online

    _tell_left_out(left_out)
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
        engine=engine,
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


def check(
    features: Sequence[str], rows: int, tolerance: float, left_out: Sequence[str] = ()
) -> Done:
    """Compare a sample of features online and offline."""
    from ..catalog.checking import check as check_features

    _tell_left_out(left_out)
    place, catalog = open_catalog()
    report = check_features(place, catalog, features, rows=rows, tolerance=tolerance)
    for name in features:
        wrong = [each for each in report.differences if each.feature == name]
        line = _checked_line(name, report, len(wrong))
        print(f"{name}: {line}")
        for each in wrong[:_SHOWN]:
            where = ", ".join(f"{column} {value}" for column, value in each.row.items())
            print(f"  {where}: {each.offline} offline, {each.online} online")
        if name in report.rows:
            facts = {"rows": report.rows[name], "different": len(wrong)}
            finding = Finding(at=datetime.now(UTC), good=not wrong, line=line, facts=facts)
            findings.note(place, name, "check", finding)
    metrics = {"rows": sum(report.rows.values()), "different": len(report.differences)}
    if report.good:
        return Done(metrics)
    names = ", ".join(dict.fromkeys(each.feature for each in report.differences))
    return Done(
        metrics,
        FeaturesDiffer(
            f"Not the same online and offline: {names}. Compute them with --online; the output "
            "notebook tells the rows."
        ),
    )


def drift(
    features: Sequence[str], trained: Sequence[Mapping[str, Any]], allowed: float | None
) -> Done:
    """Compare features with what they were at training."""
    from ..catalog.drifting import drift as drift_of

    place, catalog = open_catalog()
    found = drift_of(place, catalog, features, [from_record(each) for each in trained])
    wrong = [each for each in found if allowed is not None and each.distance > allowed]
    for each in found:
        print(each.line)
        facts = {"distance": each.distance, "psi": each.psi, "p": each.p_value, "allowed": allowed}
        finding = Finding(at=datetime.now(UTC), good=each not in wrong, line=each.line, facts=facts)
        findings.note(place, each.feature, "drift", finding)
    metrics = {metric_name(each.feature): each.distance for each in found}
    if not wrong:
        return Done(metrics)
    names = ", ".join(f"{each.feature} ({each.distance:.3f})" for each in wrong)
    return Done(metrics, FeaturesDrifted(f"Drift above {allowed:g}: {names}."))


def _checked_line(name: str, report: CheckReport, wrong: int) -> str:
    """Say in one line how a feature compares."""
    if name not in report.rows:
        return report.skipped.get(name, "not compared")
    rows = formats.counted(report.rows[name], "row")
    behind = "; online is another version than stored" if name in report.behind else ""
    if wrong:
        return f"{wrong:,} of {rows} differ{behind}"
    return f"the same online and offline in {rows}{behind}"


def record(place: Place, catalog: Catalog, ingredients: Iterable[Ingredient]) -> None:
    """Tell the run that is going on, if there is one, of which features a training set is made.

    The files that these come from are data of the run, too.
    """
    report = os.environ.get(READS_VARIABLE)
    if not report:
        return
    found = list(ingredients)
    lines = [f"{INGREDIENT}{json.dumps(as_record(each))}\n" for each in found]
    names = {name for each in found for name in catalog.origins(catalog.find(each.feature))}
    for name in sorted(names):
        files = local_files(place, place.sources[name])
        lines += [f"{DECLARATION}{each}\n" for each in files]
    with Path(report).open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.write("".join(lines))


def _tell_left_out(names: Sequence[str]) -> None:
    if names:
        print(f"Left out, as whoever asked may not read them: {', '.join(names)}")


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
