"""Use cases of pipelines, as the worker carries them out."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ..core import values
from ..core.exceptions import Conflict, InvalidInput, MlopsError
from ..core.pipelines import PipelineRun, StageRun, read_settings
from ..core.runs import Status, new_id
from ..execution.commands import last_lines
from ..pipeline import wire
from ..pipeline.client import Host
from ..store import Store
from . import messages as m
from .hosts import Hosts
from .pipeline_requests import dvc_root, options_of, question
from .pipeline_runs import PipelineRunner
from .pipeline_state import log_path
from .pipeline_views import merged, stage_view
from .projects import Project, confined
from .stage_runs import recognise

#: Last lines of a stage's log that are shown.
_LOG_LINES = 200


class PipelineUseCases:
    """What can be asked of pipelines and their stages."""

    def __init__(
        self, project: Project, store: Store, runner: PipelineRunner, hosts: Hosts
    ) -> None:
        self._project = project
        self._store = store
        self._runner = runner
        self._hosts = hosts
        #: Held from a plan until it is handed on.
        self._turn = asyncio.Lock()
        #: The notebook that commands execute, by folder and commands.
        self._notebooks: dict[tuple[str, ...], str | None] = {}
        #: What DVC told of each repository's stages.
        self._seen: dict[Path, list[wire.Stage]] = {}

    # -- looking -----------------------------------------------------------------------------------

    async def pipeline(self, query: m.PipelineQuery) -> m.PipelineView:
        """Show the stages, where they stand and why they will run."""
        last = await self._last_run()
        root = self._root(query.folder)
        if root is None:
            return m.PipelineView(folder="", exists=False, stages=[], last=last, problem=None)
        folder = self._relative(root)
        try:
            stages = await self._stages(root)
        except MlopsError as error:
            known = self._seen.get(root, [])
            shown = await self._show(root, known)
            return m.PipelineView(
                folder=folder, exists=True, stages=shown, last=last, problem=error.message
            )
        shown = await self._show(root, stages)
        return m.PipelineView(
            folder=folder, exists=bool(shown), stages=shown, last=last, problem=None
        )

    async def get_stage(self, query: m.StageQuery) -> m.StageDetail:
        """Show all that is known of a stage."""
        host = self._host(query.folder)
        details = await host.inspect(query.name)
        (view,) = await self._show(host.root, [details.stage])
        settings = read_settings(query.name, details.stage.settings)
        log = log_path(self._hosts.logs, query.name)
        return m.StageDetail(
            stage=view,
            command=details.stage.commands,
            folder=self._inside(host.root, details.stage.folder),
            dependencies=[_file(each) for each in details.dependencies],
            outputs=[_file(each) for each in details.outputs],
            metrics=[
                m.MetricChange(
                    path=each.path,
                    name=each.name,
                    value=values.encode(each.value),
                    before=values.encode(each.before),
                )
                for each in details.metrics
            ],
            downstream=details.downstream,
            frozen=details.stage.frozen,
            always_changed=details.stage.always_changed,
            cpus=settings.cpus,
            memory=settings.memory,
            gpus=settings.gpus,
            timeout=settings.timeout,
            retries=settings.retries,
            log=await asyncio.to_thread(last_lines, log, _LOG_LINES),
        )

    async def plan_pipeline(self, body: m.PipelineRequest) -> m.PlanView:
        """Tell what a pipeline run would do."""
        host = self._host(body.folder)
        stages = await self._planned(host, self._requested(body, host.root), dry=True)
        return m.PlanView(stages=await self._show(host.root, stages, fresh_look=True))

    async def _planned(self, host: Host, run: PipelineRun, *, dry: bool) -> list[wire.Stage]:
        """Return what a request would look at. Raises `InvalidInput` if that is refused."""
        stages = await host.stages(question(run.targets, run.options, dry=dry))
        self._runner.check(stages)
        return stages

    # -- running -----------------------------------------------------------------------------------

    async def run_pipeline(self, body: m.PipelineRequest) -> m.PipelineRunView:
        """Bring stages up to date, after the pipeline runs that were asked for before."""
        if body.dry:
            raise InvalidInput("dry: nothing would run. Ask for the plan instead.", field="dry")
        host = self._host(body.folder)
        run = self._requested(body, host.root)
        async with self._turn:
            plan = None
            # Else files may change until its turn comes, or it takes as long as the network does.
            if not self._runner.busy and not body.pull:
                plan = asyncio.create_task(self._planned(host, run, dry=False))
                await _until_it_waits(host, plan)
                if plan.done():
                    plan.result()
            await asyncio.to_thread(self._store.pipelines.add, run)
            self._runner.submit(run, host, body.environment or {}, plan)
        return self._view(run, [])

    async def resume(self) -> None:
        """Go on with the pipeline runs that an earlier worker has left."""
        for run in await asyncio.to_thread(self._store.pipelines.unfinished):
            root = self._root(str(run.options.get("start", "")))
            if root is None:
                await asyncio.to_thread(
                    self._store.pipelines.finish,
                    run.id,
                    Status.FAILED,
                    error="Its DVC repository is gone.",
                    duration=0.0,
                )
                continue
            self._runner.submit(run, self._hosts.of(root), {})

    async def list_pipeline_runs(self, query: m.ListQuery) -> list[m.PipelineRunView]:
        """List pipeline runs, newest first."""
        runs = await asyncio.to_thread(self._store.pipelines.runs, query.limit, query.offset)
        return [await self._shown(each) for each in runs]

    async def get_pipeline_run(self, pipeline_id: str) -> m.PipelineRunDetail:
        """Show a pipeline run and each of its stages."""
        run = await asyncio.to_thread(self._store.pipelines.get, pipeline_id)
        stages = await self._stages_of(run)
        root = (self._project.root / run.folder).resolve()
        known = {each.name: each for each in self._seen.get(root, [])}
        active = self._runner.active
        if active is not None and active.run.id == pipeline_id:
            known |= active.planned
        return m.PipelineRunDetail(
            run=self._view(run, stages),
            stages=[stage_view(each, known.get(each.stage)) for each in stages],
        )

    async def cancel_pipeline_run(self, pipeline_id: str) -> m.PipelineRunView:
        """Cancel a pipeline run; its stages that run are stopped."""
        stopped = await self._runner.cancel(pipeline_id)
        run = await asyncio.to_thread(self._store.pipelines.get, pipeline_id)
        if not stopped:
            status = run.status if run.status.finished else "ended"
            raise Conflict(f"Pipeline run {pipeline_id} has {status} already.")
        return await self._shown(run)

    # -- what they are made of ---------------------------------------------------------------------

    def _root(self, folder: str) -> Path | None:
        """Return the root of the DVC repository of a folder; None if there is none."""
        start = confined(self._project.root, folder) if folder else self._project.root
        return dvc_root(start)

    def _host(self, folder: str) -> Host:
        root = self._root(folder)
        if root is None:
            raise InvalidInput(
                "There is no DVC repository here. Make one with: dvc init", field="folder"
            )
        return self._hosts.of(root)

    def _requested(self, body: m.PipelineRequest, root: Path) -> PipelineRun:
        return PipelineRun(
            id=new_id(),
            folder=self._relative(root),
            targets=tuple(body.targets),
            options=options_of(body, self._project.root, root),
            status=Status.QUEUED,
            origin=body.origin,
            created_at=datetime.now(UTC),
        )

    async def _stages(self, root: Path) -> list[wire.Stage]:
        """Return the stages as DVC sees them now, or saw them before the run under way began.

        Raises `Conflict` if another process holds DVC's lock.
        """
        active = self._runner.active
        if active is not None and active.host.root == root and active.planned:
            return self._seen.get(root) or list(active.planned.values())
        host = self._hosts.of(root)
        look = asyncio.create_task(host.stages(wire.Look()))
        await _until_it_waits(host, look)
        if not look.done():
            look.add_done_callback(_let_go)
            raise Conflict(host.waits_for)
        self._seen[root] = stages = look.result()
        return stages

    async def _show(
        self, root: Path, stages: list[wire.Stage], *, fresh_look: bool = False
    ) -> list[m.StageView]:
        """Merge what DVC says with what the run under way, or the last one, did."""
        last = await asyncio.to_thread(self._store.pipelines.last)
        active = self._runner.active
        live = active.stages if active is not None and not fresh_look else {}
        views = [merged(each, live.get(each.name), last.get(each.name)) for each in stages]
        for view, stage in zip(views, stages, strict=True):
            view.notebook = await self._notebook(root, stage)
            if active is not None:
                view.cell, view.cells = active.cells.get(view.name, (None, None))
        return views

    async def _notebook(self, root: Path, stage: wire.Stage) -> str | None:
        """Return the notebook that a stage executes, if that is what it does."""
        key = stage.folder, *stage.commands
        if key not in self._notebooks:
            self._notebooks[key] = await asyncio.to_thread(self._find_notebook, root, stage)
        return self._notebooks[key]

    def _find_notebook(self, root: Path, stage: wire.Stage) -> str | None:
        if len(stage.commands) != 1:
            return None
        command = recognise(self._project, stage.commands[0], root / stage.folder)
        return str(os.path.relpath(command.notebook, self._project.root)) if command else None

    async def _last_run(self) -> m.PipelineRunView | None:
        active = self._runner.active
        if active is not None:
            return await self._shown(active.run)
        runs = await asyncio.to_thread(self._store.pipelines.runs, 1)
        return await self._shown(runs[0]) if runs else None

    async def _shown(self, run: PipelineRun) -> m.PipelineRunView:
        run = await asyncio.to_thread(self._store.pipelines.get, run.id)
        return self._view(run, await self._stages_of(run))

    async def _stages_of(self, run: PipelineRun) -> list[StageRun]:
        active = self._runner.active
        if active is not None and active.run.id == run.id and active.stages:
            return list(active.stages.values())
        return await asyncio.to_thread(self._store.pipelines.stages, run.id)

    def _view(self, run: PipelineRun, stages: list[StageRun]) -> m.PipelineRunView:
        shown = {k: v for k, v in run.options.items() if k not in ("folder", "start")}
        return m.PipelineRunView(
            id=run.id,
            targets=list(run.targets),
            options=shown,
            status=run.status,
            error=run.error,
            origin=run.origin,
            total=run.total,
            counts=dict(Counter(each.state for each in stages)),
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
            duration=run.duration,
            waits_for=self._waits_for(run),
        )

    def _waits_for(self, run: PipelineRun) -> str | None:
        active = self._runner.active
        if active is None or active.run.id != run.id:
            return None
        return active.host.waits_for or None

    def _relative(self, root: Path) -> str:
        return _without_dot(os.path.relpath(root, self._project.root))

    def _inside(self, root: Path, folder: str) -> str:
        return _without_dot(os.path.relpath(root / folder, self._project.root))


def _let_go(question: asyncio.Task[list[wire.Stage]]) -> None:
    """Take note of how a question has ended that nobody waits for any more."""
    if not question.cancelled():
        question.exception()


async def _until_it_waits(host: Host, question: asyncio.Task[list[wire.Stage]]) -> None:
    """Return when a question is answered, or waits for another process's lock."""
    waits = asyncio.Event()
    if host.waits_for:  # for an earlier question, which comes first
        waits.set()
    host.notice = lambda text: waits.set() if text else None
    waiting = asyncio.create_task(waits.wait())
    await asyncio.wait([question, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _without_dot(path: str) -> str:
    return "" if path == "." else path


def _file(file: wire.File) -> m.FileView:
    found = msgspec.to_builtins(file)
    found["values"] = {name: values.encode(value) for name, value in file.values.items()}
    return msgspec.convert(found, m.FileView)
