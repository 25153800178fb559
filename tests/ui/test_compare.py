"""Runs are chosen and set side by side: their values, curves, lines through them, and notebooks."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, RUN, Lab, has_status
from tests.ui.test_ways import palette

NOTEBOOK = "compared.ipynb"
COMPARED = re.compile(r"\d of \d cells differ\.")
LOG = (
    "import jupyter_mlops as mlops\n"
    "for step in range(20):\n"
    "    mlops.log(loss=1 / (depth + step), auc=1 - 1 / (depth + step), step=step)"
)
#: A picture that depends on the depth, and a drawing with a script in it.
DRAW = """\
from IPython.display import SVG, display
display(SVG(data=f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" '
    f'onload="window.hacked = 1"><script>window.hacked = 2</script>'
    f'<circle cx="45" cy="45" r="{8 * depth}" fill="teal"/></svg>'))
"""
TELL = "print('<b onclick=\"window.hacked = 3\">depth</b>', depth)"


def test_compare(lab: Lab, root: Path) -> None:
    """Chosen runs have a tab with what differs, curves, lines and cells; it outlives a reload."""
    write_notebook(root / PROJECT / NOTEBOOK, "depth: int = 3", LOG, DRAW, TELL)
    lab.show_panel()
    sweep = lab.run(NOTEBOOK, 4, depth="2,3,5,8")
    has_status(sweep, "succeeded")
    search(lab)
    choose(lab)
    tab = lab.page.locator(".jp-Mlops-comparePanel:visible")
    side_by_side(lab, tab)
    charts(lab, tab)
    cells(lab, tab)
    lab.reload()
    expect(tab.get_by_role("tab", name="Cells")).to_have_attribute("aria-selected", "true")
    expect(tab.locator(".jp-Mlops-cellDiffs")).to_contain_text(COMPARED, timeout=RUN)
    whole_sweep(lab, tab)


def search(lab: Lab) -> None:
    """Runs are searched in the sweep's tab by a condition, which outlives a reload."""
    page = lab.page
    lab.choose(lab.newest(NOTEBOOK), "Search Runs of Sweep")
    sweep = page.locator(".jp-Mlops-sweepPanel:visible")
    field = sweep.get_by_role("combobox", name="Search runs")
    expect(field).to_be_focused()
    rows = sweep.locator("tbody tr.jp-Mlops-run")
    expect(rows).to_have_count(4)
    offered = sweep.locator("datalist option")
    expect(offered.first).to_be_attached()
    values = offered.evaluate_all("options => options.map(each => each.value)")
    assert {"metrics.auc", "params.depth", "status"} <= set(values)
    lab.provoked = "400"
    page.keyboard.type("params.depth >")
    said = sweep.locator(".jp-Mlops-search").get_by_role("status")
    expect(said).to_contain_text("At the end: expected a value")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(rows).to_have_count(4)
    lab.screenshots("sweep-search-wrong")
    page.keyboard.type(" 2 and metrics.auc < 0.96")
    expect(said).to_have_text("2 of 4 runs")
    expect(rows).to_have_count(2)
    page.keyboard.press("Enter")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Space")
    expect(sweep.locator('tr[data-chosen="true"]')).to_have_count(1)
    sweep.get_by_role("button", name="depth").click()
    expect(rows.first.locator('td[data-kind="parameter"]')).to_have_text("3")
    lab.screenshots("sweep-search")
    lab.reload()
    expect(rows).to_have_count(2)
    expect(field).to_have_value("params.depth > 2 and metrics.auc < 0.96")
    rows.first.focus()
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows).to_have_count(4)
    lab.show_panel()


def choose(lab: Lab) -> None:
    """Choose runs in the sweep's table by the keyboard, and compare them by the palette."""
    page = lab.page
    lab.choose(lab.newest(NOTEBOOK), "Open Sweep")
    sweep = page.locator(".jp-Mlops-sweepPanel:visible")
    rows = sweep.locator("tbody tr.jp-Mlops-run")
    rows.first.focus()
    page.keyboard.press("Space")
    expect(rows.first.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(sweep.get_by_role("button", name="Compare 3 selected")).to_be_visible()
    page.keyboard.press("Space")
    rows.nth(3).get_by_role("checkbox").check()
    lab.screenshots("compare-choice")
    palette(lab, "Compare 3 Selected Runs", page.locator(".jp-Mlops-comparePanel:visible"))


def side_by_side(lab: Lab, tab: Locator) -> None:
    """What differs stands above what is the same; the head says how much differs."""
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_contain_text("3 runs")
    expect(head).to_contain_text("1 of 1 parameters and 2 of 2 metrics differ")
    table = tab.get_by_role("table", name="Runs side by side")
    first = table.locator("tr[data-differs]").first
    expect(first).to_contain_text("depth")
    expect(first).to_have_attribute("data-differs", "true")
    expect(first.locator("td")).to_have_text(["parameter", "2", "3", "8"])
    order = table.locator("tr[data-differs]").evaluate_all(
        "rows => rows.map(row => row.dataset.differs)"
    )
    assert order == sorted(order, reverse=True)
    assert "false" in order
    lab.screenshots("compare-table")


def charts(lab: Lab, tab: Locator) -> None:
    """Curves lie over one another, of any metric, and each run is a line through what differs."""
    tab.get_by_role("tab", name="Table").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(tab.get_by_role("tab", name="Curves")).to_be_focused()
    curves = tab.get_by_role("img", name="loss of 3 runs by step")
    tab.get_by_label("Metric").select_option("loss")
    expect(curves.locator("svg, canvas").first).to_be_visible()
    lab.screenshots("compare-curves")
    lab.page.get_by_role("tab", name="Parallel").click()
    lines = tab.get_by_role("img", name="Runs as lines through depth")
    expect(lines.locator("svg, canvas").first).to_be_visible()
    lab.screenshots("compare-parallel")


def cells(lab: Lab, tab: Locator) -> None:
    """Two output notebooks are compared cell by cell, and nothing in them runs."""
    tab.get_by_role("tab", name="Cells").click()
    diffs = tab.locator(".jp-Mlops-cellDiffs")
    expect(diffs.get_by_role("status")).to_have_text(COMPARED, timeout=RUN)
    added = diffs.locator('[data-change="added"]')
    expect(added.first).to_contain_text("depth = ")
    expect(diffs.get_by_role("img")).to_have_count(2)
    expect(diffs.get_by_role("img").first).to_have_js_property("complete", value=True)
    expect(diffs).to_contain_text("<b onclick")
    assert lab.page.evaluate("() => window.hacked") is None
    lab.screenshots("compare-cells")
    before = tab.get_by_label("Right").input_value()
    tab.get_by_label("Right").select_option(index=1)
    expect(tab.get_by_label("Right")).not_to_have_value(before)
    expect(diffs.get_by_role("status")).to_have_text(COMPARED, timeout=RUN)


def whole_sweep(lab: Lab, tab: Locator) -> None:
    """Without a choice all runs of a sweep are compared; from there a run and pictures open."""
    lab.show_panel()
    lab.choose(lab.newest(NOTEBOOK), "Compare Runs")
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_contain_text("4 runs")
    head.get_by_role("button", name="Gallery").click()
    gallery = lab.page.locator(".jp-Mlops-galleryPanel:visible")
    expect(gallery.locator(".jp-Mlops-tile")).to_have_count(4)
    lab.choose(lab.newest(NOTEBOOK), "Compare Runs")
    tab.get_by_role("table").get_by_role("button").first.click()
    expect(lab.page.locator(".jp-Mlops-runPanel:visible")).to_contain_text("depth")


def test_unknown_runs(lab: Lab) -> None:
    """A comparison of runs that do not exist says so in one line, with a way to ask again."""
    lab.show_panel()
    lab.provoked = "404 (Not Found)"
    lab.execute("mlops:compare-runs", {"project": PROJECT, "ids": ["zzzzzzzz-1"]})
    tab = lab.page.locator(".jp-Mlops-comparePanel:visible")
    problem = tab.get_by_role("alert")
    expect(problem).to_contain_text("zzzzzzzz-1")
    problem.get_by_role("button", name="Retry").click()
    expect(problem).to_contain_text("zzzzzzzz-1")
