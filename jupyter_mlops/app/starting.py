"""What schedules and triggers start: requests that were checked when they were added."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from ..core import values
from ..core.exceptions import InvalidInput
from ..core.occasions import Fire
from ..core.runs import SweepKind
from ..store import Store
from . import messages as m
from .sweeps import SweepUseCases

#: Options of a run or a sweep by the request's field, as they are typed.
_OPTIONS = {
    "metric": "--metric",
    "samples": "--random",
    "sampler": "--sampler",
    "trials": "--trials",
    "seed": "--seed",
    "prune": "--prune",
    "prune_steps": "--prune-steps",
    "prune_factor": "--prune-factor",
    "experiment": "--experiment",
    "cpus": "--cpus",
    "memory": "--memory",
    "gpus": "--gpus",
    "timeout": "--timeout",
    "cell_timeout": "--cell-timeout",
    "retries": "--retries",
    "retry_delay": "--retry-delay",
    "priority": "--priority",
    "executor": "--executor",
    "kernel": "--kernel",
}


class Pipelines(Protocol):
    """Who runs pipelines."""

    async def plan_pipeline(self, body: m.PipelineRequest) -> m.PlanView:
        """Tell what a pipeline run would do. Raises `InvalidInput`."""
        ...

    async def run_pipeline(self, body: m.PipelineRequest) -> m.PipelineRunView:
        """Bring stages up to date."""
        ...


class Starter:
    """Checks what is to be started, keeps it as plain values, and starts it."""

    def __init__(self, store: Store, sweeps: SweepUseCases, pipelines: Pipelines) -> None:
        self._store = store
        self._sweeps = sweeps
        self._pipelines = pipelines

    async def check(self, action: m.ActionRequest, accept: list[str]) -> dict[str, Any]:
        """Return an action as it is kept. Raises what starting it would raise."""
        if (action.submit is None) == (action.pipeline is None):
            raise InvalidInput("Say what to start: a run, a sweep or a pipeline run.")
        if action.submit is not None:
            await self._check_submission(action.submit, accept)
            return {"kind": "sweep", "request": _plain(action.submit)}
        if accept:
            raise InvalidInput("accept: a pipeline has no parameters to set.", field="accept")
        request = action.pipeline or m.PipelineRequest()
        if request.dry:
            raise InvalidInput("dry: nothing would ever run. Leave it out.", field="dry")
        await self._pipelines.plan_pipeline(request)
        return {"kind": "pipeline", "request": _plain(request)}

    async def _check_submission(self, request: m.SubmitRequest, accept: list[str]) -> None:
        if request.kind is SweepKind.SESSION:
            raise InvalidInput("A session cannot be started by itself.", field="kind")
        await self._sweeps.check(request)
        if not accept:
            return
        if request.points is not None or request.file_text is not None:
            raise InvalidInput(
                "accept: the points of a file name all parameters. Leave out --from.",
                field="accept",
            )
        declared = await self._sweeps.parameters(m.NotebookQuery(notebook=request.notebook))
        names = {each.name for each in declared.parameters}
        unknown = [each for each in accept if each not in names]
        if unknown and declared.readable and not request.allow_undeclared:
            raise InvalidInput(
                f"accept: {request.notebook} declares no parameter {unknown[0]}.", field="accept"
            )

    async def start(self, fire: Fire, action: dict[str, Any]) -> tuple[str, str]:
        """Start an action, once for each fire, and return what it became and its id."""
        if action["kind"] == "sweep":
            request = msgspec.convert(action["request"], m.SubmitRequest)
            request.origin = fire.origin
            _set(request, fire.parameters)
            return "sweep", (await self._sweeps.submit(request, fire.id)).id
        earlier = await asyncio.to_thread(self._store.causes.pipeline_of, fire.origin, fire.time)
        if earlier is not None:
            return "pipeline", earlier
        piped = msgspec.convert(action["request"], m.PipelineRequest)
        piped.origin = fire.origin
        return "pipeline", (await self._pipelines.run_pipeline(piped)).id


def _plain(request: m.SubmitRequest | m.PipelineRequest) -> dict[str, Any]:
    """Return a request's fields that were set, without the caller's variables."""
    kept = msgspec.structs.replace(request, environment=None, origin="")
    if isinstance(kept, m.SubmitRequest):
        kept.parent_attempt = None
    plain: dict[str, Any] = msgspec.to_builtins(kept)
    defaults = {each.name: each.default for each in msgspec.structs.fields(kept)}
    return {name: each for name, each in plain.items() if defaults[name] != each}


def _set(request: m.SubmitRequest, parameters: dict[str, Any]) -> None:
    """Set parameters that a call gave, in place of those of the same names."""
    if not parameters:
        return
    others: dict[str, list[Any]] = {name: [] for name in request.space if name not in parameters}
    earlier = {k: v for k, v in (request.values or {}).items() if k not in parameters}
    request.space = {k: v for k, v in request.space.items() if k in others}
    request.values = others | earlier | {name: [each] for name, each in parameters.items()}


def describe(action: dict[str, Any]) -> str:
    """Write an action as one would type it, secrets masked."""
    if action["kind"] == "pipeline":
        return shlex.join(["pipeline", "run", *_pipeline_words(action["request"])])
    return shlex.join(_submit_words(msgspec.convert(action["request"], m.SubmitRequest)))


def _submit_words(request: m.SubmitRequest) -> Iterator[str]:
    yield request.kind.value
    yield request.notebook
    for name, text in request.space.items():
        yield f"{name}={values.MASK if values.looks_secret(name) else text}"
    for name in request.values or ():
        if name not in request.space:
            yield f"{name}=…"
    if request.mode == "zip":
        yield "--zip"
    for field, option in _OPTIONS.items():
        given = getattr(request, field)
        if given not in (None, 0):
            yield from (option, str(given))
    if request.maximize is not None:
        yield "--maximize" if request.maximize else "--minimize"
    if request.retry_on:
        yield from ("--retry-on", ",".join(request.retry_on))


def _pipeline_words(request: dict[str, Any]) -> Iterator[str]:
    yield from request.get("targets", ())
    for name in m.PIPELINE_FLAGS:
        if request.get(name):
            yield "--" + name.replace("_", "-")
