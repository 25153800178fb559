"""Runs in which a registered model does something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.exceptions import InvalidInput
from ..core.models import ModelVersion
from . import messages as m
from .model_copies import ModelCopies, ModelCopy, slug
from .projects import Project
from .sweeps import SweepUseCases
from .written_runs import Written, submit

#: Folder of our notebooks, and the experiment of their runs.
_FOLDER = "runs/predictions"
_EXPERIMENT = "predictions"


@dataclass(frozen=True, slots=True)
class Work:
    """A notebook: its name, its code, and its parameters with their defaults."""

    name: str
    code: str
    defaults: Mapping[str, Any]
    #: Whether its defaults are what was asked last, so that a schedule can run it as it is.
    remembers: bool = False

    def notebook(self, model: str) -> str:
        """Return where the notebook of a model lies in the project."""
        return f"{_FOLDER}/{self.name}-{slug(model)}.ipynb"


class ModelRuns:
    """Queues such runs."""

    def __init__(self, project: Project, copies: ModelCopies, sweeps: SweepUseCases) -> None:
        self._project = project
        self._copies = copies
        self._sweeps = sweeps

    async def find(self, name: str, body: m.ModelRunRequest) -> tuple[ModelVersion, ModelCopy]:
        """Return the version that is asked for, and its files. Raises `NotFound`."""
        version = await self._copies.find(name, body.version, body.alias)
        return version, await self._copies.get(version)

    async def submit(
        self,
        work: Work,
        version: ModelVersion,
        copy: ModelCopy,
        body: m.ModelRunRequest,
        given: Mapping[str, Any],
    ) -> m.SweepView:
        """Queue the run of a notebook with these values of its parameters."""
        known = {
            **given,
            "model": version.name,
            "version": version.version,
            "files": str(copy.folder.parent),
        }
        chosen = {name: known[name] for name in work.defaults}
        written = Written(
            notebook=work.notebook(version.name),
            title=f"{work.name} {version.name}",
            by="jupyter mlops models",
            code=work.code,
            defaults=chosen if work.remembers else work.defaults,
            experiment=_EXPERIMENT,
        )
        return await submit(self._project, self._sweeps, written, chosen, body)

    def path(self, text: str, field: str) -> Path:
        """Return a path; relative ones are taken from the project's folder."""
        if "\0" in text or not text.strip():
            raise InvalidInput(f"{field}: a path must not be empty. Name a file.", field=field)
        return self._project.root / Path(text).expanduser()
