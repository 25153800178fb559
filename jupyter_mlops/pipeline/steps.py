"""The steps of bringing one stage up to date: what `dvc.stage.Stage.run` does, in two halves.

Between the two its commands are executed, by somebody else. Every function needs the repository's
lock and, but for `plan`, that the stage's files are held.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvc.dependency import DatasetDependency, DbDependency
from dvc.dvcfile import PROJECT_FILE
from dvc.exceptions import CheckoutError
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.stage.cache import RunCacheNotFoundError, RunCacheNotSupported
from dvc.stage.utils import check_missing_outputs

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import Stage
    from networkx import DiGraph

    from .saving import Committer


@dataclass(frozen=True, slots=True)
class Options:
    """DVC's options that matter to a stage."""

    force: bool = False
    pull: bool = False
    no_commit: bool = False


def plan(
    repo: Repo,
    targets: list[str],
    *,
    single_item: bool,
    downstream: bool,
    all_pipelines: bool,
) -> tuple[list[Stage], DiGraph]:
    """Return the stages that ``dvc repro`` would look at, in its order, and the active graph.

    Targets are seen from the current folder.
    """
    graph = get_active_graph(repo.index.graph)
    known = {stage: stage for stage in graph}
    wanted = [] if all_pipelines else _collect(repo, targets, graph)
    if single_item and not all_pipelines:
        return [known[each] for each in wanted], graph
    steps = plan_repro(graph, wanted, downstream=downstream and not all_pipelines)
    return [known[each] for each in steps], graph


def pull_run_cache(repo: Repo) -> None:
    """Fetch the run cache from the remote, if there is one that keeps it."""
    try:
        repo.stage_cache.pull(None)
    except RunCacheNotSupported:
        return


def begin(stage: Stage, options: Options) -> str:
    """Prepare a stage that has changed: return what is to be done, as `wire.Began` says."""
    if options.pull and not options.force and _pulled(stage):
        return "fresh"
    runs = bool(stage.cmd or stage.is_import) and not stage.frozen
    if runs:
        clear(stage)
    if (stage.is_import and not stage.frozen) or stage.is_partial_import:
        stage._sync_import(False, options.force, None, False)  # noqa: SLF001
        return "done"
    if not runs:
        check_missing_outputs(stage)
        return "done"
    if options.force:
        return "execute"
    if options.pull:
        _pull_missing(stage)
    try:
        stage.repo.stage_cache.restore(stage, pull=options.pull)
    except RunCacheNotFoundError:
        stage.save_deps()
        return "execute"
    return "restored"


def clear(stage: Stage) -> None:
    """Remove the outputs of a stage that will write them anew."""
    for output in stage.outs:
        if output.persist:
            output.unprotect()
        else:
            output.remove(ignore_remove=False)


def finish(stage: Stage, options: Options, committer: Committer) -> None:
    """Save what a stage has come to: hashes, the run cache, the cache."""
    kept_by_git = any(
        not output.use_cache for output in stage.outs if not (output.metric or output.plot)
    )
    stage.save(run_cache=not options.no_commit and not kept_by_git)
    if not options.no_commit:
        committer.commit(stage)


def _collect(repo: Repo, targets: list[str], graph: DiGraph) -> list[Stage]:
    """Return the stages that targets name; without any those of the current folder's dvc.yaml."""
    if not targets:
        here = str(Path(PROJECT_FILE).absolute())
        found = [each for each in graph if each.path == here]
        if found:
            return found
    return list(collect_stages(repo, targets or [PROJECT_FILE]))


def _pulled(stage: Stage) -> bool:
    """Whether only data was missing, which is fetched now."""
    if stage.changed(True):
        return False
    try:
        stage.repo.pull(stage.addressing)
        stage.checkout()
    except CheckoutError:
        return False
    return True


def _pull_missing(stage: Stage) -> None:
    for dependency in stage.deps:
        local = not isinstance(dependency, DatasetDependency | DbDependency)
        if local and not dependency.exists:
            stage.repo.pull(dependency.def_path)
