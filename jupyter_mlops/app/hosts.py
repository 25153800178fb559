"""The processes that host DVC for a project's worker."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..pipeline.client import Host
from ..pipeline.launch import Launched
from .pipeline_requests import dvc_root
from .projects import Project
from .runtime import dvc_log


class Hosts:
    """The processes that host DVC, one for each repository."""

    def __init__(self, project: Project, launched: Launched | None = None) -> None:
        """One of them may have been ``launched`` already."""
        self.logs = project.state / "logs" / "stages"
        self._log = dvc_log(project)
        self._project = project.root
        self._hosts: dict[Path, Host] = {}
        #: Whether the worker was started for a pipeline.
        self.expected = launched is not None
        #: The processes that run from the start.
        self.pids = [] if launched is None else [launched.process.pid]
        if launched is not None:
            self._hosts[launched.root] = Host(launched.root, self._project, self._log, launched)

    def of(self, root: Path) -> Host:
        """Return the host of a repository; it starts when it is first asked."""
        if root not in self._hosts:
            self._hosts[root] = Host(root, self._project, self._log)
        return self._hosts[root]

    async def prepare(self) -> None:
        """Start the one that is likely to be asked, if the project has a pipeline."""
        root = dvc_root(self._project)
        if root is not None and any((each / "dvc.yaml").exists() for each in (root, self._project)):
            await self.of(root).start()

    async def close(self) -> None:
        """End them."""
        for each in self._hosts.values():
            with contextlib.suppress(OSError):
                await each.close()
