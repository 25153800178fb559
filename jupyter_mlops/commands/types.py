"""Arguments that complete themselves: notebooks, parameters, runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

Assignments = tuple[tuple[str, str], ...]


class ModelName(NamedTuple):
    """A model, and which version of it: by number, by alias, or the latest one."""

    name: str
    version: int | None = None
    alias: str | None = None


class ModelType(click.ParamType[ModelName]):
    """``NAME``, ``NAME@ALIAS`` or ``NAME@v3``."""

    name = "name[@alias]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ModelName:
        """Split at the last ``@``."""
        if isinstance(value, ModelName):
            return value
        name, at, which = str(value).rpartition("@")
        if not at:
            return ModelName(which)
        if not name or not which:
            self.fail(f"{value!r} is no model. Write NAME, NAME@ALIAS or NAME@v3.", param, ctx)
        if which.isdecimal() or (which[:1] in "vV" and which[1:].isdecimal()):
            return ModelName(name, version=int(which.lstrip("vV")))
        return ModelName(name, alias=which)


class NotebookType(click.ParamType[str]):
    """A notebook's path."""

    name = "notebook"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer notebooks, and folders to look into."""
        folder, slash, start = incomplete.rpartition("/")
        base = Path(folder or ("/" if slash else ".")).expanduser()
        try:
            entries = sorted(base.iterdir())
        except OSError:
            return []
        return [
            CompletionItem(f"{folder}{slash}{each.name}{'/' if each.is_dir() else ''}")
            for each in entries
            if each.name.startswith(start)
            and (start.startswith(".") or not each.name.startswith("."))
            and (each.is_dir() or each.suffix == ".ipynb")
        ]


class AssignmentType(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is no NAME=VALUE.", param, ctx)
        return name.strip(), text.strip()

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the parameters that the notebook declares and that are not given yet.

        Behind the equals sign, offer the values of a choice that need no quotes.
        """
        from ..app.caller import declared_parameters
        from ..core.parameters import ParameterKind
        from ..core.values import literal

        notebook = ctx.params.get("notebook")
        if not notebook:
            return []
        given = {name for name, _ in ctx.params.get("assignments", ())}
        found = []
        for parameter in declared_parameters(notebook):
            values = (True, False) if parameter.kind is ParameterKind.BOOL else parameter.choices
            if incomplete.startswith(f"{parameter.name}="):
                found += [f"{parameter.name}={literal(value)}" for value in values or ()]
            elif parameter.name not in given:
                found.append(f"{parameter.name}=")
        return [
            CompletionItem(each)
            for each in found
            if each.startswith(incomplete) and shlex.quote(each) == each
        ]


class Causes(click.ParamType[list[str]]):
    """Causes of failures, with commas between them."""

    name = "causes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        """Split at the commas, and refuse what is no cause."""
        from ..core.exceptions import InvalidInput
        from ..core.retries import check_causes

        try:
            return list(check_causes(value.split(",") if isinstance(value, str) else value))
        except InvalidInput as error:
            self.fail(error.message.removeprefix("retry_on: "), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the causes that are not named yet."""
        from ..core.retries import CAUSES

        before, comma, start = incomplete.rpartition(",")
        given = before.split(",")
        return [
            CompletionItem(f"{before}{comma}{each}")
            for each in CAUSES
            if each.startswith(start) and each not in given
        ]


class FeatureType(click.ParamType[str]):
    """The name of a feature."""

    name = "feature"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the features whose full or own name begins so; ask only a living worker."""
        from ..app import messages as m
        from ..app.client import Client
        from ..app.feature_operations import LIST_FEATURES
        from ..app.projects import find_project
        from ..core.exceptions import MlopsError

        try:
            client = Client(find_project(Path.cwd()))
            found = client.call(LIST_FEATURES, query=m.FeaturesQuery(), timeout=1.0).features
        except MlopsError:
            return []
        return [
            CompletionItem(each.name, help=each.summary)
            for each in found
            if each.name.startswith(incomplete)
            or each.name.rpartition(".")[2].startswith(incomplete)
        ]


class FieldType(click.ParamType[str]):
    """Fields to sort runs by, with commas between them."""

    name = "field"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer what recent runs can be sorted by; ask only a living worker."""
        from ..app.client import Client
        from ..app.projects import find_project
        from ..app.search_operations import RUN_FIELDS
        from ..core.exceptions import MlopsError

        before, comma, start = incomplete.rpartition(",")
        minus = "-" if start.startswith("-") else ""
        try:
            fields = Client(find_project(Path.cwd())).call(RUN_FIELDS, timeout=1.0)
        except MlopsError:
            return []
        names = [f"metrics.{each}" for each in fields.metrics]
        names += [f"params.{each}" for each in fields.parameters]
        found = (f"{minus}{each}" for each in (*names, *fields.facts) if shlex.quote(each) == each)
        return [
            CompletionItem(f"{before}{comma}{each}") for each in found if each.startswith(start)
        ]


class RunType(click.ParamType[str]):
    """The id of a run or a sweep, or the beginning of one."""

    name = "id"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer sweeps, or a sweep's runs once its id is written; ask only a living worker."""
        from ..app import messages as m
        from ..app import operations as ops
        from ..app.client import Client
        from ..app.projects import find_project
        from ..core.exceptions import MlopsError

        client = Client(find_project(Path.cwd()))
        sweep_id, dash, _ = incomplete.partition("-")
        try:
            if dash:
                runs = client.call(ops.LIST_RUNS, query=m.RunsQuery(sweep=sweep_id), timeout=1.0)
                found = [(run.id, f"{run.status} {run.notebook}") for run in runs]
            else:
                sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery(limit=50), timeout=1.0)
                found = [(each.id, f"{each.status} {each.notebook}") for each in sweeps]
        except MlopsError:
            return []
        return [
            CompletionItem(each, help=about) for each, about in found if each.startswith(incomplete)
        ]


def merged(assignments: Assignments, more: Assignments = ()) -> dict[str, str]:
    """Return assignments as a dict. Raises `click.UsageError` for a name that is given twice."""
    found: dict[str, str] = {}
    for name, text in (*assignments, *more):
        if name in found:
            raise click.UsageError(f"{name} is given twice. Put all its values in one list.")
        found[name] = text
    return found
