"""Stages and pipelines: where each stage stands, and why it will run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from .exceptions import InvalidInput
from .resources import parse_memory
from .runs import Status


class StageState(StrEnum):
    """Where a stage stands."""

    FRESH = "fresh"  #: nothing has changed since it ran
    STALE = "stale"  #: it will run; the causes say why
    QUEUED = "queued"  #: it waits for other stages, or for resources
    RUNNING = "running"  #: its command is executed
    SUCCEEDED = "succeeded"  #: it ran, or its outputs came from the run cache
    FAILED = "failed"  #: its command failed, or left an output out
    SKIPPED = "skipped"  #: it did not come to its end: another failed, or it was cancelled
    FROZEN = "frozen"  #: DVC runs it only when it is thawed

    @property
    def finished(self) -> bool:
        """Whether nothing more happens to it in this pipeline run."""
        return self not in (StageState.STALE, StageState.QUEUED, StageState.RUNNING)


class CauseKind(StrEnum):
    """Why a stage will run."""

    DEPENDENCY = "dependency"  #: a file or folder that it depends on
    PARAMETER = "parameter"  #: a parameter that it depends on
    COMMAND = "command"  #: its command has changed
    OUTPUT = "output"  #: an output is missing, or was changed by somebody else
    UPSTREAM = "upstream"  #: a stage before it will run
    FORCED = "forced"  #: somebody asked for it
    NEVER_RUN = "never_run"  #: dvc.lock does not know it
    ALWAYS = "always"  #: declared so, or without dependencies and outputs


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One reason why a stage will run."""

    kind: CauseKind
    #: What has changed: a path, ``params.yaml: depth``, the name of a stage; may be empty.
    what: str = ""
    #: How: ``modified``, ``deleted``, ``new``; DVC's word; may be empty.
    change: str = ""

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return _WORDS[self.kind].format(what=self.what, change=self.change or "changed").strip()


_WORDS = {
    CauseKind.DEPENDENCY: "{what} {change}",
    CauseKind.PARAMETER: "{what} {change}",
    CauseKind.COMMAND: "command changed",
    CauseKind.OUTPUT: "output {what} {change}",
    CauseKind.UPSTREAM: "upstream: {what}",
    CauseKind.FORCED: "forced",
    CauseKind.NEVER_RUN: "never run",
    CauseKind.ALWAYS: "always runs",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRun:
    """What one pipeline run did with one stage."""

    pipeline_id: str
    #: The stage's address in DVC, seen from the repository's root.
    stage: str
    state: StageState
    causes: tuple[Cause, ...] = ()
    #: One line: what went wrong.
    error: str | None = None
    #: The run that executed its notebook, if it is one.
    run_id: str | None = None
    #: Whether its outputs came from the run cache, without a run.
    cached: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: Seconds that its command took.
    duration: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineRun:
    """One request to bring stages up to date, and what became of it."""

    id: str
    #: The DVC repository's root, relative to the project; empty for the project's own folder.
    folder: str
    #: Stages that were asked for; none means all of the folder's dvc.yaml.
    targets: tuple[str, ...]
    #: DVC's options that were given.
    options: dict[str, Any] = field(default_factory=dict)
    status: Status
    #: One line: what went wrong.
    error: str | None = None
    #: What asked for it, such as ``schedule:k3m9x2ab``; empty for a person.
    origin: str = ""
    #: Number of stages that are looked at.
    total: int = 0
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: Seconds on a monotonic clock.
    duration: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSettings:
    """What ``meta: {mlops: …}`` says of a stage in dvc.yaml."""

    #: Where its commands run; None means where the settings say.
    executor: str | None = None
    cpus: int = 1
    #: Bytes; None means nothing in particular.
    memory: int | None = None
    gpus: int = 0
    #: Further tries of its commands after a failure.
    retries: int = 0
    #: Seconds that its commands may take together; None means no limit.
    timeout: float | None = None
    #: Commands that are executed, in the stage's folder, when it has failed.
    on_failure: tuple[str, ...] = ()
    #: Who is told of its failure: names of the settings' notifications, or URLs.
    notify: tuple[str, ...] = ()


def read_settings(stage: str, given: Mapping[str, Any]) -> StageSettings:
    """Read what ``meta.mlops`` says. Raises `InvalidInput` with the stage and the field."""

    def refuse(name: str, what: str) -> InvalidInput:
        return InvalidInput(f"dvc.yaml: stage {stage}: meta.mlops.{name}: {what}.", field=name)

    def number(name: str, least: int, default: int) -> int:
        value = given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise refuse(name, f"{value!r} is no whole number of at least {least}")
        return value

    def listed(name: str) -> tuple[str, ...]:
        value = given.get(name) or []
        each = [value] if isinstance(value, str) else value
        if not isinstance(each, list) or not all(isinstance(text, str) for text in each):
            raise refuse(name, "it is neither text nor a list of texts")
        return tuple(each)

    unknown = sorted(set(given) - {each.name for each in fields(StageSettings)})
    if unknown:
        known = ", ".join(each.name for each in fields(StageSettings))
        raise refuse(str(unknown[0]), f"there is no such setting. There are {known}")
    memory, timeout = given.get("memory"), given.get("timeout")
    executor = given.get("executor")
    if not isinstance(executor, str | None):
        raise refuse("executor", f"{executor!r} is no name")
    try:
        size = None if memory is None else parse_memory(str(memory))
    except InvalidInput as error:
        raise refuse("memory", error.message.removeprefix("memory: ").rstrip(".")) from error
    if timeout is not None and (
        isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0
    ):
        raise refuse("timeout", f"{timeout!r} is no number of seconds above 0")
    return StageSettings(
        executor=executor,
        cpus=number("cpus", 1, 1),
        memory=size,
        gpus=number("gpus", 0, 0),
        retries=number("retries", 0, 0),
        timeout=None if timeout is None else float(timeout),
        on_failure=listed("on_failure"),
        notify=listed("notify"),
    )
