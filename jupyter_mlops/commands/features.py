"""``features``: the catalog, and what is computed of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Face, Group
from .single import queue_single, single_run_options
from .types import FeatureType, ModelType

if TYPE_CHECKING:
    from ..results import Message, RunResult
    from ..results.features import Feature, FeatureList
    from .types import ModelName

#: What a moment may look like.
_MOMENTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")


@click.group("features", cls=Group)
def features() -> None:
    """Find, compute, join, check and export features."""


def _wanted(function: Any) -> Any:
    """Add what features may be chosen by."""
    options = [
        click.option("--entity", metavar="COLUMN", help="Only what describes this."),
        click.option("--owner", metavar="WHO", help="Only what this person or team owns."),
        click.option("--tag", metavar="TAG", help="Only what has this tag."),
        click.option("--type", metavar="TYPE", help="Only values of this type, such as double."),
        click.option("--limit", metavar="N", type=click.IntRange(1), help="At most so many."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@features.command("list")
@_wanted
def list_features(**wanted: Any) -> FeatureList:
    """List the features that the modules below features/ define.

    \b
    Examples:
      jupyter mlops features list
      jupyter mlops features list --owner ops --json
    """
    return _found(None, wanted)


@features.command("search")
@click.argument("words", nargs=-1, required=True)
@_wanted
def search(words: tuple[str, ...], **wanted: Any) -> FeatureList:
    """Find features whose name, description, entity, owner, tags or type contain all WORDS.

    \b
    Examples:
      jupyter mlops features search delay carrier
      jupyter mlops features search age --entity tailnum
    """
    return _found(" ".join(words), wanted)


def _found(text: str | None, wanted: dict[str, Any]) -> FeatureList:
    from ..app import messages as m
    from ..app.projects import find_project
    from ..results.features import list_features as listed

    return listed(find_project(Path.cwd()), m.FeaturesQuery(text=text, **wanted))


@features.command("show")
@click.argument("name", type=FeatureType())
def show(name: str) -> Feature:
    """Show all that is known of a feature: code, lineage, values, cost, who uses it.

    \b
    Example:
      jupyter mlops features show flights.carrier_delay_yesterday
    """
    from ..app.projects import find_project
    from ..results.features import find_feature

    return find_feature(find_project(Path.cwd()), name)


_names = click.argument("names", nargs=-1, type=FeatureType(), metavar="[FEATURE]...")


@features.command("compute")
@_names
@click.option("--feature", "more", multiple=True, type=FeatureType(), metavar="FEATURE",
              help="A feature to compute; may be given several times.")  # fmt: skip
@click.option("--since", metavar="TIME", type=click.DateTime(_MOMENTS),
              help="Replace the values from this time on, such as 2013-06-01.")  # fmt: skip
@click.option("--until", metavar="TIME", type=click.DateTime(_MOMENTS),
              help="And only up to this time.")  # fmt: skip
@click.option("--backfill", metavar="FROM..TO",
              help="Compute this window partition by partition; a killed run goes on.")  # fmt: skip
@click.option("--force", is_flag=True, help="Compute also what is fresh.")
@click.option("--online", is_flag=True, help="Fill the online store afterwards.")
@click.option("--engine", type=click.Choice(["pandas", "dask", "ray", "spark"]), default="pandas",
              show_default=True, help="What computes; all but pandas are extras.")  # fmt: skip
@single_run_options
@click.pass_obj
def compute(
    face: Face, /, names: tuple[str, ...], more: tuple[str, ...], backfill: str | None,
    **options: Any,
) -> RunResult:  # fmt: skip
    """Compute features, as a queued run; what has not changed is not computed again.

    Without names all features are. The run says of each why it was computed, or why not. As the
    command of a stage in dvc.yaml it holds no core while its run waits for one.

    \b
    Examples:
      jupyter mlops features compute
      jupyter mlops features compute planes.age --online
      jupyter mlops features compute flights.delay --since 2013-06-01
      jupyter mlops features compute flights.delay --backfill 2013-01-01..2013-07-01
    """
    from ..app import feature_operations as ops
    from ..app import messages as m

    since, until = options.pop("since"), options.pop("until")
    if backfill is not None:
        if since is not None or until is not None:
            raise click.UsageError("--backfill names the whole window. Leave out --since, --until.")
        since, until = _window(backfill)
    body = m.ComputeRequest(
        features=[*names, *more],
        since=_utc(since),
        until=_utc(until),
        backfill=backfill is not None,
        **{name: options.pop(name) for name in ("force", "online", "engine")},
        **_run(options),
    )
    return queue_single(face, ops.COMPUTE_FEATURES, body, **options)


@features.command("join")
@_names
@click.option("--entities", required=True, metavar="FILE",
              help="Rows to join to: Parquet, CSV or JSON lines.")  # fmt: skip
@click.option("--output", required=True, metavar="FILE", help="A .parquet or .csv file to write.")
@click.option("--timestamp", metavar="COLUMN", help="Column of the rows' times.")
@click.option("--label", metavar="COLUMN", help="Tell which columns look as if they told it.")
@single_run_options
@click.pass_obj
def join(
    face: Face, /, names: tuple[str, ...], entities: str, output: str, **options: Any
) -> RunResult:
    """Join features to the rows of a file, each as it was known then, as a queued run.

    \b
    Example:
      jupyter mlops features join planes.age --entities rows.csv --output train.parquet
    """
    from ..app import feature_operations as ops
    from ..app import messages as m

    body = m.JoinRequest(
        features=list(names),
        entities=str(Path(entities).absolute()),
        output=str(Path(output).absolute()),
        timestamp=options.pop("timestamp"),
        label=options.pop("label"),
        **_run(options),
    )
    return queue_single(face, ops.JOIN_FEATURES, body, **options)


@features.command("check")
@_names
@click.option("--rows", metavar="N", type=click.IntRange(1), default=1000, show_default=True,
              help="Entities to compare.")  # fmt: skip
@click.option("--tolerance", metavar="X", type=click.FloatRange(0), default=0.0, show_default=True,
              help="By how much two numbers may differ.")  # fmt: skip
@single_run_options
@click.pass_obj
def check(face: Face, /, names: tuple[str, ...], **options: Any) -> RunResult:
    """Check that features are the same online and offline, as a queued run.

    A sample is computed both ways. The exit code is 1 if a value differs.

    \b
    Example:
      jupyter mlops features check flights.delay --rows 100
    """
    from ..app import feature_operations as ops
    from ..app import messages as m

    body = m.CompareFeaturesRequest(
        features=list(names),
        rows=options.pop("rows"),
        tolerance=options.pop("tolerance"),
        **_run(options),
    )
    return queue_single(face, ops.CHECK_FEATURES, body, **options)


@features.command("drift")
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.argument("names", nargs=-1, type=FeatureType(), metavar="[FEATURE]...")
@click.option("--fail-above", "allowed", metavar="X", type=click.FloatRange(0),
              help="Fail if the distance of a feature is larger.")  # fmt: skip
@single_run_options
@click.pass_obj
def drift(face: Face, /, model: ModelName, names: tuple[str, ...], **options: Any) -> RunResult:
    """Compare features with what they were when a model was trained, as a queued run.

    Each distance is logged as drift/FEATURE. A run that fails above one can set off a trigger, and
    its notebook, which remembers what was asked last, can be run by a schedule.

    \b
    Examples:
      jupyter mlops features drift late-flights@champion --fail-above 0.2
      jupyter mlops schedules add @daily -- run runs/features/drift.ipynb
    """
    from ..app import feature_operations as ops
    from ..app import messages as m

    body = m.DriftRequest(
        features=list(names),
        model=model.name,
        version=model.version,
        alias=model.alias,
        allowed=options.pop("allowed"),
        **_run(options),
    )
    return queue_single(face, ops.WATCH_FEATURES, body, **options)


@features.command("export")
@_names
@click.option("--to", "target", required=True, type=click.Choice(["feast", "datahub", "amundsen"]),
              help="For which system.")  # fmt: skip
@click.option("--output", metavar="DIR", help="An empty or new folder; exports/features-SYSTEM.")
def export(names: tuple[str, ...], target: str, output: str | None) -> Message:
    """Write the catalog for another system: a Feast repository, or metadata files.

    \b
    Example:
      jupyter mlops features export --to feast --output feast/
    """
    from ..app import feature_operations as ops
    from ..app import messages as m
    from ..app.client import connect
    from ..app.projects import find_project
    from ..reports.features import export_report
    from ..results import Message

    body = m.FeatureExportRequest(
        format=target,
        output=str(Path(output).absolute()) if output else f"exports/features-{target}",
        features=list(names),
    )
    client = connect(find_project(Path.cwd()))
    view = client.call(ops.EXPORT_FEATURES, body=body, timeout=None)
    return Message(export_report(view), view)


@features.command("define")
@click.argument("group", metavar="MODULE")
@click.option("--replace", is_flag=True, help="Write also what changes functions that are there.")
@click.pass_obj
def define(face: Face, group: str, replace: bool) -> Message:
    """Write functions into features/MODULE.py: those of a cell, or of the standard input.

    In a cell it is %%mlops feature MODULE, with the functions below. What changes a function that
    is there is shown, and written only with --replace.

    \b
    Examples:
      %%mlops feature flights
      jupyter mlops features define flights < delay.py
    """
    from ..app.projects import find_project
    from ..results.features import define_features

    text = face.body if face.body is not None else sys.stdin.read()
    project = find_project(Path.cwd())
    return define_features(project, group, text, replace=replace, note=face.note)


def _run(options: dict[str, Any]) -> dict[str, Any]:
    """Take what the request itself says of its run out of the options."""
    return {name: options.pop(name) for name in ("cpus", "timeout", "priority", "kernel")}


def _window(text: str) -> tuple[datetime, datetime]:
    """Read ``FROM..TO``."""
    first, dots, last = text.partition("..")
    if not dots:
        raise click.UsageError(f"--backfill: {text!r} is no window. Write it like FROM..TO.")
    kind = click.DateTime(_MOMENTS)
    return kind.convert(first, None, None), kind.convert(last, None, None)


def _utc(moment: datetime | None) -> datetime | None:
    """Return a moment in UTC, which it is in unless it says otherwise."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
