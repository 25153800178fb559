"""A run's tab: watched while it runs, looked into when it has failed, and mended."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, RUN, Lab, has_status

NOTEBOOK = "watched.ipynb"
SETTING_UP = (
    "import time\nfrom pathlib import Path\n"
    "from IPython.display import HTML, display\n"
    "display(HTML('<b>bold</b><script>window.hacked = true</script>'))"
)
#: Prints, then waits for a file.
WAITING = (
    "for step in range(3):\n    print(f'step {step}', flush=True)\n"
    "while not Path('go').exists():\n    time.sleep(0.05)"
)


def write(root: Path, last: str) -> None:
    """Write the notebook with this last cell."""
    write_notebook(root / PROJECT / NOTEBOOK, "depth: int = 3", SETTING_UP, WAITING, last)


def cell(tab: Locator, text: str) -> Locator:
    """The row of a cell in the timeline, by its first line."""
    return tab.locator(".jp-Mlops-cell", has_text=text)


def test_watch_fail_and_go_on(lab: Lab, root: Path) -> None:
    """A running cell's output is seen live; a failure opens at its cell and goes on from there."""
    page = lab.page
    write(root, "raise ValueError('not yet')")
    lab.show_panel()
    row = lab.run(NOTEBOOK, depth="4")
    has_status(row, "running")
    expect(row).to_contain_text(re.compile(r"cell \d/\d"), timeout=RUN)
    row.focus()
    page.keyboard.press("Enter")

    tab = page.locator(".jp-Mlops-runPanel:visible")
    watch(lab, tab)
    (root / PROJECT / "go").touch()
    look_into_the_failure(lab, tab)
    write(root, "depth * 2")
    go_on(lab, tab)
    lab.reload()
    expect(tab.get_by_role("tab", name="Context")).to_have_attribute("aria-selected", "true")


def watch(lab: Lab, tab: Locator) -> None:
    """See what the running cell prints, then what an earlier one has put out."""
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_contain_text(re.compile(r"running · cell \d/\d"))
    expect(head.get_by_role("list", name="Parameters")).to_contain_text("depth 4")
    waiting = cell(tab, "for step in range(3)")
    expect(waiting).to_have_attribute("data-state", "running")
    expect(waiting).to_have_attribute("aria-current", "true")
    expect(tab.locator(".jp-Mlops-outputs")).to_contain_text("step 2")
    lab.screenshots("run-running")
    lab.page.keyboard.press("ArrowUp")
    earlier = cell(tab, "import time")
    expect(earlier).to_be_focused()
    expect(tab.locator(".jp-Mlops-output b")).to_have_text("bold")
    assert lab.page.evaluate("() => window.hacked") is None
    waiting.click()
    expect(tab.locator(".jp-Mlops-outputs")).to_contain_text("step 2")


def look_into_the_failure(lab: Lab, tab: Locator) -> None:
    """See the failed cell with its error, and what the run used."""
    failed = cell(tab, "raise ValueError")
    expect(failed).to_have_attribute("data-state", "failed", timeout=RUN)
    expect(failed).to_have_attribute("aria-current", "true")
    expect(tab.locator(".jp-Mlops-outputs")).to_contain_text("ValueError: not yet")
    lab.screenshots("run-failed")
    outputs = tab.get_by_role("tab", name="Outputs")
    outputs.focus()
    lab.page.keyboard.press("ArrowLeft")
    expect(tab.get_by_role("tab", name="Context")).to_be_focused()
    context = tab.get_by_role("tabpanel", name="Context")
    expect(context).to_contain_text(re.compile(r"Reserved\d cores?"))
    expect(context).to_contain_text(re.compile(r"Used.*of CPU time"))
    lab.screenshots("run-context")


def go_on(lab: Lab, tab: Locator) -> None:
    """Go on from the failed cell after a question, with the notebook mended."""
    tab.get_by_role("button", name="Retry from cell").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("The 4 cells before it are executed again")
    expect(dialog).to_contain_text("The notebook has changed since")
    lab.screenshot("run-resume")
    dialog.get_by_role("button", name="Retry from cell").click()
    expect(tab.locator('[data-status="succeeded"]').first).to_be_visible(timeout=RUN)
    expect(cell(tab, "depth * 2")).to_have_attribute("data-state", "succeeded")
    expect(cell(tab, "import time")).to_have_attribute("data-state", "kept")
    tab.get_by_role("tab", name="Outputs").click()
    expect(tab.locator(".jp-Mlops-outputs")).to_contain_text("8")
    tab.get_by_role("tab", name="Context").click()
    expect(tab.get_by_role("tabpanel", name="Context")).to_contain_text("Attempt 2")
    lab.screenshots("run-resumed")
