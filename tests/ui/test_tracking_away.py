"""What the panel says while the tracking server is away, and when it is back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client, connect
from tests.support import workers
from tests.support.mlflow_server import Server as Tracking
from tests.ui.driver import RUN, Lab

NAME = "watched from afar"
CELLS = (
    "rate: float = 0.5",
    "import jupyter_mlops as mlops\nopen('gate').read()",
    "for step in range(40): mlops.log(loss=1 / (step + 1), step=step)",
)


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Tracking]:
    """A running tracking server."""
    made = Tracking(tmp_path / "tracking")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def away(root: Path, tracking: Tracking) -> Iterator[Client]:
    """A project that is tracked there."""
    folder = workers.make_project(root / NAME, f'tracking_uri = "{tracking.uri}"\n')
    os.mkfifo(folder / "gate")
    with workers.worker(folder) as client:
        workers.write(client, *CELLS)
        yield client


def test_what_waits_is_told(unopened: Lab, away: Client, tracking: Tracking) -> None:
    """The head says what is wrong and how much waits, the run's tab that it does; then neither."""
    lab = unopened
    lab.project = NAME
    lab.open()
    panel = lab.show_panel()
    sweep = workers.submit(away, values={"rate": [0.25]})
    workers.started(away, sweep.id, 3)
    tracking.kill()
    (away.project.root / "gate").write_text("go")
    workers.wait_for(away, sweep.id)

    truth = panel.locator(".jp-Mlops-header").get_by_role("status")
    expect(truth).to_contain_text("does not answer", timeout=RUN)
    expect(truth).to_contain_text("1 run with 40 metric values waits here to be recorded.")
    lab.runs().first.focus()
    lab.page.keyboard.press("Enter")
    tab = lab.page.locator(".jp-Mlops-runPanel:visible")
    tab.get_by_role("tab", name="Context").click()
    context = tab.get_by_role("tabpanel", name="Context")
    expect(context).to_contain_text("Not recorded yet")
    lab.screenshots("tracking-away")

    tracking.start()

    def recorded() -> bool:
        away.call(ops.DOCTOR, timeout=120.0)
        return away.call(ops.STATUS).unsynced == 0

    workers.until(recorded)
    expect(truth).to_contain_text("Nothing is running", timeout=RUN)
    expect(truth).not_to_contain_text(re.compile("record|answer"))
    assert connect(away.project).call(ops.STATUS).problem is None
