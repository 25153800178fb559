"""What a command does whose sweep is a single run: follow it, and fail as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Face

if TYPE_CHECKING:
    from ..results import RunResult, SweepResult


def follow_single(face: Face, sweep: SweepResult, *, detach: bool) -> RunResult:
    """Return the run of a sweep once it has ended, or at once if ``detach``.

    A failed run is raised as `RunFailed`; as JSON it is printed, and the exit code tells.
    """
    from ..api import raise_for_failure

    followed = not detach and face.follow(sweep)
    result = sweep.single()
    if followed:
        if face.json:
            face.failed = result.status != "succeeded"
        else:
            raise_for_failure(result.view)
    return result
