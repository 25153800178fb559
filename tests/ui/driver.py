"""What a user does with JupyterLab and our panel, in the words of the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

#: Folder of the example project below the server's root; names may contain spaces.
PROJECT = "late flights"
SCREENSHOTS = Path(__file__).parent / "screenshots"
#: Milliseconds that a run may take, with its kernel and its imports.
RUN = 90_000

#: Waits until nothing moves that is to come to rest.
_UNMOVED = """() => Promise.all(document.getAnimations()
    .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
    .map(each => each.finished.catch(() => null))).then(() => null)"""

Theme = Literal["JupyterLab Light", "JupyterLab Dark"]


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    token: str
    #: Folder of the user's settings.
    settings: Path


class Lab:
    """A page with JupyterLab."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        #: Errors that the browser has logged, and part of those that a test provokes.
        self.errors: list[str] = []
        self.provoked: str | None = None
        #: Folder of the project below the server's root.
        self.project = PROJECT
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))

    def open(self, *, reset: bool = True) -> None:
        """Load JupyterLab, in the project's folder and with an empty workspace."""
        query = f"token={self.server.token}" + ("&reset" if reset else "")
        self.page.goto(f"{self.server.url}lab/tree/{quote(self.project)}?{query}")
        self.ready()

    def reload(self) -> None:
        """Load the page again, with its workspace as it was left."""
        self.page.wait_for_timeout(1500)  # the workspace is saved with a delay
        self.page.goto(f"{self.server.url}lab?token={self.server.token}")
        self.ready()

    def ready(self) -> None:
        """Wait until JupyterLab can be used."""
        self.page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
        self.page.locator(".jp-DirListing").first.wait_for(state="attached")
        # The layout is restored behind the splash; that moves the focus.
        self.page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        self.page.wait_for_function("() => !location.search.includes('reset')")

    @contextmanager
    def setting(self, name: str, value: object) -> Iterator[None]:
        """Change one of our settings for pages that are opened in the meantime."""
        file = self.server.settings / "jupyter-mlops" / "plugin.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({name: value}), "utf-8")
        yield
        file.unlink()

    def execute(self, command: str, args: dict[str, object] | None = None) -> None:
        """Run one of JupyterLab's commands."""
        self.page.evaluate(
            # What a command returns may be too large to be sent.
            "async ([id, args]) => { await window.jupyterapp.commands.execute(id, args); }",
            [command, args or {}],
        )

    def theme(self, theme: Theme) -> None:
        """Change the theme and wait until it is there."""
        self.execute("apputils:change-theme", {"theme": theme})
        light = "true" if theme == "JupyterLab Light" else "false"
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", light)

    def screenshot(self, name: str) -> None:
        """Save what the page looks like, for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def screenshots(self, name: str) -> None:
        """Save what the page looks like in light and dark."""
        themes: tuple[Theme, ...] = ("JupyterLab Dark", "JupyterLab Light")
        for theme in themes:
            self.theme(theme)
            self.page.evaluate(_UNMOVED)
            if self.page.locator(".jp-Mlops-chart:visible").count():
                self.page.wait_for_timeout(600)  # they are drawn again in the theme's colours
            self.screenshot(f"{name}-{theme.removeprefix('JupyterLab ').lower()}")

    # -- the panel ---------------------------------------------------------------------------------

    @property
    def panel(self) -> Locator:
        """Our panel in the left sidebar."""
        return self.page.locator("#jp-mlops-sidebar")

    def show_panel(self) -> Locator:
        """Open the panel by its icon."""
        if not self.panel.is_visible():
            self.page.locator('.jp-SideBar li[data-id="jp-mlops-sidebar"]').click()
        expect(self.panel.locator(".jp-Mlops-project")).to_have_text(self.project)
        self.panel.locator('.jp-Mlops-section[aria-busy="false"]').first.wait_for()
        return self.panel

    def sweeps(self, notebook: str) -> Locator:
        """The rows of a notebook's sweeps, the newest first."""
        return self.panel.locator(".jp-Mlops-sweep", has_text=notebook)

    def newest(self, notebook: str) -> Locator:
        """The row of the newest sweep of a notebook."""
        return self.sweeps(notebook).first

    def runs(self) -> Locator:
        """The rows of runs below their sweeps."""
        return self.panel.locator(".jp-Mlops-run")

    def menu(self, row: Locator) -> Locator:
        """Open a row's context menu."""
        row.click(button="right")
        menu = self.page.locator(".lm-Menu").last
        menu.wait_for()
        return menu

    def choose(self, row: Locator, label: str) -> None:
        """Choose from a row's context menu."""
        self.menu(row).locator(".lm-Menu-item", has_text=label).first.click()

    # -- the pipeline ------------------------------------------------------------------------------

    def stage(self, name: str) -> Locator:
        """The row of a stage in the panel."""
        return self.panel.locator(f'.jp-Mlops-stage[data-stage="{name}"]')

    @property
    def pipeline(self) -> Locator:
        """The pipeline's tab."""
        return self.page.locator(".jp-Mlops-pipelinePanel:visible")

    def node(self, key: str) -> Locator:
        """A node of the graph."""
        return self.pipeline.locator(f'.jp-Mlops-node[data-key="{key}"]')

    # -- the form ----------------------------------------------------------------------------------

    @property
    def form(self) -> Locator:
        """The dialog "Run with parameters…"."""
        return self.page.locator(".jp-Mlops-runDialog")

    def ask_to_run(self, notebook: str) -> Locator:
        """Open the form from the file browser's context menu."""
        file = self.page.locator(".jp-DirListing-item", has_text=notebook)
        self.execute("filebrowser:activate")
        self.choose(file, "Run with Parameters…")
        self.form.locator(".jp-Mlops-summary").wait_for()
        return self.form

    def field(self, parameter: str) -> Locator:
        """The field of a parameter."""
        return self.form.get_by_role("textbox", name=parameter, exact=True)

    def submit(self, count: int = 1) -> None:
        """Press the button that runs so many runs."""
        label = "Run" if count == 1 else f"Run {count}"
        self.form.get_by_role("button", name=label, exact=True).click()
        self.form.wait_for(state="detached")

    def run(self, notebook: str, count: int = 1, **parameters: str) -> Locator:
        """Run a notebook by the form and return the row of its sweep."""
        self.ask_to_run(notebook)
        for name, space in parameters.items():
            self.field(name).fill(space)
        self.submit(count)
        row = self.newest(notebook)
        row.wait_for()
        return row

    def confirm(self, label: str) -> None:
        """Press a button of the question that is open."""
        dialog = self.page.locator(".jp-Dialog")
        dialog.get_by_role("button", name=label, exact=True).click()
        dialog.wait_for(state="detached")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and (self.provoked or "\0") not in message.text:
            self.errors.append(message.text)


def has_status(row: Locator, status: str, timeout: float = RUN) -> None:
    """Wait until a sweep or run has this status, and says so in a word."""
    expect(row).to_have_attribute("data-status", status, timeout=timeout)
    expect(row.locator(".jp-Mlops-status").first).to_have_accessible_name(status)
