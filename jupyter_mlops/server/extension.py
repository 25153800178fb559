"""The server extension: what it shares among its handlers, and when it starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback
from traitlets import Bool

from ..app import unfinished
from ..app.client import connect
from ..app.projects import Project
from ..core.exceptions import MlopsError
from .activity import PERIOD, busy_projects
from .events import SCHEMA_FILE, SCHEMA_ID, Events
from .link import Link
from .projects import Projects
from .routes import rules


class MlopsExtension(ExtensionApp):
    """Runs, sweeps and models of the projects below the server's root."""

    name = "jupyter_mlops"

    runs_are_activity = Bool(
        True,
        help="""Whether queued and running runs count as the server's activity, so that idle
        cullers leave it alone until they are done.""",
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Add the routes, and the events' schema."""
        server = self._server
        contents_root = getattr(server.contents_manager, "root_dir", None)
        self.projects = Projects(contents_root or server.root_dir)
        self.events = Events(self._emit, self.log)
        self.handlers.extend(rules(self.projects, Link(self._follow)))
        server.web_app.settings["event_logger"].register_event_schema(SCHEMA_FILE)
        self._busy: list[str] = []
        self._clock = PeriodicCallback(self.look_for_activity, PERIOD * 1000)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Begin to look for activity, and go on with what a crash or a restart interrupted."""
        if self.runs_are_activity:
            self._clock.start()
        for root in unfinished.marked(self.projects.root):
            with contextlib.suppress(MlopsError):
                await asyncio.to_thread(connect, root)

    async def stop_extension(self) -> None:
        """Let go of the workers, which go on by themselves."""
        self._clock.stop()
        await self.events.stop()

    async def look_for_activity(self) -> None:
        """Tell the server that it is in use, if a worker has something to do."""
        self._busy = []
        with contextlib.suppress(MlopsError):
            self._busy = await busy_projects(self.projects.root)
        if self._busy:
            self._server.web_app.settings["mlops_last_activity"] = datetime.now(UTC)

    def current_activity(self) -> list[str]:
        """Return the projects that were busy when last looked at; none lets the server stop."""
        return self._busy

    @property
    def _server(self) -> ServerApp:
        if self.serverapp is None:
            raise RuntimeError("The extension is not linked to a server.")
        return self.serverapp

    def _emit(self, change: dict[str, Any]) -> None:
        self._server.web_app.settings["event_logger"].emit(schema_id=SCHEMA_ID, data=change)

    async def _follow(self, project: Project) -> None:
        await self.events.follow(project, self.projects.path(project))
