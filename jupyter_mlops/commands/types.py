"""Arguments that complete themselves: notebooks, parameters, runs."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

#: Larger notebooks are not read in order to complete a name.
_MAX_BYTES = 20_000_000

Assignments = tuple[tuple[str, str], ...]


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
        """Offer the parameters that the notebook declares and that are not given yet."""
        notebook = ctx.params.get("notebook")
        if not notebook or "=" in incomplete:
            return []
        given = {name for name, _ in (*ctx.params.get("assignments", ()),)}
        return [
            CompletionItem(f"{name}=")
            for name in declared_names(Path(notebook))
            if name.startswith(incomplete) and name not in given
        ]


def declared_names(path: Path) -> list[str]:
    """Return the names that a notebook's parameters cell assigns; none if it cannot be read."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return []
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources = (
            "".join(cell["source"])
            for cell in cells
            if "parameters" in cell.get("metadata", {}).get("tags", ())
        )
        return list(dict.fromkeys(_assigned(ast.parse(next(sources, "")))))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError):
        return []


def _assigned(tree: ast.Module) -> Iterable[str]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


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
