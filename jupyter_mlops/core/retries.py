"""When a failed run is tried again: for which causes, how often, and after how long a pause."""

from __future__ import annotations

from collections.abc import Iterable

from .exceptions import InvalidInput
from .runs import ANY, LONGEST_DELAY, MAX_LOST, MAX_NODES, Reason, Sweep

#: What ``--retry-on`` may name. Attempts that were lost are tried again in any case.
CAUSES = (
    Reason.ERROR.value,
    Reason.KERNEL_DIED.value,
    Reason.LOST.value,
    Reason.TIMEOUT.value,
    Reason.OUT_OF_MEMORY.value,
    Reason.DISK_FULL.value,
    ANY,
)


def check_causes(names: Iterable[str]) -> tuple[str, ...]:
    """Return causes without repetitions. Raises `InvalidInput` for one that does not exist."""
    found = tuple(dict.fromkeys(name.strip() for name in names))
    unknown = [name for name in found if name not in CAUSES]
    if unknown or not found:
        wrong = f"{unknown[0]!r} is no cause" if unknown else "no cause is named"
        raise InvalidInput(
            f"retry_on: {wrong}. Choose among {', '.join(CAUSES)}.", field="retry_on"
        )
    return found


def pause(
    sweep: Sweep, reason: Reason | None, *, tries: int, lost: int, nodes: int = 0
) -> float | None:
    """Return the seconds to wait before a failed run is tried again; None if it is not.

    ``tries`` counts the attempts since somebody asked for the run that were not lost, ``lost``
    those that were, ``nodes`` those of them whose node went away, this one included. The pause
    doubles from one retry to the next; the first attempt that is lost is tried again at once, since
    it is not the run's fault.
    """
    if reason is not None and reason.lost:
        if lost >= MAX_LOST or nodes >= MAX_NODES:
            return None
        return _pause(sweep, lost - 2) if lost > 1 else 0.0
    if tries > sweep.retries or not {ANY, reason}.intersection(sweep.retry_on):
        return None
    return _pause(sweep, tries - 1)


def _pause(sweep: Sweep, doublings: int) -> float:
    return min(sweep.retry_delay * 2.0**doublings, LONGEST_DELAY)
