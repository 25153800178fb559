"""What notebooks and stages are declared to read."""

from __future__ import annotations

from pathlib import Path

import yaml

from ..core.runs import Sweep
from .projects import Project


def inputs(project: Project, sweep: Sweep) -> set[Path]:
    """Return what the runs of a sweep are declared to read, by the settings and in dvc.yaml."""
    found = {each for pattern in project.settings.data for each in project.root.glob(pattern)}
    if sweep.stage is not None:
        found |= dependencies(project.root / sweep.stage.folder, sweep.stage.name)
    return found


def dependencies(folder: Path, stage: str) -> set[Path]:
    """Return what a stage of dvc.yaml declares to depend on, but for paths with variables."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content = yaml.load((folder / "dvc.yaml").read_bytes(), loader)  # noqa: S506 - safe
    except (OSError, yaml.YAMLError):
        return set()
    name = stage.rpartition(":")[2]
    stages = content.get("stages") if isinstance(content, dict) else None
    entry = (stages or {}).get(name) or (stages or {}).get(name.partition("@")[0]) or {}
    deps = (entry.get("do") or entry).get("deps") or ()
    return {folder / each for each in deps if isinstance(each, str) and "${" not in each}
