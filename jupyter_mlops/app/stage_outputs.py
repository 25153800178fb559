"""Files that the notebook commands of stages write besides a run's own output."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..core import values
from ..core.runs import Run
from ..core.stages import NotebookCommand, Program
from ..execution.copies import Style, copy, nbconvert_style, papermill_style
from ..store import Store
from .projects import Project
from .submission import snapshot_path
from .tasks import output_path


class StageOutputs:
    """Writes what a command's program would have written, of what a run has left."""

    def __init__(self, project: Project, store: Store) -> None:
        self._project = project
        self._store = store

    def copy(
        self,
        command: NotebookCommand,
        run: Run,
        target: Path,
        parameters: dict[str, values.Value],
    ) -> None:
        """Write the executed notebook. Raises `OSError`, `ValueError`."""
        style: Style = nbconvert_style
        if command.program is Program.PAPERMILL:
            shown = values.masked(parameters)
            style = papermill_style(command.source, command.target, shown, report=command.report)
        sweep = self._store.history.sweep(run.sweep_id)
        snapshot = snapshot_path(self._project, sweep.notebook_hash)
        copy(snapshot, output_path(self._project, run), target, style)

    async def convert(
        self,
        command: NotebookCommand,
        run: Run,
        environment: dict[str, str] | None,
        say: Callable[[str], None],
    ) -> None:
        """Convert the executed notebook. Raises `OSError` with what went wrong."""
        folder = self._project.state / "stages" / run.id
        folder.mkdir(parents=True, exist_ok=True)
        executed = folder / command.notebook.name
        try:
            await asyncio.to_thread(self.copy, command, run, executed, {})
            say(shlex.join(command.then))
            program = _Program((*command.then, str(executed)), command.folder, environment)
            problem = await program.call(say)
            if problem is not None:
                raise OSError(problem)
        finally:
            executed.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()


@dataclass(frozen=True, slots=True)
class _Program:
    """A program to call."""

    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str] | None

    async def call(self, say: Callable[[str], None]) -> str | None:
        """Wait for its end; return its last line if it fails. It ends with whoever awaits it."""
        process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        last = ""
        try:
            printed, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        for line in printed.decode("utf-8", "replace").splitlines():
            say(line)
            last = line.strip() or last
        return None if process.returncode == 0 else last or f"exit code {process.returncode}"
