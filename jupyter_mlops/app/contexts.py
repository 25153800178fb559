"""The context of each attempt: what it ran on, which packages it had, which files it read."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..core import values
from ..core.exceptions import InvalidInput
from ..core.executors import Outcome
from ..core.files import write_atomically
from ..core.runs import DECLARATION, INGREDIENT, Attempt, Environment, Run, Sweep
from ..execution import machine
from ..tracking import context, data
from ..tracking.locks import lock_of, state_of, told
from ..tracking.packages import Packages
from . import submission, tasks
from .declared import inputs
from .places import data_of
from .projects import SETTINGS_FILE, Project

log = logging.getLogger(__name__)


class Contexts:
    """Gathers the context of attempts when they have ended. Safe to use from several threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._packages = Packages(project.state / "snapshots")
        self._hashes = data.Hashes()
        self._lock = threading.Lock()
        #: Programs of kernels that were asked in advance.
        self._asked: set[str | None] = set()
        self._tracked: tuple[object, frozenset[str]] | None = None
        #: How the last environment differs from the lock, with what it depends on.
        self._compared: tuple[object, dict[str, Any] | None] | None = None

    def prepare(self, sweep: Sweep, environment: Mapping[str, str]) -> None:
        """Have the Python of a sweep's kernel asked, so that it is known when its runs end."""
        program = sweep.kernel_argv[0] if sweep.kernel_argv else None
        if program not in self._asked:
            self._asked.add(program)
            ask = partial(self._packages_of, sweep, dict(environment))
            threading.Thread(target=ask, daemon=True).start()

    def keep(
        self,
        sweep: Sweep,
        run: Run,
        attempt: Attempt,
        outcome: Outcome,
        environment: Mapping[str, str],
    ) -> Outcome:
        """Write down the context of an attempt that has ended.

        Return the outcome with how the packages compare with the project's lock.
        """
        try:
            found = self._gather(sweep, run, attempt, outcome, environment)
            path = tasks.context_path(self._project, attempt)
            write_atomically(path, json.dumps(found, indent=1, ensure_ascii=False).encode())
        except OSError as error:
            log.warning("The context of %s was not kept: %s", attempt.id, error)
            return outcome
        tasks.reads_path(self._project, attempt).unlink(missing_ok=True)
        lock = found["lock"]
        if lock is None:
            return outcome
        if not lock["differences"]:
            return replace(outcome, environment=Environment.SAME)
        line = f"{lock['path']}: {told(lock['differences'])}"
        return replace(outcome, environment=Environment.DIFFERS, differences=line)

    def of(self, attempt: Attempt) -> dict[str, Any]:
        """Return the context of an attempt; empty if there is none."""
        try:
            found = json.loads(tasks.context_path(self._project, attempt).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def so_far(self, sweep: Sweep, run: Run, attempt: Attempt) -> dict[str, Any]:
        """Return the context of an attempt that is under way; empty if it cannot be had."""
        environment = tasks.environment(self._project, sweep, attempt, None, ())
        try:
            return self._gather(sweep, run, attempt, None, environment)
        except OSError as error:
            log.warning("The context of %s was not gathered: %s", attempt.id, error)
            return {}

    def packages(self, digest: str) -> dict[str, Any] | None:
        """Return packages by their hash, as they were written down."""
        try:
            found: dict[str, Any] = json.loads(self._packages.path(digest).read_bytes())
        except (OSError, ValueError):
            return None
        return found

    def _gather(
        self,
        sweep: Sweep,
        run: Run,
        attempt: Attempt,
        outcome: Outcome | None,
        environment: Mapping[str, str],
    ) -> dict[str, Any]:
        if outcome is not None and outcome.interpreter is not None:
            packages = self._packages_of_another(sweep, outcome.interpreter)
        else:
            packages = self._packages_of(sweep, environment)
        return {
            "run": run.id,
            "attempt": attempt.id,
            "notebook": sweep.notebook,
            "notebook_sha256": attempt.notebook_hash or sweep.notebook_hash,
            "parameters": values.encode(values.masked(run.parameters)),
            "sweep": {
                "id": sweep.id,
                "mode": sweep.mode,
                "space": values.masked(sweep.space),
                "runs": sweep.total,
                "metric": sweep.metric,
                "sampler": sweep.search.sampler.value if sweep.search else None,
            },
            "git": sweep.context.get("git"),
            "environment": packages,
            "lock": self._locked(packages),
            "machine": (outcome and outcome.machine) or machine.described(),
            "used": {
                "cpus": sweep.cpus,
                "peak_memory": outcome and outcome.peak_memory,
                "cpu_time": outcome and outcome.cpu_time,
                "duration": outcome and outcome.duration,
            },
            "data": [each.record() for each in self.read_files(sweep, run, attempt)],
            "features": _ingredients(tasks.reads_path(self._project, attempt)),
        }

    def read_files(self, sweep: Sweep, run: Run, attempt: Attempt) -> list[data.DataFile]:
        """Return the versions of the files that an attempt read, as far as that is known."""
        root = self._project.root
        cwd = root / sweep.stage.folder if sweep.stage else (root / sweep.notebook).parent
        cells = context.code_cells(self._notebook(sweep, attempt))
        found = dict.fromkeys(data.named_in(cells, cwd), data.NAMED)
        for line in data.read_reports(tasks.reads_path(self._project, attempt)):
            if line.startswith(INGREDIENT):
                continue
            path = Path(line.removeprefix(DECLARATION))
            found[path] = data.DECLARED if line.startswith(DECLARATION) else data.OPENED
        found |= dict.fromkeys(inputs(self._project, sweep), data.DECLARED)
        found.pop(root / sweep.notebook, None)
        found.pop(root / SETTINGS_FILE, None)
        computed = data_of(self._project)
        found = {path: how for path, how in found.items() if not path.is_relative_to(computed)}
        before = attempt.started_at.timestamp()
        return data.versions(
            root, found, hashes=self._hashes, tracked=self._git_files(), before=before
        )

    def _notebook(self, sweep: Sweep, attempt: Attempt) -> Path:
        """Return the notebook of an attempt as it was run; a session's as it was saved last."""
        digest = attempt.notebook_hash or sweep.notebook_hash
        if digest:
            return submission.snapshot_path(self._project, digest)
        return self._project.root / sweep.notebook

    def _git_files(self) -> frozenset[str]:
        """Return what git knows of the project, asked again when its index has changed."""
        with self._lock:
            state = context.index_state(self._project.root)
            if self._tracked is None or self._tracked[0] != state:
                self._tracked = state, context.tracked_files(self._project.root)
            return self._tracked[1]

    def _locked(self, environment: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return how an environment differs from the project's lock; None if there is none."""
        if environment is None:
            return None
        state = state_of(self._project.root, self._project.settings.lock)
        key = state, environment["packages_sha256"]
        known = self._compared
        if known is None or known[0] != key:
            known = self._compared = key, self._compare(environment)
        return known[1]

    def _compare(self, environment: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self.packages(environment["packages_sha256"]) or {}
        try:
            lock = lock_of(self._project.root, self._project.settings.lock, environment["python"])
        except InvalidInput as error:  # doctor says so, too
            log.warning("%s", error.message)
            return None
        if lock is None:
            return None
        differences = lock.differences(found.get("packages") or {})
        return {
            "path": os.path.relpath(lock.path, self._project.root),
            "sha256": lock.sha256,
            "differences": list(map(str, differences)),
        }

    def _packages_of(self, sweep: Sweep, environment: Mapping[str, str]) -> dict[str, Any] | None:
        if not sweep.kernel_argv:
            return None
        found = self._packages.of(sweep.kernel_argv[0], environment)
        if found is not None:
            del found["paths"]
        return found

    def _packages_of_another(
        self, sweep: Sweep, interpreter: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Write down the packages of a Python of another machine."""
        if sweep.context.get("language") != "python":
            return None
        found = self._packages.keep(interpreter)
        del found["paths"]
        return found


def _ingredients(report: Path) -> list[dict[str, Any]]:
    """Return the features of the training sets that an attempt made, as it told them last."""
    found: dict[str, dict[str, Any]] = {}
    for line in data.read_reports(report):
        if line.startswith(INGREDIENT):
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a kernel wrote it
                record = json.loads(line.removeprefix(INGREDIENT))
                found[str(record["feature"])] = record
    return list(found.values())
