"""Other ways to the same things: the keyboard, and a page that is loaded again."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as NotShown

from tests.ui.driver import PROJECT, Lab, has_status


def palette(lab: Lab, text: str, shown: Locator) -> None:
    """Run a command by its name in the palette, and wait for what it shows."""
    search = lab.page.locator(".lm-CommandPalette-input")
    for _ in range(5):
        # The same keys would close one that was slow to open.
        if not search.is_visible():
            lab.page.keyboard.press("Control+Shift+C")
        # A notebook takes the focus once more when its kernel is there, which closes the palette.
        with suppress(NotShown):
            search.fill(text, timeout=5_000)
            lab.page.locator(".lm-CommandPalette-item", has_text=text).first.wait_for(timeout=5_000)
            search.press("Enter", timeout=5_000)
            shown.wait_for(timeout=30_000)
            return
    pytest.fail("The palette was closed five times.")


def test_keyboard_alone(lab: Lab) -> None:
    """A notebook is run, watched, looked into and deleted without a mouse."""
    page = lab.page
    lab.execute("docmanager:open", {"path": f"{PROJECT}/fragile.ipynb"})
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    palette(lab, "Run with Parameters…", lab.form)
    expect(lab.field("x")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("1, 0")
    page.keyboard.press("Enter")
    lab.form.wait_for(state="detached")
    sweep = lab.newest("fragile.ipynb")
    has_status(sweep, "succeeded")

    page.keyboard.press("Alt+Shift+M")
    expect(sweep).to_be_focused()
    open_a_run(lab)

    page.keyboard.press("Alt+Shift+M")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+F10")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("Open Sweep")).to_be_visible()
    menu.get_by_text("Open Sweep").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    tab = page.locator(".jp-Mlops-sweepPanel:visible")
    row = tab.locator("tbody tr.jp-Mlops-run")
    expect(row.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row.nth(1)).to_be_focused()
    expect(row.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Delete")
    page.locator(".jp-Dialog").wait_for()
    page.keyboard.press("Enter")
    expect(row).to_have_count(1)


def open_a_run(lab: Lab) -> None:
    """Go from a sweep's row to its first run, then to what that has written."""
    page = lab.page
    page.keyboard.press("ArrowRight")
    expect(lab.runs().first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Mlops-runPanel:visible .jp-Mlops-cell:focus")).to_have_count(1)
    output = page.locator(".jp-NotebookPanel:visible .jp-Cell", has_text="y = 1").first
    palette(lab, "Open Output Notebook", output)


def test_reload_brings_everything_back(lab: Lab) -> None:
    """A sweep's tab comes back with its order, and the panel's sections as they were folded."""
    page = lab.page
    panel = lab.show_panel()
    sweep = lab.run("fragile.ipynb", 2, x="0, 1")
    has_status(sweep, "succeeded")
    sweep.click()
    tab = page.locator(".jp-Mlops-sweepPanel:visible")
    rows = tab.locator("tbody tr.jp-Mlops-run")
    tab.get_by_role("button", name="x", exact=True).click()
    tab.get_by_role("button", name="x ▴", exact=True).click()
    expect(rows.first.locator('[data-kind="parameter"]')).to_have_text("1")
    models = panel.locator(".jp-AccordionPanel-title", has_text="Models")
    models.click()
    expect(models).to_have_attribute("aria-expanded", "false")
    lab.reload()
    expect(page.locator(".lm-TabBar-tabLabel", has_text="fragile").first).to_be_visible()
    expect(tab.get_by_role("columnheader", name="x ▾")).to_have_attribute("aria-sort", "descending")
    expect(rows.first.locator('[data-kind="parameter"]')).to_have_text("1")
    lab.show_panel()
    expect(models).to_have_attribute("aria-expanded", "false")


def test_filter_and_switch_project(lab: Lab) -> None:
    """Runs are found by part of what they are; another project can be chosen and left again."""
    panel = lab.show_panel()
    has_status(lab.run("fragile.ipynb", x="41"), "failed")
    panel.get_by_title("Filter by notebook, parameter, status or error").click()
    search = panel.get_by_label("Filter runs")
    expect(search).to_be_focused()
    search.fill("nowhere")
    expect(panel.get_by_text("No run matches")).to_be_visible()
    search.fill("x=41")
    expect(panel.locator(".jp-Mlops-sweep")).to_have_count(1)
    search.press("Escape")
    panel.locator(".jp-Mlops-project").click()
    menu = lab.page.locator(".lm-Menu")
    menu.get_by_text("(/)").click()
    expect(panel.get_by_text("No runs yet.")).to_be_visible()
    panel.locator(".jp-Mlops-project").click()
    lab.page.locator(".lm-Menu").get_by_text("Follow the Current Notebook").click()
    expect(lab.newest("fragile.ipynb")).to_be_visible()
