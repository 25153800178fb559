"""Use cases of notebooks, sweeps and runs, as the worker carries them out."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from ..core import values
from ..core.exceptions import Conflict, MlopsError, NotFound
from ..core.parameters import Parameter
from ..core.runs import Attempt, Run, Status, Sweep, SweepKind
from ..execution.slots import Slots
from ..store import RunFilter, Store, Tally, of_run, of_sweep
from . import messages as m
from . import searching, submission, unfinished, views
from .contexts import Contexts
from .estimates import Estimates
from .executors import Executors, shared_cores
from .projects import Project
from .recorder import Recorder
from .removal import Removal
from .scheduler import Scheduler

#: Earlier sweeps of a notebook that are asked for its metrics and durations.
_REMEMBERED = 20


class SweepUseCases:
    """What can be asked of sweeps and runs."""

    def __init__(
        self,
        project: Project,
        store: Store,
        scheduler: Scheduler,
        recorder: Recorder,
        slots: Slots,
        removal: Removal,
        executors: Executors,
        tracking_uri: str,
    ) -> None:
        self._project = project
        self._store = store
        self._scheduler = scheduler
        self._recorder = recorder
        self._slots = slots
        self._removal = removal
        self._estimates = Estimates(store, scheduler.live)
        self._executors = executors
        self._tracking_uri = tracking_uri

    @property
    def contexts(self) -> Contexts:
        """What keeps the context of runs."""
        return self._scheduler.contexts

    # -- before a sweep ----------------------------------------------------------------------------

    async def parameters(self, query: m.NotebookQuery) -> m.ParametersView:
        """Tell what a notebook declares, and what was chosen for it last."""
        return await asyncio.to_thread(self._parameters, query.notebook)

    def _parameters(self, path: str) -> m.ParametersView:
        notebook = submission.read(self._project, path)
        found = notebook.parameters
        earlier = [
            each
            for each in self._store.history.sweeps()
            if each.notebook == notebook.path and each.kind is not SweepKind.SESSION
        ][:_REMEMBERED]
        last = earlier[0] if earlier else None
        return m.ParametersView(
            notebook=notebook.path,
            has_cell=found.has_cell,
            readable=found.readable,
            parameters=[_parameter(each) for each in found.parameters],
            candidates=[
                m.CandidateCell(cell=index, source=_source(notebook.cells[index].get("source")))
                for index in found.candidates
            ],
            kernel=found.kernel_name,
            last_space=last.space if last else None,
            last_metric=last.metric if last else None,
            last_maximize=last.maximize if last else None,
            metrics=self._known_metrics(earlier),
            seconds_per_run=self._seconds_per_run(earlier),
            cores=self._slots.limit,
            experiment=submission.default_experiment(self._project, notebook.path),
        )

    def _known_metrics(self, earlier: list[Sweep]) -> list[str]:
        names: dict[str, None] = {}
        for sweep in earlier:
            for run in self._store.history.runs(RunFilter(sweep_id=sweep.id, limit=1)):
                names.update(dict.fromkeys(run.metrics))
        return list(names)

    def _seconds_per_run(self, earlier: list[Sweep]) -> float | None:
        tallies = self._store.history.tallies([each.id for each in earlier])
        seconds = [each.mean_duration for each in tallies.values() if each.mean_duration]
        return statistics.median(seconds) if seconds else None

    async def preview(self, body: m.SpaceRequest) -> m.PreviewView:
        """Count a space, or say what is wrong with each parameter."""
        executor, wrong = None, {}
        try:
            executor = self._executors.chosen(body.executor)
        except MlopsError as error:
            wrong = {"executor": error.message}
        count, errors = await asyncio.to_thread(submission.preview, self._project, body, executor)
        cores = shared_cores(executor, self._slots.limit)
        seconds = None
        if count and cores:
            each = (await self.parameters(m.NotebookQuery(notebook=body.notebook))).seconds_per_run
            seconds = each * count / min(count, cores) if each else None
        return m.PreviewView(
            count=None if wrong else count, errors=errors | wrong, seconds=seconds, cores=cores
        )

    async def check(self, body: m.SubmitRequest) -> submission.Submission:
        """Refuse now what would be refused when it is submitted, and return what it would be."""
        return await asyncio.to_thread(self._prepare, body, None, keep=False)

    def _prepare(
        self, body: m.SubmitRequest, of: submission.StageRequest | None, *, keep: bool = True
    ) -> submission.Submission:
        return submission.prepare(
            self._project,
            body,
            executor=self._executors.chosen(body.executor),
            tracking_uri=self._tracking_uri,
            of=of,
            keep=keep,
        )

    async def submit(self, body: m.SubmitRequest, sweep_id: str | None = None) -> m.SweepView:
        """Queue a sweep; by an id that was chosen before, it is queued once."""
        if sweep_id is not None:
            with contextlib.suppress(NotFound):
                return await self.get_sweep(sweep_id)
        return await self.get_sweep(await self._queue(body, sweep_id=sweep_id))

    async def submit_stage(
        self, body: m.SubmitRequest, of: submission.StageRequest, expect: Callable[[str], None]
    ) -> str:
        """Queue the run of a stage; return its sweep's id, which ``expect`` is told before."""
        return await self._queue(body, of, expect)

    async def _queue(
        self,
        body: m.SubmitRequest,
        of: submission.StageRequest | None = None,
        expect: Callable[[str], None] = lambda _: None,
        sweep_id: str | None = None,
    ) -> str:
        if self._scheduler.draining:
            raise Conflict("The worker is ending. Try again in a moment.")
        await self._executors.ready(body.executor)
        prepared = await asyncio.to_thread(self._prepare, body, of)
        sweep = prepared.sweep if sweep_id is None else replace(prepared.sweep, id=sweep_id)
        expect(sweep.id)
        if body.environment is not None:
            self._scheduler.set_environment(sweep.id, body.environment)
        await asyncio.to_thread(self._store.queue.submit, sweep, prepared.space.points())
        unfinished.mark(self._project, True)
        self._scheduler.wake()
        return sweep.id

    # -- sweeps ------------------------------------------------------------------------------------

    async def list_sweeps(self, query: m.ListQuery) -> list[m.SweepView]:
        """List sweeps, newest first."""
        return await asyncio.to_thread(self._list_sweeps, query.limit, query.offset)

    def _list_sweeps(self, limit: int | None, offset: int) -> list[m.SweepView]:
        return self._show(self._store.history.sweeps(limit, offset))

    def _show(self, sweeps: list[Sweep]) -> list[m.SweepView]:
        tallies = self._store.history.tallies([each.id for each in sweeps])
        return [
            views.sweep(
                each,
                tallies[each.id],
                self._best(each),
                slots=self._cores_of(each),
                source_changed=each.kind is not SweepKind.SESSION
                and submission.source_changed(self._project, each),
                usual=self._usual(each, tallies[each.id]),
            )
            for each in sweeps
        ]

    def _cores_of(self, sweep: Sweep) -> int:
        return shared_cores(self._executors.get(sweep.executor), self._slots.limit) or 1

    def _usual(self, sweep: Sweep, tally: Tally) -> float | None:
        needed = tally.unfinished and tally.mean_duration is None
        return self._estimates.usual(sweep.notebook) if needed else None

    def _best(self, sweep: Sweep) -> Run | None:
        if sweep.metric is None:
            return None
        finished = RunFilter(sweep_id=sweep.id, status=Status.SUCCEEDED)
        return views.best_run(sweep, self._store.history.runs(finished))

    async def get_sweep(self, sweep_id: str) -> m.SweepView:
        """Show a sweep."""
        return await asyncio.to_thread(lambda: self._show([self._store.history.sweep(sweep_id)])[0])

    async def best(self, sweep_id: str) -> Run:
        """Return a sweep's best run, or its only one."""
        sweep = await asyncio.to_thread(self._store.history.sweep, sweep_id)
        if sweep.total == 1:
            return await asyncio.to_thread(self._store.history.run, f"{sweep_id}-1")
        best = await asyncio.to_thread(self._best, sweep)
        if best is None:
            raise NotFound(
                f"Sweep {sweep_id} has no best run: "
                + (
                    f"no run succeeded with a {sweep.metric}."
                    if sweep.metric
                    else "it has no --metric."
                )
                + " Name a run with --run."
            )
        return best

    async def cancel_sweep(self, sweep_id: str) -> m.SweepView:
        """Cancel what waits and stop what runs."""
        await asyncio.to_thread(self._store.history.sweep, sweep_id)
        await self._scheduler.cancel(
            await asyncio.to_thread(self._store.queue.cancel, of_sweep(sweep_id))
        )
        await self._recorder.finish_sweep(sweep_id)
        return await self.get_sweep(sweep_id)

    async def delete_sweep(self, sweep_id: str) -> m.Empty:
        """Delete a sweep, its runs, their output notebooks and tracked runs."""
        await asyncio.to_thread(self._store.history.sweep, sweep_id)
        where = RunFilter(sweep_id=sweep_id)
        await self._delete(await asyncio.to_thread(self._store.history.runs, where))
        return m.Empty()

    async def sweep_metrics(self, sweep_id: str, query: m.MetricsQuery) -> list[m.MetricSeries]:
        """Metrics of all runs by step."""
        where = RunFilter(sweep_id=sweep_id)
        found = await asyncio.to_thread(self._store.history.runs, where)
        lines = [await self.run_metrics(each.id, query) for each in found if each.attempts]
        return [line for each in lines for line in each]

    # -- runs --------------------------------------------------------------------------------------

    async def list_runs(self, query: m.RunsQuery) -> list[m.RunView]:
        """List runs."""
        waiting = await self._recorder.waiting()
        return await asyncio.to_thread(self._list_runs, query, waiting)

    def _list_runs(self, query: m.RunsQuery, waiting: Collection[str]) -> list[m.RunView]:
        if query.sweep is not None:
            self._store.history.sweep(query.sweep)
        where = RunFilter(
            sweep_id=query.sweep, status=query.status, limit=query.limit, offset=query.offset
        )
        found = self._store.history.runs(where)
        return searching.show(self._store, self._estimates, found, waiting)

    async def get_run(self, run_id: str) -> m.RunDetail:
        """Show all that is known of a run."""
        run, sweep = await self._find(run_id)
        attempts = await asyncio.to_thread(self._store.history.attempts, run_id)
        times = await asyncio.to_thread(self._estimates.of_run, run, sweep.kind)
        unsynced = run_id in await self._recorder.waiting()
        notes = [await asyncio.to_thread(self._store.notes.of, each.id) for each in attempts]
        return m.RunDetail(
            run=views.run(run, sweep, times, unsynced=unsynced),
            attempts=list(map(views.attempt, attempts, notes)),
            sweep=await self.get_sweep(sweep.id),
            notebook_hash=sweep.notebook_hash,
            context=sweep.context | await asyncio.to_thread(self._context, attempts),
        )

    def _context(self, attempts: Sequence[Attempt]) -> dict[str, Any]:
        """Return the context of a run's last attempt, if it is there."""
        return self._scheduler.contexts.of(attempts[-1]) if attempts else {}

    async def cancel_run(self, run_id: str) -> m.RunView:
        """Cancel a run."""
        run, sweep = await self._find(run_id)
        if run.status.finished:
            raise Conflict(f"Run {run_id} has {run.status} already.")
        await self._scheduler.cancel(
            await asyncio.to_thread(self._store.queue.cancel, of_run(run_id))
        )
        await self._recorder.finish_sweep(sweep.id)
        return await self._view(run_id)

    async def delete_run(self, run_id: str) -> m.Empty:
        """Delete a run, its output notebook and its tracked runs."""
        run, _ = await self._find(run_id)
        await self._delete([run])
        return m.Empty()

    async def run_metrics(self, run_id: str, query: m.MetricsQuery) -> list[m.MetricSeries]:
        """Metrics of a run's last attempt by step."""
        attempts = await asyncio.to_thread(self._store.history.attempts, run_id)
        if not attempts:
            await self._find(run_id)
            return []
        points = await asyncio.to_thread(self._store.history.series, attempts[-1].id, query.key)
        return views.series(run_id, points)

    async def _find(self, run_id: str) -> tuple[Run, Sweep]:
        run = await asyncio.to_thread(self._store.history.run, run_id)
        return run, await asyncio.to_thread(self._store.history.sweep, run.sweep_id)

    async def _view(self, run_id: str) -> m.RunView:
        return views.run(*await self._find(run_id))

    async def _delete(self, runs: list[Run]) -> None:
        async with self._removal.lock:
            needed = await self._removal.needed(runs)
            if needed:
                raise Conflict(
                    f"{next(iter(needed.values()))} was made from it. "
                    "Delete that model version first."
                )
            await self._removal.remove(runs)


def _parameter(record: Parameter) -> m.ParameterView:
    secret = values.looks_secret(record.name)
    default = values.MASK if secret else record.default
    return m.ParameterView(
        name=record.name,
        kind=record.kind.value,
        annotation=record.annotation,
        default=values.encode(default) if record.has_default else None,
        default_text=(values.MASK if secret else values.literal(record.default))
        if record.has_default
        else None,
        choices=None if record.choices is None else [values.encode(c) for c in record.choices],
        optional=record.optional,
        help=record.help,
    )


def _source(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source or "")
