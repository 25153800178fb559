"""What a request for a pipeline run means to DVC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline import wire
from . import messages as m


def dvc_root(start: Path) -> Path | None:
    """Return the root of the DVC repository of a folder; None if there is none."""
    return next((each for each in (start, *start.parents) if (each / ".dvc").is_dir()), None)


def options_of(request: m.PipelineRequest, project: Path, root: Path) -> dict[str, Any]:
    """Return a request's options as they are kept with its pipeline run."""
    flags = (name for name in m.PIPELINE_FLAGS if name != "dry" and getattr(request, name))
    options: dict[str, Any] = dict.fromkeys(flags, True)
    # DVC sees targets from the folder, the host from the repository's root.
    folder = (project / request.folder).relative_to(root).as_posix()
    return options | {"folder": folder, "start": request.folder}


def question(
    targets: Sequence[str],
    options: Mapping[str, Any],
    done: Sequence[str] = (),
    *,
    dry: bool = False,
) -> wire.Plan:
    """Return the question what a pipeline run would look at."""
    return wire.Plan(
        folder=str(options.get("folder", "")),
        targets=list(targets),
        force=bool(options.get("force")),
        single_item=bool(options.get("single_item")),
        downstream=bool(options.get("downstream")),
        all_pipelines=bool(options.get("all_pipelines")),
        pull=bool(options.get("pull")),
        no_commit=bool(options.get("no_commit")),
        done=list(done),
        dry=dry,
    )


def first_question(project: Path, request: m.PipelineRequest) -> tuple[Path, bytes] | None:
    """Return the repository that a request is about, and the packed question that comes first.

    It is empty where the answer would take as long as the network does.
    """
    root = dvc_root(project / request.folder)
    if root is None:
        return None
    asked = question(request.targets, options_of(request, project, root))
    return root, b"" if request.pull else wire.pack(asked)
