"""What machines achieve: measured here, kept with the project, compared with others."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ..core.exceptions import InvalidInput
from ..core.files import write_atomically
from ..core.machines import Measure, Skipped
from ..execution import machine
from . import messages as m
from .projects import Project
from .runtime import make_state

#: File of the state folder; where machines share the project it has all of them.
_KEPT = "machines.json"


def bench(project: Project, *, scale: float = 1.0, told: Callable[[str], None]) -> m.MachineView:
    """Measure this machine by common workloads, which takes about a minute, and keep the figures.

    ``told`` hears of each workload before it begins. Raises `InvalidInput` if the project's state
    folder cannot be written.
    """
    from ..measuring import measure_all

    known = machine.described()
    try:
        make_state(project)
        found = list(measure_all(project.state, known["cores"], scale=scale, told=told))
    except OSError as error:
        raise InvalidInput(
            f"{project.state} cannot be written: {error.strerror}. Set JUPYTER_MLOPS_STATE_DIR."
        ) from error
    view = m.MachineView(
        host=known["host"],
        system=known["system"],
        processor=known["processor"],
        cores=known["cores"],
        memory=known["memory"],
        python=platform.python_version(),
        measured_at=datetime.now(UTC),
        measures=[m.MeasureView(**asdict(each)) for each in found if isinstance(each, Measure)],
        skipped=[m.SkippedView(**asdict(each)) for each in found if isinstance(each, Skipped)],
    )
    others = [each for each in measured(project) if not _same(each, view)]
    write_atomically(project.state / _KEPT, msgspec.json.encode([*others, view]))
    return view


def measured(project: Project) -> list[m.MachineView]:
    """Return the machines that were measured in this project, the last one last."""
    try:
        content = (project.state / _KEPT).read_bytes()
        return msgspec.json.decode(content, type=list[m.MachineView])
    except (OSError, msgspec.MsgspecError):
        return []


def others(project: Project, view: m.MachineView) -> list[m.MachineView]:
    """Return the other machines that were measured in this project."""
    return [each for each in measured(project) if not _same(each, view)]


def read(path: Path) -> m.MachineView:
    """Return a machine from what ``doctor --bench --json`` printed there. Raises `InvalidInput`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=m.MachineView)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", field="beside") from error
    except msgspec.MsgspecError as error:
        raise InvalidInput(
            f"{path} does not hold what a machine achieved ({error}). "
            "Write it there by: jupyter mlops doctor --bench --json",
            field="beside",
        ) from error


def _same(one: m.MachineView, other: m.MachineView) -> bool:
    return (one.host, one.processor, one.cores) == (other.host, other.processor, other.cores)
