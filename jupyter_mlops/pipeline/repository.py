"""A DVC repository: its graph, where each stage stands, and the steps of a plan."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from dvc.dependency import ParamsDependency
from dvc.parsing import JOIN
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.run import _enforce_cmd_list as split_commands

from ..core.exceptions import InvalidInput
from ..core.pipelines import Cause, CauseKind, StageState
from . import evidence, guard, inspection, refusals, steps, wire
from .causes import causes
from .freshness import Doubt, Snapshot, journal_path, request_key
from .lockfile import LockfileWriter, Recorded
from .locks import Locks
from .saving import Committer, RunCache

if TYPE_CHECKING:
    from dvc.stage import Stage
    from networkx import DiGraph


class Repository:
    """A DVC repository as it is now, to be used by one thread whose current folder is its root.

    What DVC keeps in memory of files, settings and folders is never made anew, so that each plan,
    and each look, needs another object.
    """

    def __init__(self, root: Path, notify: Callable[[str], None]) -> None:
        """Open it. ``notify`` is told in one line what is waited for, and "" when no more."""
        guard.check_aliases(root)
        self._root = root
        self._repo = Repo(str(root))
        self._repo.stage_cache = RunCache(self._repo)
        self._committer = Committer(self._repo)
        self._locks = Locks(self._repo, notify)
        self._recorded = Recorded()
        self._lockfile = LockfileWriter(self._repo, journal_path(root), self._recorded)
        #: Of the plan: its stages by name, DVC's graph, the options, and what has changed.
        self._stages: dict[str, Stage] = {}
        self._graph: DiGraph
        self._options = steps.Options()
        self._done: frozenset[str] = frozenset()
        self._causes: dict[str, tuple[Cause, ...]] = {}
        self._ran: set[Stage] = set()

    # -- looking -----------------------------------------------------------------------------------

    def recover(self) -> None:
        """Complete dvc.lock if a process was killed before it could write it."""
        if self._lockfile.left:
            with self._locks.repository():
                self._lockfile.recover()

    def look(self) -> wire.Stages:
        """Tell where every stage of the repository stands."""
        with self._locks.repository():
            stages, graph = steps.plan(
                self._repo, [], single_item=False, downstream=False, all_pipelines=True
            )
            return wire.Stages(self._judge(stages, graph, steps.Options(), frozenset()))

    def inspect(self, name: str) -> wire.Details:
        """Tell all that there is to know of a stage. Raises `InvalidInput` if there is none."""
        with self._locks.repository():
            graph = self._repo.index.graph
            stage = next((each for each in graph if each.addressing == name), None)
            if stage is None:
                raise InvalidInput(f"There is no stage {name}.", field="stage")
            (described,) = self._judge([stage], graph, steps.Options(), frozenset())
            return wire.Details(
                stage=described,
                dependencies=[inspection.describe(each) for each in stage.deps],
                outputs=[inspection.describe(each) for each in stage.outs],
                metrics=inspection.metrics(self._repo, stage),
                downstream=sorted(each.addressing for each in graph.predecessors(stage)),
            )

    # -- running -----------------------------------------------------------------------------------

    def plan(self, request: wire.Plan) -> wire.Stages:
        """Tell what a request would look at, and make it what is worked on."""
        options = steps.Options(request.force, request.pull, request.no_commit)
        done = frozenset(request.done)
        with self._locks.repository():
            if request.pull and not request.dry:
                steps.pull_run_cache(self._repo)
            with _inside(self._root / request.folder):
                planned, graph = steps.plan(
                    self._repo,
                    request.targets,
                    single_item=request.single_item,
                    downstream=request.downstream,
                    all_pipelines=request.all_pipelines,
                )
            refusals.check_plan(planned, pull=request.pull)
            snapshot = self._snapshot(planned)
            found = self._judge(planned, graph, options, done)
        if snapshot is not None and not any(each.causes for each in found):
            snapshot.save(_key(request), msgspec.to_builtins(found))
        self._options, self._done, self._graph = options, done, graph
        self._stages = {each.addressing: each for each in planned}
        self._causes = {each.name: tuple(each.causes) for each in found}
        self._lockfile.plan(planned)
        for stage, view in zip(planned, found, strict=True):
            if not view.causes:
                self._lockfile.settle(stage, changed=False)
        return wire.Stages(found)

    def begin(self, name: str) -> wire.Began:
        """Prepare a stage of the plan for its commands, or bring it up to date without them."""
        stage = self._stages[name]
        with self._locks.repository():
            self._locks.hold(stage)
            try:
                found = self._why(name, stage)
                action = steps.begin(stage, self._options_of(name)) if found else "fresh"
                if action in ("restored", "done"):
                    steps.finish(stage, self._options, self._committer)
            except BaseException:
                self._locks.release(stage)
                raise
            if action != "execute":
                self._settle(stage, changed=action != "fresh")
        return wire.Began(action, list(found))

    def again(self, name: str) -> None:
        """Prepare a stage of the plan for another try of its commands."""
        with self._locks.repository():
            steps.clear(self._stages[name])

    def finish(self, name: str) -> None:
        """Save a stage of the plan whose commands were executed. Lets go of it in any case."""
        stage = self._stages[name]
        with self._locks.repository():
            try:
                steps.finish(stage, self._options, self._committer)
            except BaseException:
                self._locks.release(stage)
                raise
            self._settle(stage, changed=True)

    def abandon(self, name: str) -> None:
        """Let go of a stage of the plan whose commands failed."""
        with self._locks.repository():
            self._locks.release(self._stages[name])

    def close(self) -> None:
        """Write all that has finished to dvc.lock, and let go of everything."""
        with self._locks.repository():
            self._locks.release_all()
            with self._repo.scm_context(quiet=True):
                self._lockfile.flush()
            self._committer.flush()
        self._repo.state.close()

    # -- what it is made of ------------------------------------------------------------------------

    def _judge(
        self,
        stages: list[Stage],
        graph: DiGraph,
        options: steps.Options,
        done: frozenset[str],
    ) -> list[wire.Stage]:
        """Describe stages; each comes after those that it depends on."""
        stale: list[Stage] = []
        found = []
        for stage in stages:
            upstream = [each for each in graph.successors(stage) if each in stale]
            forced = options.force and stage.addressing not in done
            why = causes(stage, self._recorded, upstream, forced=forced)
            if why:
                stale.append(stage)
            found.append(_described(stage, graph, why))
        return found

    def _snapshot(self, planned: list[Stage]) -> Snapshot | None:
        """Return what the files are like that decide whether stages are up to date."""
        try:
            files, trees = evidence.gather(self._repo, planned)
            return Snapshot(self._root, files, trees)
        except Doubt:
            return None

    def _why(self, name: str, stage: Stage) -> tuple[Cause, ...]:
        """Return why a stage runs, now that those before it have come to their end."""
        known = self._causes[name]
        ran = any(each in self._ran for each in self._graph.successors(stage))
        waited = any(each.kind is CauseKind.UPSTREAM for each in known)
        if ran or waited:
            return causes(
                stage, self._recorded, forced=self._options.force and name not in self._done
            )
        return known

    def _options_of(self, name: str) -> steps.Options:
        if name in self._done:
            return steps.Options(False, self._options.pull, self._options.no_commit)
        return self._options

    def _settle(self, stage: Stage, *, changed: bool) -> None:
        if changed:
            self._ran.add(stage)
        self._lockfile.settle(stage, changed=changed)
        self._locks.release(stage)


def _key(request: wire.Plan) -> str:
    return request_key(
        request.folder,
        request.targets,
        single_item=request.single_item,
        downstream=request.downstream,
        all_pipelines=request.all_pipelines,
    )


def _described(stage: Stage, graph: DiGraph, why: tuple[Cause, ...]) -> wire.Stage:
    state = StageState.FROZEN if stage.frozen else StageState.STALE if why else StageState.FRESH
    root = stage.repo.root_dir
    return wire.Stage(
        name=stage.addressing,
        group=_group(stage),
        kind="import" if stage.is_import else "stage" if stage.cmd else "data",
        file=os.path.relpath(stage.path, root),
        description=stage.desc,
        commands=list(split_commands(stage.cmd)) if stage.cmd else [],
        folder=os.path.relpath(stage.wdir, root),
        upstream=[each.addressing for each in graph.successors(stage)],
        settings=_settings(stage),
        frozen=stage.frozen,
        always_changed=bool(stage.always_changed),
        outputs=[each.def_path for each in stage.outs],
        dependencies=[
            each.def_path for each in stage.deps if not isinstance(each, ParamsDependency)
        ],
        state=state,
        causes=list(why),
    )


def _group(stage: Stage) -> str | None:
    if not isinstance(stage, PipelineStage) or stage.raw_data.generated_from is None:
        return None
    prefix, separator, name = stage.addressing.rpartition(":")
    return f"{prefix}{separator}{name.split(JOIN, 1)[0]}"


def _settings(stage: Stage) -> dict[str, Any]:
    """Return what ``meta.mlops`` says, for us."""
    meta = stage.meta if isinstance(stage.meta, dict) else {}
    settings = meta.get("mlops")
    return dict(settings) if isinstance(settings, dict) else {}


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder, from which DVC sees the targets that it is given."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
