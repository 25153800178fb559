"""``models predict`` and ``models check``: predictions for files, as queued runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Command, Face
from .single import queue_single, single_run_options
from .types import ModelType

if TYPE_CHECKING:
    from ..results import RunResult
    from .single import F
    from .types import ModelName

_table_option = click.option("--table", metavar="NAME", help="Table of a DuckDB database.")


def _run_options(function: F) -> F:
    """Add what these commands may be told about their run."""
    return _table_option(single_run_options(function))


@click.command("predict", cls=Command)
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.option("--input", "source", required=True, metavar="FILE", help="Rows to predict.")
@click.option("--output", required=True, metavar="FILE", help="A .parquet or .csv file to write.")
@click.option("--rows", metavar="N", type=click.IntRange(1), help="Take the first N rows alone.")
@click.option(
    "--chunk", metavar="N", type=click.IntRange(1), help="Rows at a time; 100,000 at most."
)
@click.option("--only-predictions", is_flag=True, help="Leave out the columns of the input.")
@_run_options
@click.pass_obj
def predict(face: Face, /, model: ModelName, source: str, output: str, **options: Any) -> RunResult:
    """Predict the rows of a file, as a queued run.

    The input is Parquet, CSV or JSON lines, several of them by a pattern, or a table of a DuckDB
    database. It is read and predicted in pieces, so that it may be larger than the memory; after a
    kill the same command goes on behind the last piece. The output appears when it is whole.

    As the command of a stage in dvc.yaml it holds no core while its run waits for one.

    \b
    Examples:
      jupyter mlops models predict late-flights@champion --input new.csv --output late.csv
      jupyter mlops models predict late-flights --input "days/*.csv" --output late.csv
    """
    from ..app import serving_operations

    given = {name: options.pop(name) for name in ("rows", "chunk", "only_predictions")}
    given["output"] = str(Path(output).absolute())
    return _run(
        face, serving_operations.PREDICT_MODEL, "PredictRequest", model, source, given, **options
    )


@click.command("check", cls=Command)
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.option("--input", "source", required=True, metavar="FILE", help="Rows to compare.")
@click.option(
    "--rows", metavar="N", type=click.IntRange(1), default=1000, show_default=True,
    help="Take the first N rows.",
)  # fmt: skip
@click.option(
    "--tolerance", metavar="X", type=click.FloatRange(0), default=0.0, show_default=True,
    help="By how much two numbers may differ.",
)  # fmt: skip
@_run_options
@click.pass_obj
def check(face: Face, /, model: ModelName, source: str, **options: Any) -> RunResult:
    """Check that a model predicts the same online as in a batch.

    The same rows are predicted in one piece, and by an endpoint that is started for this, alone
    and together. The exit code is 1 if a prediction differs.

    \b
    Example:
      jupyter mlops models check late-flights@champion --input sample.parquet
    """
    from ..app import serving_operations

    given = {name: options.pop(name) for name in ("rows", "tolerance")}
    return _run(
        face, serving_operations.CHECK_MODEL, "CheckRequest", model, source, given, **options
    )


@click.command("monitor", cls=Command)
@click.argument("model", type=ModelType(), metavar="NAME[@ALIAS]")
@click.option(
    "--input", "source", metavar="FILE",
    help="The training data; unless given, the sample that was logged with the model.",
)  # fmt: skip
@click.option("--labels", metavar="FILE", help="True labels, once they are known.")
@click.option(
    "--on", metavar="COLUMN", multiple=True,
    help="Kept column that tells which request a label belongs to; may be given several times.",
)  # fmt: skip
@click.option("--label", metavar="COLUMN", help="The column of the labels.")
@click.option(
    "--fail-above", "allowed", metavar="X", type=click.FloatRange(0, 1),
    help="Fail if the distance of a feature is larger.",
)  # fmt: skip
@_run_options
@click.pass_obj
def monitor(face: Face, /, model: ModelName, source: str | None, **options: Any) -> RunResult:
    """Compare the requests that an endpoint keeps with the training data, as a queued run.

    The distance of each feature from the training data is logged as drift/FEATURE: from 0 for the
    same distribution to 1. With true labels, metrics of the served version and of its challenger
    are logged, too. A run that fails above a distance can set off a trigger, and its notebook,
    which remembers what was asked last, can be run by a schedule.

    \b
    Examples:
      jupyter mlops models serve flights --keep distance --keep hour --share 0.1
      jupyter mlops models monitor flights --fail-above 0.2
      jupyter mlops models monitor flights --input train.parquet
      jupyter mlops schedules add @daily -- run runs/predictions/monitor-flights.ipynb
    """
    from ..app import serving_operations

    labels = options.pop("labels")
    given = {
        "labels": str(Path(labels).absolute()) if labels else None,
        "on": list(options.pop("on")),
        "label": options.pop("label"),
        "allowed": options.pop("allowed"),
    }
    return _run(
        face, serving_operations.MONITOR_MODEL, "MonitoringRequest", model, source, given, **options
    )


def _run(
    face: Face,
    operation: Any,
    request: str,
    model: ModelName,
    source: str | None,
    given: dict[str, Any],
    *,
    detach: bool,
    memory: str | None,
    **options: Any,
) -> RunResult:
    """Queue the run of a request and follow it."""
    from ..app import messages as m

    body = getattr(m, request)(
        input=None if source is None else str(Path(source).absolute()),
        version=model.version,
        alias=model.alias,
        **given,
        **options,
    )
    return queue_single(face, operation, body, detach=detach, memory=memory, name=model.name)
