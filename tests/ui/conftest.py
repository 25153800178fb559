"""A real JupyterLab with a copy of the example project, and a browser to use it with."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support import workers
from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, Lab, Server

REPOSITORY = Path(__file__).parents[2]
ASSETS = REPOSITORY / "jupyter_mlops" / "labextension"
#: Not the root, as behind a hub.
BASE_URL = "/user/x/"
#: Seconds that the server may take to start.
PATIENCE = 60
#: The same commands, in the same order, as scripts/ensure_browser.py tries.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the main job, whose project has no runs yet; all tests share one project."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    ordered = iter(sorted(ours, key=lambda item: item.path.name != "test_main_job.py"))
    items[:] = [next(ordered) if item in ours else item for item in items]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The server's root with the example project in it, and notebooks that show what can happen."""
    root = tmp_path_factory.mktemp("home")
    project = root / PROJECT
    ignored = shutil.ignore_patterns("*.pyc", ".*", "runs", "*.parquet")
    shutil.copytree(REPOSITORY / "example_notebooks", project, ignore=ignored)
    sample = REPOSITORY / "example_notebooks" / "data" / "sample"
    shutil.copytree(sample, project / "data" / "sample", dirs_exist_ok=True)
    write_notebook(
        project / "sleepy.ipynb",
        "seconds: float = 0.0",
        "import time\n\ntime.sleep(seconds)",
    )
    write_notebook(
        project / "fragile.ipynb",
        "x: int = 1",
        "y = 1",
        "if x > 1:\n    raise ValueError(f'{x} is too much')",
    )
    for name in ("loading.ipynb", "told.ipynb"):
        write_notebook(
            project / name,
            "depth: int = 1",
            "import time",
            "time.sleep(1.5)\ndata = [1, 2]",
            "print(data[0] * depth)",
        )
    plain = write_notebook(project / "plain.ipynb", "import math", "depth = 3\nrate = 0.1", "depth")
    untagged = json.loads(plain.read_text("utf-8"))
    untagged["cells"][0]["metadata"] = {}
    plain.write_text(json.dumps(untagged), "utf-8")
    yield root
    workers.stop(project)


@pytest.fixture(scope="session")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running JupyterLab with this checkout's lab extension."""
    folder = tmp_path_factory.mktemp("lab")
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "jupyter-mlops").symlink_to(ASSETS)
    overrides = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "labconfig"
    overrides.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (overrides / "default_setting_overrides.json").write_text(
        json.dumps({"@jupyterlab/apputils-extension:notification": quiet}), "utf-8"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={root}", f"--ServerApp.base_url={BASE_URL}"),
        *(f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"),
        f"--LabServerApp.extra_labextensions_path={extensions}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
        f"--LabApp.user_settings_dir={folder / 'settings'}",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root)
    assert process.stderr is not None
    log: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            log.append(line)
            if "is running at" in line:
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert ready.wait(PATIENCE), "".join(log)
        assert process.poll() is None, "".join(log)
        yield Server(f"http://127.0.0.1:{port}{BASE_URL}", token, folder / "settings")
    finally:
        process.terminate()
        process.wait(30)
        reader.join(10)
        process.stderr.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or else Playwright's own."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=list(BROWSER_ARGUMENTS), headless=True
        )
        yield browser
        browser.close()


@pytest.fixture
def unopened(server: Server, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A page for JupyterLab, which a test opens. Errors in the browser's console fail the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(20_000)
    page = context.new_page()
    lab = Lab(page, server)
    yield lab
    name = re.sub(r"\W+", "-", request.node.name)
    lab.screenshot(f"last-{name}")
    context.close()
    assert lab.errors == []


@pytest.fixture
def lab(unopened: Lab) -> Lab:
    """A page with JupyterLab in it, in the folder of the example."""
    unopened.open()
    return unopened
