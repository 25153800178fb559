"""What there is to know of a stage's files and metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from scmrepo.exceptions import SCMError

from . import wire

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import Stage


def describe(item: Output) -> wire.File:
    """Describe a dependency or an output."""
    if isinstance(item, ParamsDependency):
        kind = "parameters"
    elif item.protocol != "local":
        kind = "remote"
    else:
        kind = "folder" if item.meta.isdir or item.isdir() else "file"
    return wire.File(
        path=_path(item),
        kind=kind,
        size=item.meta.size,
        hash=item.hash_info.value if kind != "parameters" and item.hash_info else None,
        files=item.meta.nfiles,
        change=_change(item),
        cached=item.use_cache,
        metric=bool(item.metric),
        plot=bool(item.plot),
        values=item.read_params() if isinstance(item, ParamsDependency) else {},
        exists=item.protocol == "local" and item.exists,
    )


def metrics(repo: Repo, stage: Stage) -> list[wire.Metric]:
    """Return the values of a stage's metrics files now and in the last commit."""
    paths = [each.fs_path for each in stage.outs if each.metric]
    if not paths:
        return []
    try:
        shown = repo.metrics.diff(targets=paths, all=True)
    except (DvcException, SCMError):
        return []  # no commit yet, or a file that cannot be read
    found = []
    for path, values in shown.get("diff", {}).items():
        for name, change in values.items():
            found.append(wire.Metric(path, name, change.get("new"), change.get("old")))
    return found


def _path(item: Output) -> str:
    if item.protocol != "local" or not item.is_in_repo:
        return str(item.def_path)
    return str(os.path.relpath(item.fs_path, item.repo.root_dir))


def _change(item: Output) -> str | None:
    changes = list(_words(item.status()))
    return ", ".join(dict.fromkeys(changes)) or None


def _words(status: dict[str, Any]) -> Iterator[str]:
    for change in status.values():
        if isinstance(change, dict):
            yield from map(str, change.values())
        else:
            yield str(change)
