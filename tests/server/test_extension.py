"""The extension in its server: light, listed, quiet, and counted as activity while runs go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

import jupyter_mlops
from jupyter_mlops.app.projects import Project, find_project
from jupyter_mlops.app.runtime import address
from jupyter_mlops.server.extension import MlopsExtension

NEW_MODULES = """
import json, sys
import jupyter_server.serverapp, jupyter_server.extension.application
before = set(sys.modules)
import jupyter_mlops
jupyter_mlops._jupyter_server_extension_points()
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(new - sys.stdlib_module_names)))
"""


def run(*command: str, **environment: str) -> str:
    """Run a program and return all that it printed."""
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )
    return done.stdout


def test_extension_is_light() -> None:
    """Enabling the extension brings nothing heavy into the server, whatever the worker needs."""
    found = json.loads(run(sys.executable, "-c", NEW_MODULES))
    assert found == ["jupyter_mlops", "msgspec", "psutil"]


def test_extension_is_listed(tmp_path: Path) -> None:
    """``jupyter server extension list`` finds the extension enabled and sound."""
    folder = tmp_path / "jupyter_server_config.d"
    folder.mkdir()
    enabled = {"ServerApp": {"jpserver_extensions": {"jupyter_mlops": True}}}
    (folder / "jupyter_mlops.json").write_text(json.dumps(enabled))
    command = (sys.executable, "-m", "jupyter_server.extension.serverextension", "list")
    listed = run(*command, JUPYTER_CONFIG_DIR=str(tmp_path))
    assert f"jupyter_mlops {jupyter_mlops.__version__} \x1b[32mOK" in listed.replace("\x1b[0m", "")


def test_lab_extension_is_named_like_its_package() -> None:
    """JupyterLab finds our assets under the name of the npm package."""
    assert jupyter_mlops._jupyter_labextension_paths() == [
        {"src": "labextension", "dest": "jupyter-mlops"}
    ]


def test_traits_are_explained() -> None:
    """Each setting of ours says what it does."""
    own = MlopsExtension.class_own_traits(config=True)
    assert own
    assert all(len(trait.help) > 40 for trait in own.values())


class TestActivity:
    """Idle cullers ask the server for its last activity."""

    @staticmethod
    def counted(server: ServerApp) -> datetime | None:
        """Return when a run was last seen going on."""
        found: datetime | None = server.web_app.settings.get("mlops_last_activity")
        return found

    async def test_running(
        self, extension: MlopsExtension, jp_serverapp: ServerApp, worker: Any, project: Project
    ) -> None:
        """While runs are queued or running the server is in use, whoever started them."""
        worker.running = 1
        before = datetime.now(UTC)
        await extension.look_for_activity()
        assert self.counted(jp_serverapp) == jp_serverapp.web_app.last_activity() >= before
        assert extension.current_activity() == [str(project.root)]
        assert jp_serverapp.extension_manager.any_activity()

    async def test_idle(
        self, extension: MlopsExtension, jp_serverapp: ServerApp, worker: Any, ask: Any
    ) -> None:
        """A worker that has nothing to do, and a panel that refreshes itself, are no activity."""
        before = jp_serverapp.web_app.last_activity()
        await extension.look_for_activity()
        await ask("GET", "/status", params={"project": "work"})
        assert self.counted(jp_serverapp) is None
        assert jp_serverapp.web_app.last_activity() == before
        assert not extension.current_activity()

    async def test_action(self, jp_serverapp: ServerApp, worker: Any, ask: Any) -> None:
        """What a user does is activity."""
        before = jp_serverapp.web_app.last_activity()
        await ask("POST", "/runs/r/cancel", params={"project": "work"})
        assert jp_serverapp.web_app.last_activity() > before

    async def test_done(
        self, extension: MlopsExtension, jp_serverapp: ServerApp, worker: Any
    ) -> None:
        """When the last run is done, activity ends with it."""
        worker.running = 1
        await extension.look_for_activity()
        seen = self.counted(jp_serverapp)
        worker.running = 0
        await extension.look_for_activity()
        assert self.counted(jp_serverapp) == seen
        assert not jp_serverapp.extension_manager.any_activity()

    async def test_elsewhere(
        self, extension: MlopsExtension, jp_serverapp: ServerApp, worker: Any, tmp_path: Path
    ) -> None:
        """Work outside the server's root is another server's, and a dead socket is nobody's."""
        worker.running = 1
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        address(find_project(folder)).socket.touch()
        worker.project = find_project(folder)
        await extension.look_for_activity()
        worker.project = find_project(extension.projects.root / "work")
        assert self.counted(jp_serverapp) is None

    @pytest.mark.parametrize("wanted", [True, False])
    async def test_setting(
        self, wanted: bool, extension: MlopsExtension, jp_serverapp: ServerApp
    ) -> None:
        """The clock runs with the server, unless the setting turns it off."""
        extension.runs_are_activity = wanted
        await jp_serverapp.extension_manager.start_all_extensions()
        assert extension._clock.is_running() is wanted
        await extension.stop_extension()
        assert not extension._clock.is_running()
