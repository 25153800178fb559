"""``models``: the registered models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import Command, Face, Group
from .types import Assignments, AssignmentType, RunType, merged

if TYPE_CHECKING:
    from ..results import Message, ModelCard, ModelList, ModelVersion


class VersionType(click.ParamType[int]):
    """A version's number, as ``3`` or as tables show it, ``v3``."""

    name = "version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        digits = str(value).removeprefix("v")
        if not digits.isdecimal() or int(digits) < 1:
            self.fail(f"{value!r} is no version. Write it like 3 or v3.", param, ctx)
        return int(digits)


@click.group("models", cls=Group)
def models() -> None:
    """List, show, register and name versions of models."""


@models.command("list")
@click.argument("name", required=False)
@click.option("--owner", metavar="WHO", help="Only what this person owns.")
@click.option("--task", metavar="TASK", help="Only models for this task.")
@click.option("--stakeholder", metavar="WHO", help="Only what this person has a stake in.")
@click.option("--tag", metavar="NAME[=VALUE]", help="Only versions with this tag.")
@click.option("--where", metavar="COMPARISON", help="Only where it holds, like 'auc > 0.7'.")
@click.option("--feature", metavar="COLUMN", help="Only models that take this column.")
@click.option("--data", metavar="PATH", help="Only models that were made from this file.")
def list_models(**wanted: str | None) -> ModelList:
    """List the versions of registered models.

    \b
    Examples:
      jupyter mlops models list --json
      jupyter mlops models list --owner ada --where 'auc > 0.7'
      jupyter mlops models list --data data/features.parquet
    """
    from ..api import models as all_models

    return all_models(**{name: text for name, text in wanted.items() if text is not None})


@models.command("show")
@click.argument("name")
@click.argument("version", type=VersionType(), required=False)
@click.option("--markdown", is_flag=True, help="Print the card as Markdown.")
def show(name: str, version: int | None, markdown: bool) -> ModelCard | Message:
    """Show the card of a version: its eight parts, and what would complete them.

    \b
    Examples:
      jupyter mlops models show late-flights
      jupyter mlops models show late-flights 3 --markdown
    """
    from ..api import card
    from ..results import Message

    found = card(name, version)
    return Message(found.markdown.rstrip(), found.record()) if markdown else found


@models.command("compare")
@click.argument("name")
@click.argument("first", type=VersionType())
@click.argument("second", type=VersionType())
def compare(name: str, first: int, second: int) -> Message:
    """Compare two versions of a model by their cards.

    \b
    Example:
      jupyter mlops models compare late-flights 2 3
    """
    from ..app.projects import find_project
    from ..results.models import compare_models

    return compare_models(find_project(Path.cwd()), name, first, second)


@models.command("lineage")
@click.argument("node")
def lineage(node: str) -> Message:
    """Show what something was made from, and what was made of it.

    NODE is a model such as late-flights@champion, a version such as version:late-flights/3, a
    run:ID, data:PATH, feature:COLUMN or endpoint:NAME.

    \b
    Examples:
      jupyter mlops models lineage late-flights
      jupyter mlops models lineage data:data/features.parquet
    """
    from ..app.projects import find_project
    from ..results.models import lineage as find_lineage

    return find_lineage(find_project(Path.cwd()), node)


@models.command("reproduce")
@click.argument("name")
@click.argument("version", type=VersionType())
@click.option("--here", is_flag=True, help="Use this environment, not the recorded one.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=1e-6,
    show_default=True,
    metavar="X",
    help="By how much metrics and predictions may differ.",
)
@click.pass_obj
def reproduce(face: Face, name: str, version: int, here: bool, tolerance: float) -> Message:
    """Build a version again from its record, and compare it.

    In a clean worktree of its commit, with what was not committed, the data by DVC, the recorded
    packages (installed by uv, or venv and pip) and parameters, its notebook is run again. Then
    metrics, and predictions for the sample that was kept, are compared, and the verdict is noted on
    the version.

    \b
    Examples:
      jupyter mlops models reproduce late-flights 3
      jupyter mlops models reproduce late-flights 3 --here --tolerance 0.001
    """
    from ..app.projects import find_project
    from ..results.models import reproduce_model

    found = reproduce_model(
        find_project(Path.cwd()), name, version, here=here, tolerance=tolerance, note=face.note
    )
    face.failed = found.record()["outcome"] != "same"
    return found


@models.command("tag")
@click.argument("name")
@click.argument("version", type=VersionType())
@click.argument("tags", type=AssignmentType(), nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--notes", metavar="TEXT", help="Write this on the version.")
def tag(name: str, version: int, tags: Assignments, notes: str | None) -> ModelVersion:
    """Tag a version of a model, and write notes on it.

    \b
    Example:
      jupyter mlops models tag late-flights 3 owner=ada --notes 'For the summer'
    """
    if not tags and notes is None:
        raise click.UsageError("Give a tag like owner=ada, or --notes TEXT.")
    return _find(name, version).tag(merged(tags), notes=notes)


@click.command("register", cls=Command)
@click.argument("name")
@click.argument("id", type=RunType(), required=False)
@click.option("--run", "run_id", type=RunType(), metavar="ID", help="The run, instead of ID.")
@click.option("--sweep", "sweep_id", type=RunType(), metavar="ID", help="The sweep, likewise.")
@click.option("--alias", metavar="ALIAS", help="Point this alias at the new version.")
@click.option(
    "--tag",
    "tags",
    metavar="NAME=VALUE",
    type=AssignmentType(),
    multiple=True,
    help="Tag the version; may be given several times.",
)
def register(
    name: str,
    id: str | None,  # noqa: A002
    run_id: str | None,
    sweep_id: str | None,
    alias: str | None,
    tags: Assignments,
) -> ModelVersion:
    """Make the model of a run, or of the best run of a sweep, a version of the model NAME.

    ID is that of a run or a sweep; in a notebook that is tracked it may be left out. The run must
    have logged a model, best with mlops.log_model, which tells all that the card needs, else with
    MLflow's own, such as mlflow.sklearn.log_model.

    \b
    Examples:
      jupyter mlops models register late-flights k3m9x2ab
      jupyter mlops models register late-flights k3m9x2ab-4 --alias champion
    """
    from ..api import register as register_version

    given = [each for each in (id, run_id, sweep_id) if each is not None] or _own_session()
    if len(given) != 1:
        raise click.UsageError("Name one run or sweep: jupyter mlops models register NAME ID")
    return register_version(name, given[0], alias=alias, tags=merged(tags))


models.add_command(register)


def _own_session() -> list[str]:
    """Return the run of the session that is open in this notebook."""
    from ..sessions import open_session

    session = open_session()
    return [session.id] if session is not None and session.id is not None else []


@models.command("alias")
@click.argument("name")
@click.argument("alias")
@click.argument("version", type=VersionType())
@click.option("--why", metavar="TEXT", help="Why; it is noted with who and when.")
def set_alias(name: str, alias: str, version: int, why: str | None) -> ModelVersion:
    """Point an alias at a version of a model.

    \b
    Examples:
      jupyter mlops models alias late-flights champion 3
      jupyter mlops models alias late-flights champion 3 --why 'better in November'
    """
    return _find(name, version).set_alias(alias, why=why)


def _find(name: str, version: int) -> ModelVersion:
    from ..api import models as all_models
    from ..core.exceptions import NotFound

    for each in all_models(name=name):
        if each.version == version:
            return each
    raise NotFound(
        f"There is no version {version} of a model {name}. "
        "List them with: jupyter mlops models list"
    )
