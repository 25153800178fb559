"""Runs in which a registered model does something: of notebooks that we write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import values
from ..core.exceptions import InvalidInput, NotFound
from ..core.models import ModelVersion
from ..core.runs import SweepKind
from ..execution.files import write_atomically
from . import messages as m
from .model_copies import ModelCopies, ModelCopy, slug
from .projects import Project
from .sweeps import SweepUseCases

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
        notebook = work.notebook(version.name)
        await asyncio.to_thread(
            _write,
            self._project.root / notebook,
            chosen if work.remembers else work.defaults,
            f"{work.name} {version.name}",
            work.code,
        )
        request = m.SubmitRequest(
            notebook=notebook,
            kind=SweepKind.RUN,
            experiment=_EXPERIMENT,
            values={name: [values.encode(value)] for name, value in chosen.items()},
            cpus=body.cpus or 1,
            memory=body.memory,
            timeout=body.timeout,
            priority=body.priority,
            kernel=body.kernel,
            environment=body.environment,
            parent_attempt=body.parent_attempt,
        )
        return await self._sweeps.submit(request)

    def path(self, text: str, field: str) -> Path:
        """Return a path; relative ones are taken from the project's folder."""
        if "\0" in text or not text.strip():
            raise InvalidInput(f"{field}: a path must not be empty. Name a file.", field=field)
        return self._project.root / Path(text).expanduser()


def _write(path: Path, defaults: Mapping[str, Any], title: str, code: str) -> None:
    """Write a notebook with a parameters cell, unless it is there already."""
    parameters = "\n".join(f"{name} = {value!r}" for name, value in defaults.items())
    cells = [
        {
            "cell_type": "markdown",
            "id": "title",
            "metadata": {},
            "source": f"# {title}\n\nWritten by `jupyter mlops models`.",
        },
        _cell("parameters", parameters, ["parameters"]),
        _cell("work", code.strip(), []),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    content = (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        if path.exists() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise NotFound(f"{path} cannot be written: {error.strerror}.") from error


def _cell(name: str, source: str, tags: list[str]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"tags": tags},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
