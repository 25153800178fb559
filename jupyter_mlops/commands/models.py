"""``models``: the registered models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .base import Command, Group
from .types import Assignments, AssignmentType, RunType, merged

if TYPE_CHECKING:
    from ..results import ModelList, ModelVersion


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
    """List, register and name versions of models."""


@models.command("list")
def list_models() -> ModelList:
    """List every version of every registered model.

    \b
    Example:
      jupyter mlops models list --json
    """
    from ..api import models as all_models

    return all_models()


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

    ID is that of a run or a sweep. The run must have logged a model, for example with
    mlflow.sklearn.log_model.

    \b
    Examples:
      jupyter mlops models register late-flights k3m9x2ab
      jupyter mlops models register late-flights k3m9x2ab-4 --alias champion
    """
    from ..api import register as register_version

    given = [each for each in (id, run_id, sweep_id) if each is not None]
    if len(given) != 1:
        raise click.UsageError("Name one run or sweep: jupyter mlops models register NAME ID")
    return register_version(name, given[0], alias=alias, tags=merged(tags))


models.add_command(register)


@models.command("alias")
@click.argument("name")
@click.argument("alias")
@click.argument("version", type=VersionType())
def set_alias(name: str, alias: str, version: int) -> ModelVersion:
    """Point an alias at a version of a model.

    \b
    Example:
      jupyter mlops models alias late-flights champion 3
    """
    from ..api import models as all_models
    from ..core.exceptions import NotFound

    for each in all_models():
        if (each.name, each.version) == (name, version):
            return each.set_alias(alias)
    raise NotFound(
        f"There is no version {version} of a model {name}. "
        "List them with: jupyter mlops models list"
    )
