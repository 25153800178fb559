"""What runs kept, in the panel: looked into, opened, saved, and compared across runs."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, Lab, has_status
from tests.ui.test_ways import palette

NOTEBOOK = "keeping.ipynb"
#: Keeps a plot, a table, notes, a page and a drawing with scripts in them, and a large log.
KEEP = """\
import pathlib, mlflow
import matplotlib
matplotlib.use('agg')
from matplotlib import pyplot
from IPython.display import Image, display
folder = pathlib.Path(f'kept-{depth}')
folder.mkdir(exist_ok=True)
figure, axes = pyplot.subplots(figsize=(4, 3))
axes.plot([0, 0.2 / depth, 1], [0, 0.6, 1])
figure.savefig(folder / 'roc.png')
display(Image(filename=folder / 'roc.png'))
(folder / 'table.csv').write_text('step,auc\\n' + ''.join(f'{n},{n / 300}\\n' for n in range(300)))
(folder / 'notes.md').write_text('# Notes\\n\\nDepth **three**. <script>hacked = 1</script>')
(folder / 'facts.json').write_text('{"depth": 3, "names": ["a", "b"]}')
(folder / 'page.html').write_text(
    '<h1>Report</h1><script>window.hacked = 2</script><b onclick="window.hacked = 3">bold</b>')
(folder / 'drawing.svg').write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" onload="window.hacked = 4">'
    '<script>window.hacked = 5</script><circle cx="45" cy="45" r="40" fill="teal"/></svg>')
(folder / 'run.log').write_text('a line of the log\\n' * 40_000)
(folder / 'weights.bin').write_bytes(b'\\0' * 1_000_000)
mlflow.log_artifacts(folder, 'plots')
"""
METRIC = (
    "import jupyter_mlops as mlops\nmlops.log(auc=0.6 + depth / 100)\n"
    "if depth == 9: raise ValueError('too deep')"
)


def test_look_open_save_compare(lab: Lab, root: Path, tmp_path: Path) -> None:
    """The files of a run are looked into in its tab, opened, saved, and compared with others'."""
    write_notebook(root / PROJECT / NOTEBOOK, "depth: int = 3", METRIC, KEEP)
    lab.show_panel()
    sweep = lab.run(NOTEBOOK, 4, depth="3,5,7,9")
    has_status(sweep, "failed")
    row = lab.panel.locator('.jp-Mlops-run[data-key$="-3"]')
    lab.choose(row, "Show Artifacts")
    tab = lab.page.locator(".jp-Mlops-runPanel:visible")
    expect(tab.get_by_role("tab", name="Artifacts")).to_have_attribute("aria-selected", "true")

    look(lab, tab)
    nothing_runs(lab, tab)
    notebooks(lab, tab)
    save(lab, tab, tmp_path)
    open_in_a_tab(lab, tab)
    compare(lab, tab)
    from_the_sweep(lab)


def file(tab: Locator, name: str) -> Locator:
    """The row of a file in the tree."""
    return tab.locator(f'.jp-Mlops-artifact[data-path$="{name}"]')


def look(lab: Lab, tab: Locator) -> None:
    """The tree has sizes; plots, tables, notes and data are shown by the keyboard alone."""
    preview = tab.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("Choose a file")
    tree = tab.get_by_role("tree", name="Artifacts")
    expect(file(tab, "plots/weights.bin")).to_contain_text("1.00 MB")
    tree.get_by_role("treeitem").first.focus()
    lab.page.keyboard.press("End")
    expect(tree.get_by_role("treeitem").last).to_be_focused()
    lab.page.keyboard.press("Home")
    file(tab, "roc.png").focus()
    lab.page.keyboard.press("Enter")
    picture = preview.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("node => node.naturalWidth") > 100
    head = tab.get_by_role("region", name="Chosen file")
    expect(head.locator("code")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    lab.screenshots("artifacts-picture")
    file(tab, "table.csv").click()
    expect(preview.locator("th").nth(1)).to_have_text("auc")
    expect(preview.locator("tbody tr")).to_have_count(200)
    expect(preview).to_contain_text("The first 200 rows are shown.")
    lab.screenshots("artifacts-table")
    file(tab, "facts.json").click()
    expect(preview).to_contain_text("names")
    file(tab, "run.log").click()
    expect(preview).to_contain_text("The first 256 kB of 720 kB.")
    file(tab, "weights.bin").click()
    expect(preview).to_contain_text("Files of this type are not shown")
    expect(tab.get_by_role("button", name="Open in a tab")).to_have_count(0)


def nothing_runs(lab: Lab, tab: Locator) -> None:
    """Scripts in pages, notes and drawings are shown without being run."""
    preview = tab.get_by_role("region", name="Preview")
    file(tab, "notes.md").click()
    expect(preview.locator("strong")).to_have_text("three")
    file(tab, "page.html").click()
    expect(preview.locator("h1")).to_have_text("Report")
    expect(preview.locator("script")).to_have_count(0)
    expect(preview.locator("b")).to_have_text("bold")
    expect(preview.locator("[onclick]")).to_have_count(0)
    expect(preview).to_contain_text("Shown without its scripts and styles.")
    file(tab, "drawing.svg").click()
    picture = preview.locator("img")
    expect(picture).to_have_attribute("src", re.compile("^data:image/svg"))
    expect(picture).to_have_js_property("complete", value=True)
    assert lab.page.evaluate("() => window.hacked") is None


def notebooks(lab: Lab, tab: Locator) -> None:
    """The output notebook is shown with its code and its outputs."""
    file(tab, ".ipynb").click()
    preview = tab.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("import pathlib, mlflow")
    expect(preview.locator("img").first).to_be_visible()
    lab.screenshots("artifacts-notebook")


def save(lab: Lab, tab: Locator, folder: Path) -> None:
    """A file is saved as it is, under its name."""
    file(tab, "table.csv").click()
    with lab.page.expect_download() as started:
        tab.get_by_role("button", name="Download").click()
    download = started.value
    assert download.suggested_filename == "table.csv"
    download.save_as(folder / "table.csv")
    assert (folder / "table.csv").read_text().splitlines()[1] == "0,0.0"


def open_in_a_tab(lab: Lab, tab: Locator) -> None:
    """A file has a tab of its own, by the palette too, which comes back after a reload."""
    file(tab, "table.csv").focus()
    own = lab.page.locator(".jp-Mlops-artifactTab:visible")
    palette(lab, "Open Artifact in Tab", own)
    expect(own.locator("th").first).to_have_text("step")
    lab.screenshots("artifacts-tab")
    lab.reload()
    expect(own.locator("th").first).to_have_text("step")
    lab.page.locator(".lm-TabBar-tab", has_text="keeping #").first.click()
    expect(file(tab, "roc.png")).to_be_visible()


def compare(lab: Lab, tab: Locator) -> None:
    """The same picture of all runs stands side by side, each with its parameters."""
    file(tab, "roc.png").click()
    lab.provoked = "404 (Not Found)"  # of the run that has none
    tab.get_by_role("button", name="Compare across runs").click()
    gallery = lab.page.locator(".jp-Mlops-galleryPanel:visible")
    tiles = gallery.locator(".jp-Mlops-tile")
    expect(tiles).to_have_count(4)
    expect(gallery.locator('[data-picture="ready"]')).to_have_count(3)
    expect(gallery.locator('[data-picture="missing"]')).to_contain_text("This run has none.")
    expect(tiles.first).to_contain_text("depth=3")
    tiles.first.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    gallery.get_by_label("Picture", exact=True).select_option(label="Output of cell 4")
    expect(gallery.locator('[data-picture="ready"]')).to_have_count(3)
    lab.screenshots("gallery")
    gallery.get_by_label("Size").select_option(label="large")
    tiles.nth(1).focus()
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator(".jp-Mlops-runPanel:visible")).to_contain_text("depth 5")


def from_the_sweep(lab: Lab) -> None:
    """The sweep's tab opens the gallery, which has kept what was chosen."""
    lab.choose(lab.newest(NOTEBOOK), "Open Sweep")
    lab.page.locator(".jp-Mlops-sweepPanel:visible").get_by_role("button", name="Gallery").click()
    gallery = lab.page.locator(".jp-Mlops-galleryPanel:visible")
    expect(gallery.get_by_label("Picture", exact=True)).to_have_value("cell:4")
    expect(gallery.get_by_label("Size")).to_have_value("large")
