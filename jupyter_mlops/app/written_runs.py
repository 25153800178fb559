"""Runs of notebooks that we write ourselves, each with a parameters cell and one of code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core import values
from ..core.exceptions import NotFound
from ..core.files import write_atomically
from ..core.runs import SweepKind
from . import messages as m
from .projects import Project
from .sweeps import SweepUseCases


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A notebook that we write."""

    #: Its path in the project.
    notebook: str
    title: str
    #: The command that writes it.
    by: str
    code: str
    #: Its parameters.
    defaults: Mapping[str, Any]
    #: Experiment of its runs.
    experiment: str


class Asked(Protocol):
    """What a request says of how its run is executed."""

    cpus: int | None
    memory: int | None
    timeout: float | None
    priority: int
    kernel: str | None
    environment: dict[str, str] | None
    parent_attempt: str | None


async def submit(
    project: Project,
    sweeps: SweepUseCases,
    written: Written,
    chosen: Mapping[str, Any],
    asked: Asked,
) -> m.SweepView:
    """Queue the run of a notebook with these values of its parameters."""
    await asyncio.to_thread(_write, project.root / written.notebook, written)
    request = m.SubmitRequest(
        notebook=written.notebook,
        kind=SweepKind.RUN,
        experiment=written.experiment,
        values={name: [values.encode(value)] for name, value in chosen.items()},
        cpus=asked.cpus or 1,
        memory=asked.memory,
        timeout=asked.timeout,
        priority=asked.priority,
        kernel=asked.kernel,
        environment=asked.environment,
        parent_attempt=asked.parent_attempt,
    )
    return await sweeps.submit(request)


def _write(path: Path, written: Written) -> None:
    """Write a notebook with a parameters cell, unless it is there already."""
    parameters = "\n".join(f"{name} = {value!r}" for name, value in written.defaults.items())
    cells = [
        {
            "cell_type": "markdown",
            "id": "title",
            "metadata": {},
            "source": f"# {written.title}\n\nWritten by `{written.by}`.",
        },
        _cell("parameters", parameters, ["parameters"]),
        _cell("work", written.code.strip(), []),
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
