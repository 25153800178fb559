"""The papermill engine ``mlops``: papermill as it is, with kernels that start and end at once.

Use it by ``papermill --engine mlops in.ipynb out.ipynb``, or by ``engine_name="mlops"`` in Python.
From the second notebook that a process executes on, kernels are forked from a template.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import write_ipynb
from papermill.log import logger

if TYPE_CHECKING:
    from .warm import Source
    from .warm.pool import Templates

#: Seconds between two writings of a notebook under execution.
SAVE_EVERY = 5.0


class Manager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's bookkeeping, which writes the notebook now and then instead of twice a cell."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._saved = -SAVE_EVERY

    def save(self, **kwargs: Any) -> None:
        """Write the notebook, unless that was done a moment ago."""
        due = time.monotonic() - self._saved >= SAVE_EVERY
        if self.output_path and (due or kwargs.pop("now", False)):
            write_ipynb(self.nb, self.output_path)
            self._saved = time.monotonic()

    def notebook_complete(self, **kwargs: Any) -> None:
        """Finish the metadata and write the notebook."""
        super().notebook_complete(**kwargs)
        self.save(now=True)


class Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine with our kernels."""

    @classmethod
    def execute_notebook(
        cls,
        nb: nbformat.NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool | dict[str, Any] = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **kwargs: Any,
    ) -> nbformat.NotebookNode:
        """Execute a notebook that has its parameters, with papermill's options."""
        manager = Manager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **kwargs)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb  # type: ignore[no-any-return]

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Execute all cells; the arguments mean what they mean to papermill's engine."""
        # papermill loads its engines while it is imported itself, by this module among others.
        from .kernels import KernelClient

        timeout = execution_timeout or kwargs.pop("timeout", None)
        for name in ("input_path", "timeout", "startup_timeout"):
            kwargs.pop(name, None)
        with _templates.source(nb_man.nb, kernel_name) as source:
            client = KernelClient(
                nb_man,
                source=source,
                timeout=timeout,
                startup_timeout=start_timeout,
                kernel_name=kernel_name,
                log=logger,
                log_output=log_output,
                stdout_file=stdout_file,
                stderr_file=stderr_file,
                **kwargs,
            )
            client.execute()


class _OwnTemplates:
    """The templates of this process, which live in a loop of their own."""

    def __init__(self) -> None:
        self._used = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._templates: Templates | None = None

    @contextlib.contextmanager
    def source(self, nb: nbformat.NotebookNode, kernel: str) -> Iterator[Source]:
        """Provide a kernel; the first one is cold, for a template would not be quicker."""
        from .warm import Source
        from .warm.recipes import Need

        if not self._used:
            self._used = True
            yield Source()
            return
        code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
        need = Need(kernel=kernel, environment=os.environ.copy(), cwd=Path.cwd(), sources=code)
        loop, templates = self._open()
        serving = templates.serving(need)
        source = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
        try:
            yield source
        finally:
            leaving = serving.__aexit__(None, None, None)
            asyncio.run_coroutine_threadsafe(leaving, loop).result()

    def _open(self) -> tuple[asyncio.AbstractEventLoop, Templates]:
        from .warm.pool import Templates

        if self._loop is None or self._templates is None:
            folder = Path(tempfile.mkdtemp(prefix="mlops-"))
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
            self._templates = Templates(folder / "w", folder / "log", idle=1)
            atexit.register(self._close, folder)
        return self._loop, self._templates

    def _close(self, folder: Path) -> None:
        if self._loop is not None and self._templates is not None:
            asyncio.run_coroutine_threadsafe(self._templates.close(), self._loop).result()
        shutil.rmtree(folder, ignore_errors=True)


_templates = _OwnTemplates()
