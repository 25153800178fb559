"""Writing dvc.lock for many stages at once, and losing none of them.

DVC reads and writes the whole of dvc.lock for each stage. We keep what has finished in a journal
and write it in batches, in the order in which DVC itself would have come to it, so that the file
is the same. A process that was killed leaves its journal, and the next one completes dvc.lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from dvc.stage import PipelineStage
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import modify_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dvc.repo import Repo
    from dvc.stage import Stage

#: A batch is written, for others to see how far it is, when so many seconds and so many times
#: the last one's duration have passed.
_PERIOD = 10.0
_SHARE = 20


class Recorded:
    """What dvc.lock says of the stages, each file read but once."""

    def __init__(self) -> None:
        self._files: dict[Path, dict[str, Any]] = {}

    def of(self, stage: Stage) -> dict[str, Any] | None:
        """Return what is recorded of a stage of a dvc.yaml; None if it has never run."""
        return self.entry(Path(stage.path).with_suffix(".lock"), stage.name)

    def entry(self, path: Path, stage: str) -> dict[str, Any] | None:
        """Return what a dvc.lock says of a stage."""
        if path not in self._files:
            self._files[path] = _read_lock(path)
        found: dict[str, Any] | None = self._files[path].get(stage)
        return found


class LockfileWriter:
    """What has finished and is not in dvc.lock yet. Every method needs the repository's lock."""

    def __init__(self, repo: Repo, journal: Path, recorded: Recorded) -> None:
        self._repo = repo
        self._recorded = recorded
        self._journal = journal
        self._order: list[Stage] = []
        self._settled: set[Stage] = set()
        self._pending: dict[Stage, None] = {}
        self._written = time.monotonic()
        self._cost = 0.0

    def plan(self, stages: Iterable[Stage]) -> None:
        """Take note of the order in which DVC would come to the stages."""
        self._order = list(stages)
        self._written = time.monotonic()

    def settle(self, stage: Stage, *, changed: bool) -> None:
        """Take note that a stage is up to date, and of what dvc.lock must say if it ``changed``."""
        self._settled.add(stage)
        if not changed:
            return
        if not isinstance(stage, PipelineStage):
            stage.dump(update_pipeline=False)  # a .dvc file, which is its own
            return
        self._pending[stage] = None
        try:
            self._append(stage)
        except TypeError:  # a parameter that JSON cannot say, such as a date
            self._write(list(self._pending))
        if time.monotonic() - self._written > max(_PERIOD, _SHARE * self._cost):
            self._write(self._ready())

    def flush(self) -> None:
        """Write all that is left."""
        self._write([each for each in self._order if each in self._pending])
        self._journal.unlink(missing_ok=True)

    @property
    def left(self) -> bool:
        """Whether a process has left a journal."""
        return self._journal.exists()

    def recover(self) -> None:
        """Complete dvc.lock by the journal that a killed process has left.

        What dvc.lock says has priority where somebody else has changed it since.
        """
        entries = self._read()
        recorded = Recorded()
        files: dict[str, list[dict[str, Any]]] = {}
        for entry in entries:
            files.setdefault(entry["file"], []).append(entry)
        for file, found in files.items():
            path = Path(self._repo.root_dir, file)
            with modify_yaml(str(path), fs=self._repo.fs) as data:
                if not data:
                    data["schema"] = "2.0"
                stages = data.setdefault("stages", {})
                for entry in found:
                    if _digest(recorded.entry(path, entry["stage"])) == entry["before"]:
                        stages[entry["stage"]] = entry["content"]
            self._repo.scm_context.track_file(file)
        self._journal.unlink(missing_ok=True)

    def _ready(self) -> list[Stage]:
        """Return what can be written without getting ahead of a stage that comes earlier."""
        ready = []
        for stage in self._order:
            if stage not in self._settled:
                break
            if stage in self._pending:
                ready.append(stage)
        return ready

    def _write(self, stages: list[Stage]) -> None:
        begun = time.monotonic()
        files: dict[str, list[Stage]] = {}
        for stage in stages:
            files.setdefault(stage.path, []).append(stage)
        for found in files.values():
            found[0].dvcfile.dump_stages(found, update_pipeline=False)
        for stage in stages:
            del self._pending[stage]
        self._written = time.monotonic()
        if stages:
            self._cost = self._written - begun

    def _append(self, stage: Stage) -> None:
        lock = Path(stage.path).with_suffix(".lock")
        entry = {
            "file": os.path.relpath(lock, self._repo.root_dir),
            "stage": stage.name,
            "before": _digest(self._recorded.of(stage)),
            "content": to_single_stage_lockfile(stage),
        }
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _read(self) -> list[dict[str, Any]]:
        try:
            lines = self._journal.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        entries = []
        for line in lines:
            # The last one may have been cut off.
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return entries


def _read_lock(path: Path) -> dict[str, Any]:
    """Read the stages of a dvc.lock, many times faster than DVC does."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = yaml.load(text, Loader=loader) or {}  # noqa: S506 - both are safe
    return dict(found.get("stages") or {})


def _digest(entry: object) -> str:
    """Return a hash of what dvc.lock says of a stage."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()
