"""Whether a notebook still begins as it was executed up to some cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.exceptions import Conflict

_INJECTED = "injected-parameters"


def check_same_beginning(
    executed: Mapping[str, Any],
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    first: int,
    name: str,
) -> None:
    """Raise `Conflict` unless all code cells before ``first`` succeeded and are as they were.

    ``executed`` is the output notebook, whose code cells ``first`` counts from 1, ``before`` the
    notebook as it was then and ``now`` as it is. The parameters cell must be the same wherever it
    stands, since the values of the run follow it.
    """
    earlier = _code(executed)[: first - 1]
    for number, cell in enumerate(earlier, start=1):
        if _status(cell) != "completed":
            raise Conflict(f"Cell {number} of {name} did not succeed. Run it from the start.")
    numbers = [number for number, cell in enumerate(earlier, start=1) if not _has(cell, _INJECTED)]
    old, new = _own(before), _own(now)
    for place, number in enumerate(numbers):
        if place >= len(new) or _identity(old[place]) != _identity(new[place]):
            raise Conflict(
                f"Cell {number} of {name} has changed since it was executed, so that its state "
                "cannot be restored. Submit the notebook anew."
            )
    if _parameters(old) != _parameters(new):
        raise Conflict(
            f"The parameters cell of {name} has changed since it was executed. "
            "Submit the notebook anew."
        )


def _code(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]


def _own(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the code cells that the user wrote."""
    return [cell for cell in _code(notebook) if not _has(cell, _INJECTED)]


def _parameters(cells: Sequence[Mapping[str, Any]]) -> str | None:
    return next((_source(cell) for cell in cells if _has(cell, "parameters")), None)


def _identity(cell: Mapping[str, Any]) -> tuple[str, bool]:
    return _source(cell), _has(cell, "parameters")


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def _has(cell: Mapping[str, Any], tag: str) -> bool:
    return tag in (cell.get("metadata", {}).get("tags") or ())


def _status(cell: Mapping[str, Any]) -> object:
    return cell.get("metadata", {}).get("papermill", {}).get("status")
