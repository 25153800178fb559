"""Which cells a sweep shares, and what sharing more of them would save."""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ..core.resources import share_of_cores
from ..core.spaces import check_size
from ..execution.slots import Slots
from ..notebooks.sharing import CellSharing, CodeCell, State, analyse, code_cells
from ..store import Store
from . import messages as m
from . import submission
from .executors import Executors, shared_cores
from .projects import Project

#: Earlier runs of a notebook whose cells are looked at.
_ASKED = 20
#: Seconds below which sharing a cell is not worth a word.
_WORTH = 0.1


class SharingUseCases:
    """What can be asked of shared cells."""

    def __init__(self, project: Project, store: Store, slots: Slots, executors: Executors) -> None:
        self._project = project
        self._store = store
        self._slots = slots
        self._executors = executors

    async def explain(self, body: m.SpaceRequest) -> m.SharingView:
        """Tell which cells of a notebook are shared, and which could be. Runs nothing."""
        return await asyncio.to_thread(self._explain, body)

    def _explain(self, request: m.SpaceRequest) -> m.SharingView:
        notebook = submission.read(self._project, request.notebook)
        space = submission.make_space(request, notebook.parameters)
        check_size(space, self._project.settings.max_points)
        cells = code_cells(notebook.cells) if notebook.parameters.readable else []
        measured = list(self._measured(notebook.path))
        known = usual_times(cells, measured)
        found = analyse(cells, space.names).cells
        seconds = sum(known[i] or 0.0 for i, each in enumerate(found) if _suggested(each, known))
        cores, slots = self._room_for(request, space.count)
        return m.SharingView(
            notebook=notebook.path,
            runs=space.count,
            slots=slots,
            cores=cores,
            cells=[_view(each, cells[each.index], known) for each in found],
            measured=len(measured),
            seconds=seconds,
            saved=saved(seconds, runs=space.count, slots=slots),
        )

    def _room_for(self, request: m.SpaceRequest, runs: int) -> tuple[int, int]:
        """Return the cores that the runs share, as far as is known, and how many run at a time."""
        executor = self._executors.chosen(request.executor)
        cores = shared_cores(executor, self._slots.limit) or self._slots.limit
        unasked = submission.cores_unasked(executor)
        each = share_of_cores(request.cpus, runs=runs, cores=unasked)
        return cores, max(1, min(runs, cores // each))

    def _measured(self, notebook: str) -> Iterator[Measured]:
        """Yield what the cells of earlier runs took that succeeded, by the cells' text."""
        timings = self._store.history.timings(notebook, _ASKED)
        sweeps = {each: self._store.history.sweep(each) for each in {t.sweep_id for t in timings}}
        for timing in timings:
            sweep = sweeps[timing.sweep_id]
            path = submission.snapshot_path(self._project, sweep.notebook_hash)
            cells = _cells_of(path)
            times = by_cell(cells, timing.cell_times) if cells else None
            if times is not None:
                shared = set(sweep.context.get("shared", ()))
                yield {
                    cell.source: seconds
                    for index, (cell, seconds) in enumerate(zip(cells, times, strict=True))
                    if index not in shared
                }


#: Seconds by a cell's text.
Measured = Mapping[str, float]


def usual_times(cells: Sequence[CodeCell], measured: Sequence[Measured]) -> list[float | None]:
    """Return what each cell usually takes, in seconds; None where no run has measured it."""
    found = ([each[cell.source] for each in measured if cell.source in each] for cell in cells)
    return [statistics.median(times) if times else None for times in found]


def by_cell(cells: Sequence[CodeCell], times: Sequence[float]) -> Sequence[float] | None:
    """Return the times of a notebook's code cells in a run; None if it had other cells.

    The run had one cell more if parameters were injected, but where an injected cell was replaced.
    """
    if len(times) == len(cells):
        return times
    if len(times) != len(cells) + 1:
        return None
    declaring = [index for index, cell in enumerate(cells) if "parameters" in cell.tags]
    injected = declaring[0] + 1 if declaring else 0
    return [*times[:injected], *times[injected + 1 :]]


def saved(seconds: float, *, runs: int, slots: int) -> float:
    """Return the seconds that a sweep ends earlier if some of each run is done once, before all."""
    return max(0.0, seconds * (runs / slots - 1))


@lru_cache(maxsize=32)
def _cells_of(snapshot: Path) -> tuple[CodeCell, ...]:
    """Return the code cells of a notebook as it was submitted; none if it is gone."""
    try:
        return tuple(code_cells(json.loads(snapshot.read_bytes())["cells"]))
    except OSError:
        return ()


def _suggested(cell: CellSharing, known: Sequence[float | None]) -> bool:
    return cell.state is State.FREE and (known[cell.index] or 0.0) >= _WORTH


def _view(found: CellSharing, cell: CodeCell, known: Sequence[float | None]) -> m.SharingCell:
    return m.SharingCell(
        cell=found.index + 1,
        source=cell.source,
        state="suggested" if _suggested(found, known) else found.state.value,
        tagged=found.tagged,
        why=found.why,
        seconds=known[found.index],
    )
