"""Models that are served: tried, switched, rolled back and watched in the panel."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from tests.support import served
from tests.support.tracked import MLFLOW_WARNING
from tests.ui.driver import PROJECT, RUN, Lab

NAME = "fares"
#: Seconds after which what is kept must be on the disk.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def project(root: Path) -> Path:
    """The project, with three versions of a model, the last of which cannot be loaded."""
    folder = root / PROJECT
    served.register(folder, NAME)
    served.register(folder, NAME, number=1000)
    served.register(folder, NAME, source=served.BROKEN)
    generator = np.random.default_rng(1)
    train = {"distance": generator.normal(0, 1, 500), "hour": generator.integers(0, 24, 500)}
    pd.DataFrame(train).to_parquet(folder / "fares.parquet")
    truth = pd.DataFrame({"distance": [101.5, 102.5, 103.5], "truth": [206.0, 209.0, 210.0]})
    truth.to_csv(folder / "truth.csv", index=False)
    return folder


@pytest.mark.filterwarnings(MLFLOW_WARNING)
def test_serve_try_switch_and_watch(project: Path, lab: Lab) -> None:
    """A version is served from its row, tried by a form, replaced, taken back, and watched."""
    panel = lab.show_panel()
    row = panel.locator(f'.jp-Mlops-model[data-model="{NAME}"][data-version="1"]')
    row.wait_for()
    lab.choose(row, "Serve")
    tab = lab.page.locator(".jp-Mlops-endpointPanel:visible")
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_have_attribute("data-status", "ready", timeout=RUN)
    try_it(lab, tab)
    switch_and_back(lab, tab)
    watch(lab, tab, project)
    read_the_log(lab, tab)
    lab.reload()
    expect(tab.get_by_role("tab", name="Log")).to_have_attribute("aria-selected", "true")
    stop(lab, tab)


@pytest.mark.filterwarnings(MLFLOW_WARNING)
def test_try_and_predict_from_the_model(project: Path, lab: Lab) -> None:
    """A version is served and tried within its own tab, and predicts the rows of a file."""
    lab.provoked = "status of 40"  # these versions have no card, and a file is refused
    row = lab.show_panel().locator(f'.jp-Mlops-model[data-model="{NAME}"][data-version="1"]')
    lab.choose(row, "Try Model")
    tab = lab.page.locator(".jp-Mlops-modelPanel:visible")
    expect(tab.get_by_role("tab", name="Try it")).to_have_attribute("aria-selected", "true")
    expect(tab).to_contain_text(f"No version of {NAME} is served.")
    lab.screenshots("model-serve")
    tab.get_by_role("button", name="Serve v1").click()
    expect(tab).to_contain_text("v1 is served.", timeout=RUN)
    ask(tab, "100.5", "3")
    expect(tab.locator(".jp-Mlops-answer strong")).to_have_text("204")
    lab.screenshots("model-try")
    tab.get_by_label("Version", exact=True).select_option("2")
    expect(tab).to_contain_text("v1 is served, and not v2.")
    expect(tab.locator(".jp-Mlops-trial")).to_have_count(0)
    lab.screenshots("model-try-other")
    predict_a_file(lab, tab, project)
    follow_to_the_endpoint(lab, tab)
    stop(lab, lab.page.locator(".jp-Mlops-endpointPanel:visible"))


def predict_a_file(lab: Lab, tab: Locator, project: Path) -> None:
    """What is refused is said at its field; what is queued is seen in the tab of its run."""
    pd.DataFrame({"distance": [1.0, 2.0], "hour": [3, 4]}).to_csv(project / "new.csv")
    tab.get_by_role("button", name="Batch…").click()
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    expect(dialog.get_by_label("Version")).to_have_value("v2")
    dialog.get_by_label("File of rows").fill("new.csv")
    dialog.get_by_label("File to write").fill("out.txt")
    dialog.get_by_role("button", name="Predict").click()
    wrong = dialog.get_by_label("File to write")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(dialog).to_contain_text("must end in .parquet or .csv")
    lab.screenshots("model-batch")
    wrong.fill("out.csv")
    wrong.press("Enter")
    head = lab.page.locator(".jp-Mlops-runPanel:visible").get_by_role("region", name="Summary")
    expect(head.locator(".jp-Mlops-status").first).to_have_accessible_name("succeeded", timeout=RUN)
    assert pd.read_csv(project / "out.csv")["prediction"].tolist() == [1005.0, 1008.0]


def follow_to_the_endpoint(lab: Lab, tab: Locator) -> None:
    """The node of the endpoint in the lineage opens the endpoint's tab."""
    lab.page.locator(".lm-TabBar-tab", has_text=f"{NAME} v2").click()
    tab.get_by_label("Version", exact=True).select_option("1")
    tab.get_by_role("tab", name="Lineage").click()
    node = tab.locator('[data-lineage="endpoint"]')
    node.focus()
    lab.page.keyboard.press("Enter")
    endpoint = lab.page.locator(".jp-Mlops-endpointPanel:visible")
    expect(endpoint.get_by_role("heading", name=NAME)).to_be_visible()


def ask(tab: Locator, distance: str, hour: str) -> None:
    """Fill in the form and send it by the Enter key."""
    tab.get_by_role("textbox", name="distance").fill(distance)
    field = tab.get_by_role("textbox", name="hour")
    field.fill(hour)
    field.press("Enter")


def try_it(lab: Lab, tab: Locator) -> None:
    """A wrong value is told at its field, a right one answered."""
    lab.provoked = "400"
    ask(tab, "100.5", "noon")
    wrong = tab.get_by_role("textbox", name="hour")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(tab).to_contain_text("Column 'hour': expected long, got text 'noon' in row 1.")
    lab.screenshots("endpoint-wrong")
    ask(tab, "100.5", "3")
    expect(tab.locator(".jp-Mlops-answer strong")).to_have_text("204")
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_contain_text("2 requests · 1 refused or failed")
    expect(head).to_contain_text("p95")
    section = lab.panel.locator(f'.jp-Mlops-endpoint[data-endpoint="{NAME}"]')
    expect(section).to_have_attribute("data-status", "ready")
    expect(section).to_contain_text("ms", timeout=RUN)  # the section asks every few seconds
    lab.screenshots("endpoint-tried")


def choose_version(lab: Lab, tab: Locator, version: str) -> None:
    """Choose a version in the dialog that switches."""
    tab.get_by_role("button", name="Switch version…").click()
    dialog = lab.page.locator(".jp-Dialog")
    dialog.locator("select").select_option(label=version)
    lab.confirm("Serve")


def switch_and_back(lab: Lab, tab: Locator) -> None:
    """Another version takes over; a broken one does not, and says why; one goes back."""
    head = tab.get_by_role("region", name="Summary")
    choose_version(lab, tab, "v2")
    expect(head.locator(".jp-Mlops-sweepTitle > strong")).to_have_text("v2", timeout=RUN)
    ask(tab, "100.5", "3")
    expect(tab.locator(".jp-Mlops-answer strong")).to_have_text("1204")
    choose_version(lab, tab, "v3")
    alert = head.get_by_role("alert")
    expect(alert).to_contain_text("v3 could not be loaded", timeout=RUN)
    expect(alert).to_contain_text("no weights")
    lab.screenshots("endpoint-refused")
    head.get_by_role("button", name="Roll back to v1").click()
    expect(head.locator(".jp-Mlops-sweepTitle > strong")).to_have_text("v1", timeout=RUN)
    ask(tab, "100.5", "3")
    expect(tab.locator(".jp-Mlops-answer strong")).to_have_text("204")


def watch(lab: Lab, tab: Locator, project: Path) -> None:
    """Columns are kept, a challenger is asked, and the distances are drawn."""
    tab.get_by_role("tab", name="Monitoring").click()
    expect(tab).to_contain_text("Nothing is kept of the requests.")
    tab.get_by_role("button", name="Keep requests…").click()
    dialog = lab.page.locator(".jp-Mlops-endpointDialog")
    dialog.get_by_role("checkbox", name="distance").check()
    dialog.get_by_role("checkbox", name="hour").check()
    dialog.get_by_label("Challenger").fill("v2")
    lab.screenshots("endpoint-keep")
    dialog.get_by_role("button", name="Keep", exact=True).click()
    expect(tab).to_contain_text("these columns are kept", timeout=RUN)
    expect(tab).to_contain_text("v2 is asked the same.")
    tab.get_by_role("tab", name="Try it").click()
    for distance in ("101.5", "102.5", "103.5"):
        ask(tab, distance, "3")
        expected = f"{float(distance) * 2 + 3:.4g}"
        expect(tab.locator(".jp-Mlops-answer strong")).to_have_text(expected)
    until_kept(lab, project / ".mlops" / "samples" / NAME, 3)
    tab.get_by_role("tab", name="Monitoring").click()
    tab.get_by_role("button", name="Compare…").click()
    dialog.get_by_label("Training data").fill("fares.parquet")
    dialog.get_by_label("Distance above").fill("0.2")
    dialog.get_by_label("True labels").fill("truth.csv")
    dialog.get_by_label("Columns that tell").fill("distance")
    dialog.get_by_label("Column of the labels").fill("truth")
    lab.screenshots("endpoint-compare")
    dialog.get_by_role("button", name="Compare", exact=True).click()
    far = tab.locator('.jp-Mlops-drifts tr[data-far="true"]', has_text="distance")
    expect(far).to_contain_text("✗ too far", timeout=RUN)
    expect(tab.get_by_role("alert")).to_contain_text("Drift above 0.2: distance")
    expect(tab.locator(".jp-Mlops-qualities")).to_contain_text("rmse")
    lab.screenshots("endpoint-monitoring")


def until_kept(lab: Lab, folder: Path, rows: int) -> None:
    """Wait until so many rows were written."""
    deadline = time.monotonic() + PATIENCE
    while sum(len(pd.read_parquet(each)) for each in folder.glob("[0-9]*.parquet")) < rows:
        assert time.monotonic() < deadline
        lab.page.wait_for_timeout(200)


def read_the_log(lab: Lab, tab: Locator) -> None:
    """The arrow keys lead to the log of the processes."""
    tab.get_by_role("tab", name="Monitoring").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(tab.get_by_role("tab", name="Log")).to_be_focused()
    expect(tab.locator(".jp-Mlops-log")).to_contain_text("Started server process")
    lab.screenshots("endpoint-log")


def stop(lab: Lab, tab: Locator) -> None:
    """It is stopped after a question, by its row's menu."""
    lab.provoked = "404"
    lab.show_panel()
    row = lab.panel.locator(f'.jp-Mlops-endpoint[data-endpoint="{NAME}"]')
    row.focus()
    lab.page.keyboard.press("Shift+F10")
    lab.page.locator(".lm-Menu-item", has_text="Stop Serving…").first.click()
    lab.confirm("Stop Serving")
    expect(tab).to_contain_text("is not served", timeout=RUN)
    expect(row).to_have_count(0)
    lab.screenshot("endpoint-stopped")
