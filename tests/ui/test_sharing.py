"""Cells that all runs can share: the hint in the form, and what becomes of it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.ui.driver import PROJECT, Lab, has_status

NOTEBOOK = "loading.ipynb"


def open_notebook(lab: Lab, name: str) -> Locator:
    """Open a notebook and wait for its cells."""
    lab.execute("docmanager:open", {"path": f"{PROJECT}/{name}"})
    notebook = lab.page.locator(".jp-NotebookPanel:visible")
    notebook.locator(".jp-Cell").first.wait_for()
    return notebook


def tags_of(lab: Lab) -> list[list[str]]:
    """The tags of the cells of the open notebook."""
    found: list[list[str]] = lab.page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".map(cell => cell.getMetadata('tags') ?? [])"
    )
    return found


def test_share_cells_by_keyboard(lab: Lab) -> None:
    """Once a run has measured the cells, the form offers to tag them, and the next runs share."""
    page = lab.page
    lab.show_panel()
    has_status(lab.run(NOTEBOOK), "succeeded")

    form = lab.ask_to_run(NOTEBOOK)
    lab.field("depth").fill("1..9")
    hint = form.get_by_role("button", name="1 cell could be shared: saves about")
    expect(hint).to_have_text(re.compile(r"about \d s"))
    expect(form.get_by_role("button", name="Tag it")).to_be_disabled()
    expect(form.get_by_text("open the notebook to tag it")).to_be_visible()
    lab.screenshots("form-sharing-closed")
    lab.field("depth").fill("1..99")
    expect(hint).to_have_text(re.compile(r"about \d+ min"))
    page.keyboard.press("Escape")
    form.wait_for(state="detached")

    open_notebook(lab, NOTEBOOK)
    lab.ask_to_run(NOTEBOOK)
    lab.field("depth").fill("1..5")
    hint.focus()
    page.keyboard.press("Enter")
    expect(hint).to_have_attribute("aria-expanded", "true")
    expect(form.get_by_text("time.sleep(1.5)")).to_be_visible()
    lab.screenshots("form-sharing")
    page.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Tag it")).to_be_focused()
    page.keyboard.press("Enter")
    done = form.get_by_text("1 cell is tagged shared: it is executed once for all runs.")
    expect(done).to_be_visible()
    expect(form.get_by_role("button", name="Run 5")).to_be_focused()
    lab.screenshots("form-shared")
    assert tags_of(lab) == [["parameters"], [], ["shared"], []]
    expect(page.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(1)
    page.keyboard.press("Enter")
    lab.form.wait_for(state="detached")
    has_status(lab.newest(NOTEBOOK), "succeeded")


def test_share_cells_by_command(lab: Lab) -> None:
    """The palette tags the cells of the current notebook, or says why there is nothing to tag."""
    open_notebook(lab, "told.ipynb")
    toast = lab.page.locator(".Toastify__toast")
    lab.execute("mlops:share-cells")
    expect(toast.filter(has_text="Run the notebook once")).to_be_visible()
    lab.show_panel()
    has_status(lab.run("told.ipynb"), "succeeded")
    lab.execute("mlops:share-cells")
    expect(toast.filter(has_text="1 cell was tagged shared.")).to_be_visible()
    assert tags_of(lab) == [["parameters"], [], ["shared"], []]
    lab.execute("docmanager:save")
    lab.execute("mlops:share-cells")
    expect(toast.filter(has_text="No other cell is worth sharing.")).to_be_visible()
