"""What cannot be run as it is declared, found before anything runs.

DVC itself finds it out at the stage that it concerns, when those before it have run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dvc.dependency import ParamsDependency

from ..core.exceptions import InvalidInput

if TYPE_CHECKING:
    from dvc.dependency import Dependency
    from dvc.stage import Stage


def check_plan(stages: Iterable[Stage], *, pull: bool) -> None:
    """Raise `InvalidInput` if a stage that may run lacks something, or must fail in the end.

    With ``pull`` what is missing may still be fetched.
    """
    planned = list(stages)
    made = [output.fs_path for stage in planned for output in stage.outs]
    for stage in planned:
        if not stage.cmd or stage.frozen:
            continue
        for output in stage.outs:
            if output.use_cache and not output.is_in_repo:
                raise _refusal(
                    stage,
                    f"its output {output.def_path} lies outside of the repository, where DVC "
                    "caches nothing. Move it inside, or declare it with cache: false.",
                )
        for dependency in () if pull else stage.deps:
            if dependency.protocol == "local" and not _makes(made, dependency.fs_path):
                _check_dependency(stage, dependency)


def _check_dependency(stage: Stage, dependency: Dependency) -> None:
    path = dependency.def_path
    if not dependency.exists:
        raise _refusal(
            stage,
            f"it depends on {path}, which does not exist and which no stage before it makes. "
            "Bring it there, or mend deps.",
        )
    if not isinstance(dependency, ParamsDependency):
        return
    missing = sorted(set(dependency.params) - set(dependency.read_params()))
    if missing:
        raise _refusal(
            stage, f"it depends on the parameter {missing[0]}, which {path} does not have."
        )


def _makes(made: Iterable[str], path: str) -> bool:
    """Whether a path is among what is made, lies in it, or holds it."""
    return any(
        path == each or path.startswith(each + os.sep) or each.startswith(path + os.sep)
        for each in made
    )


def _refusal(stage: Stage, what: str) -> InvalidInput:
    file = os.path.relpath(stage.path, stage.repo.root_dir)
    name = stage.addressing.rpartition(":")[2]
    return InvalidInput(f"{file}: stage {name}: {what}")
