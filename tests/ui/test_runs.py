"""What can happen to runs, and what a user does about it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

import jupyter_mlops as mlops
from tests.ui.driver import PROJECT, Lab, has_status


def test_failed_run_shows_why_and_where(lab: Lab) -> None:
    """A failure comes first with its error; it opens at the failing cell and can be retried."""
    lab.show_panel()
    sweep = lab.run("fragile.ipynb", 3, x="1, 2, 3")
    has_status(sweep, "failed")
    first = lab.runs().first
    has_status(first, "failed")
    expect(first).to_contain_text("ValueError: 2 is too much")
    expect(first).to_contain_text(re.compile(r"cell \d"))
    expect(lab.runs().nth(2)).to_have_attribute("data-status", "succeeded")
    first.click()
    page = lab.page
    page.locator(".jp-Mlops-runPanel:visible").get_by_role("button", name="Open notebook").click()
    notebook = page.locator(".jp-NotebookPanel:visible")
    active = notebook.locator(".jp-Cell.jp-mod-active")
    expect(active).to_contain_text("raise ValueError")
    lab.choose(sweep, "Retry Failed Runs")
    first.click()
    expect(page.locator(".jp-Mlops-runPanel:visible")).to_contain_text("attempt 2")
    has_status(sweep, "failed")
    lab.choose(sweep, "Open Sweep")
    tab = page.locator(".jp-Mlops-sweepPanel:visible")
    expect(tab.locator('td[data-kind="error"]').first).to_have_text("ValueError: 2 is too much")
    lab.screenshots("sweep-failed")


def test_cancel_and_delete(lab: Lab) -> None:
    """A sweep that takes too long is cancelled after a question, and deleted after another."""
    lab.show_panel()
    sweep = lab.run("sleepy.ipynb", 5, seconds="300..304")
    has_status(sweep, "running")
    running = lab.runs().first
    has_status(running, "running")
    lab.choose(running, "Cancel Run")
    expect(lab.runs().filter(has=lab.page.get_by_role("img", name="cancelled"))).to_have_count(1)
    lab.choose(sweep, "Cancel Sweep…")
    lab.confirm("Keep")
    has_status(sweep, "running")
    lab.choose(sweep, "Cancel Sweep…")
    expect(lab.page.locator(".jp-Dialog-body")).to_contain_text("4 runs of sleepy.ipynb")
    lab.confirm("Cancel Sweep")
    has_status(sweep, "cancelled")
    sweep.focus()
    lab.page.keyboard.press("Delete")
    lab.confirm("Delete Sweep")
    expect(lab.sweeps("sleepy.ipynb")).to_have_count(0)


def test_runs_with_other_packages_are_marked(lab: Lab, root: Path) -> None:
    """Runs in another environment than the lock's say so in words, and say what differs."""
    lab.show_panel()
    lock = root / PROJECT / "requirements.lock"
    lock.write_text("ipykernel==0.1\n", "utf-8")
    try:
        sweep = lab.run("fragile.ipynb", 2, x="0, 1")
        has_status(sweep, "succeeded")
    finally:
        lock.unlink()
    mark = lab.runs().first.get_by_text("≠ lock")
    expect(mark).to_be_visible()
    title = re.compile(r"differ from requirements\.lock: ipykernel .* instead of 0\.1\.$")
    expect(mark).to_have_attribute("title", title)
    lab.choose(sweep, "Open Sweep")
    tab = lab.page.locator(".jp-Mlops-sweepPanel:visible")
    expect(tab.locator('td[data-kind="environment"]')).to_have_text(["≠ lock", "≠ lock"])
    lab.screenshots("sweep-environment")
    lab.runs().first.click()
    head = lab.page.locator(".jp-Mlops-runPanel:visible .jp-Mlops-sweepHead")
    expect(head.get_by_text("≠ lock")).to_be_visible()


def test_errors_stand_at_their_fields(lab: Lab) -> None:
    """Values that cannot be read are explained under their field at once, and nothing can run."""
    form = lab.ask_to_run("fragile.ipynb")
    lab.field("x").fill("1")
    button = form.get_by_role("button", name="Run", exact=True)
    expect(button).to_be_enabled()
    lab.field("x").fill("1..")
    field = lab.field("x")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("^int .*has no end|^int "))
    message = form.locator(".jp-Mlops-fieldError:visible")
    expect(message).to_contain_text("x")
    expect(button).to_be_disabled()
    field.fill("one")
    expect(message).to_contain_text("one")
    field.fill("1..1000000000")
    expect(message).to_contain_text("1,000,000,000")
    form.get_by_role("button", name="Resources and retries").click()
    form.get_by_label("Memory per run").fill("much")
    expect(form.get_by_text("Write a size like 2 GB")).to_be_visible()
    lab.screenshots("form-errors")
    form.get_by_label("Memory per run").fill("")
    field.fill("1, 1")
    field.press("Enter")
    form.wait_for(state="detached")
    has_status(lab.newest("fragile.ipynb"), "succeeded")


def test_unsaved_notebook_is_saved_and_its_cell_marked(lab: Lab, root: Path) -> None:
    """The toolbar's button saves what was typed; the dialog marks the parameters cell."""
    page = lab.page
    path = f"{PROJECT}/plain.ipynb"
    lab.execute("docmanager:open", {"path": path})
    notebook = page.locator(".jp-NotebookPanel:visible")
    editor = notebook.locator(".jp-Cell .cm-content").nth(1)
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nseed = 7")
    notebook.locator('.jp-Toolbar [data-jp-item-name="mlops-run"]').click()
    form = lab.form
    expect(form.get_by_text("This notebook has no parameters cell.")).to_be_visible()
    lab.screenshot("form-candidates")
    form.get_by_role("button", name="Mark as parameters").click()
    expect(lab.field("seed")).to_have_value("7")
    expect(lab.field("rate")).to_have_value("0.1")
    page.keyboard.press("Escape")
    cells = json.loads((root / path).read_text("utf-8"))["cells"]
    tagged = [cell["metadata"].get("tags") for cell in cells]
    assert tagged == [None, ["parameters"], None]
    assert "seed = 7" in "".join(cells[1]["source"])


def test_unreachable_server_is_told_and_survived(lab: Lab) -> None:
    """The panel keeps what it knows, says what is wrong and since when, and recovers by Retry."""
    panel = lab.show_panel()
    sweep = lab.run("fragile.ipynb", x="1")
    has_status(sweep, "succeeded")
    lab.provoked = "ERR_FAILED"
    lab.page.route("**/mlops/api/**", lambda route: route.abort())
    lab.execute("mlops:refresh")
    problem = panel.get_by_role("alert")
    expect(problem).to_contain_text("The Jupyter server does not answer.")
    expect(problem).to_contain_text("since")
    expect(sweep).to_be_visible()
    lab.screenshot("panel-problem")
    lab.page.unroute_all()
    problem.get_by_role("button", name="Retry").click()
    expect(panel.locator(".jp-Mlops-truth")).to_be_visible()
    expect(problem).to_have_count(0)


def test_changes_of_others_arrive(lab: Lab, root: Path) -> None:
    """What a shell does to the project appears in the panel by itself."""
    lab.show_panel()
    run_elsewhere(lab, root)


def test_changes_are_polled_for(lab: Lab, root: Path) -> None:
    """Where the socket of events is blocked, the panel asks for changes."""
    with lab.setting("pollInterval", 2):
        lab.page.route_web_socket("**/api/events/subscribe*", lambda _: None)
        lab.open()
        lab.show_panel()
        run_elsewhere(lab, root)


def run_elsewhere(lab: Lab, root: Path) -> None:
    """Run a notebook from Python, and see it in the panel."""
    before = lab.sweeps("fragile.ipynb").count()
    mlops.run(root / PROJECT / "fragile.ipynb", {"x": 1})
    expect(lab.sweeps("fragile.ipynb")).to_have_count(before + 1, timeout=30_000)
    has_status(lab.newest("fragile.ipynb"), "succeeded")
