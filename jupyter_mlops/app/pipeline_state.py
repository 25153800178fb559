"""A pipeline run under way: its plan, where each stage stands, and what is not written yet."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.pipelines import PipelineRun, StageRun, StageState
from ..pipeline import wire
from ..pipeline.client import Host


@dataclass(slots=True, eq=False)
class ActiveRun:
    """A pipeline run under way. For one event loop."""

    run: PipelineRun
    host: Host
    #: The variables of whoever asked for it.
    environment: Mapping[str, str]
    #: What the host was asked to plan for it already.
    plan: Awaitable[list[wire.Stage]] | None = None
    #: The plan, by name, in DVC's order; and where each of its stages stands.
    planned: dict[str, wire.Stage] = field(default_factory=dict)
    stages: dict[str, StageRun] = field(default_factory=dict)
    #: Code cell that a stage's notebook has come to, from 1, and number of its code cells.
    cells: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    cancelled: bool = False
    _dirty: dict[str, None] = field(default_factory=dict)

    def begin(self, found: Iterable[wire.Stage]) -> list[StageRun]:
        """Take in the plan; return where its stages stand."""
        self.planned = {each.name: each for each in found}
        self.stages = {name: _planned(self.run.id, each) for name, each in self.planned.items()}
        return list(self.stages.values())

    def note(self, name: str, **changes: Any) -> None:
        """Take note of something new about a stage."""
        self.stages[name] = replace(self.stages[name], **changes)
        self._dirty[name] = None

    def end(self, name: str, state: StageState, **changes: Any) -> None:
        """Take note that a stage has come to its end."""
        self.note(name, state=state, finished_at=datetime.now(UTC), **changes)

    def pass_over(self, names: Iterable[str]) -> None:
        """Take note that stages are left out."""
        for name in names:
            self.note(name, state=StageState.SKIPPED)

    def unfinished(self) -> list[str]:
        """Return the stages that have not come to their end."""
        return [name for name, each in self.stages.items() if not each.state.finished]

    def unwritten(self) -> list[StageRun]:
        """Return what has changed since this was called last."""
        changed = [self.stages[name] for name in self._dirty]
        self._dirty.clear()
        return changed

    def summary(self) -> str | None:
        """Say in one line which stages have failed; None if none has."""
        failed = [each for each in self.stages.values() if each.state is StageState.FAILED]
        if not failed:
            return None
        failed.sort(key=lambda each: each.finished_at or datetime.max.replace(tzinfo=UTC))
        more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
        return f"{failed[0].stage}: {failed[0].error}{more}"


def _planned(pipeline_id: str, stage: wire.Stage) -> StageRun:
    """Return where a stage stands before anything has run."""
    state = StageState.QUEUED if stage.causes else stage.state
    return StageRun(
        pipeline_id=pipeline_id, stage=stage.name, state=state, causes=tuple(stage.causes)
    )


def log_path(logs: Path, stage: str) -> Path:
    """Return where what a stage's commands print is kept."""
    safe = "".join(each if each.isalnum() or each in "-_.@" else "~" for each in stage)
    return logs / f"{safe}.log"


class Stopwatch:
    """Seconds since it was made, on a clock that nobody sets."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return them."""
        return time.monotonic() - self._begun
