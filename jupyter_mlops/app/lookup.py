"""Find a run or a sweep by its id, or by the beginning of it."""

from __future__ import annotations

import re

from ..core.exceptions import InvalidInput, NotFound
from ..core.runs import SweepKind
from ..core.values import quote
from . import messages as m
from . import operations as ops
from .client import Client

_ID = re.compile(r"([0-9a-z]+)(?:-([0-9]+))?")

#: Candidates that a message names.
_SHOWN = 5


def find(client: Client, text: str) -> m.SweepView | m.RunView:
    """Return the run or sweep of an id, or of the first letters of a sweep's id.

    ``abc-3`` is the third run of the sweep whose id begins with ``abc``. The sweep of a single run
    stands for that run. Raises `NotFound`, and `InvalidInput` where several ids begin so.
    """
    match = _ID.fullmatch(text.strip())
    sweep = _find_sweep(client, match[1]) if match else None
    if match is None or sweep is None:
        raise NotFound(
            f"There is no run or sweep {quote(text)}. List them with: jupyter mlops runs list"
        )
    index = match[2] or ("1" if sweep.kind is not SweepKind.SWEEP else None)
    if index is None:
        return sweep
    return client.call(ops.GET_RUN, run_id=f"{sweep.id}-{index}").run


def find_sweep(client: Client, text: str) -> m.SweepView:
    """Return the sweep of an id; the id of one of its runs means the sweep too."""
    found = find(client, text)
    if isinstance(found, m.SweepView):
        return found
    return client.call(ops.GET_SWEEP, sweep_id=found.sweep_id)


def _find_sweep(client: Client, start: str) -> m.SweepView | None:
    try:
        return client.call(ops.GET_SWEEP, sweep_id=start)
    except NotFound:
        sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
    fitting = [sweep for sweep in sweeps if sweep.id.startswith(start)]
    if len(fitting) > 1:
        ids = ", ".join(sweep.id for sweep in fitting[:_SHOWN])
        more = ", …" if len(fitting) > _SHOWN else ""
        raise InvalidInput(f"{start} fits several: {ids}{more}. Give more letters of the id.")
    return fitting[0] if fitting else None
