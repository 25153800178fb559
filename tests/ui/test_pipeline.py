"""The pipeline: drawn, run and looked into, in the panel and in its tab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.support import workers
from tests.support.pipelines import commit, repository
from tests.ui.driver import RUN, Lab
from tests.ui.test_ways import palette
from tests.ui.wired import large_pipeline, write_pipeline

TRAIN = "dvc.yaml:train"


@pytest.fixture(scope="module")
def wired(root: Path) -> Iterator[Path]:
    """A project with a pipeline whose comparison fails until its limit is lowered."""
    folder = root / "wired"
    write_pipeline(folder)
    yield folder
    workers.stop(folder)


@pytest.fixture
def lab(unopened: Lab, wired: Path) -> Lab:
    """JupyterLab in the project of the pipeline."""
    return opened(unopened, wired)


def opened(lab: Lab, folder: Path) -> Lab:
    """Open JupyterLab in a project."""
    lab.project = folder.name
    lab.open()
    return lab


def has_state(stage: Locator, state: str, timeout: float = RUN) -> None:
    """Wait until a row or node is in this state."""
    expect(stage).to_have_attribute("data-status", state, timeout=timeout)


def test_from_the_panel(lab: Lab, wired: Path) -> None:
    """The section says what will run and why, runs it, and shows the failure first."""
    panel = lab.show_panel()
    has_state(lab.stage("prepare"), "stale")
    truth = panel.locator(".jp-Mlops-pipelineTruth")
    expect(truth).to_contain_text("7 of 7 stages will run")
    expect(lab.stage("prepare")).to_contain_text("never run")
    lab.screenshots("pipeline-panel-stale")
    (wired / "hold").touch()
    panel.get_by_role("button", name="Run stale").click()
    group = panel.locator(f'[data-group="{TRAIN}"]')
    has_state(group, "running")
    expect(truth).to_contain_text(re.compile(r"1 of 7 stages done"))
    has_state(lab.stage("prepare"), "succeeded")
    has_state(lab.stage("compare"), "queued")
    lab.screenshots("pipeline-panel-running")
    (wired / "hold").unlink()
    has_state(lab.stage("compare"), "failed")
    first = panel.locator(".jp-Mlops-stages .jp-Mlops-row").first
    expect(first).to_have_attribute("data-stage", "compare")
    expect(first).to_contain_text("Exit code 1")
    expect(truth).to_contain_text("1 failed")
    lab.screenshots("pipeline-panel-failed")


def test_in_the_tab(lab: Lab, wired: Path) -> None:
    """The graph is drawn, folded and walked through; a stage's sheet tells all about it."""
    (wired / "params.yaml").write_text("depth: 3\nlimit: 9\n", "utf-8")
    lab.show_panel()
    run_all(lab)
    lab.execute("mlops:open-pipeline")
    has_state(lab.node("compare"), "failed")
    expect(lab.pipeline.locator(".jp-Mlops-node")).to_have_count(4)
    expect(lab.node(TRAIN)).to_contain_text("train (4)")
    expect(lab.node(TRAIN)).to_contain_text("4 up to date")
    lab.screenshots("pipeline-folded")
    walk(lab)
    look_into_the_failure(lab)
    mend_it(lab, wired)
    look_into_what_was_made(lab)
    change_a_parameter(lab, wired)
    run_downstream(lab)
    come_back(lab)


def run_all(lab: Lab) -> None:
    """Run what is stale, and wait until the comparison has failed."""
    lab.panel.get_by_role("button", name="Run stale").click()
    truth = lab.panel.locator(".jp-Mlops-pipelineTruth")
    expect(truth).to_contain_text("1 failed · 2 will run · just now", timeout=RUN)


def walk(lab: Lab) -> None:
    """Go through the graph by keyboard alone, and unfold the matrix."""
    page = lab.page
    lab.node("prepare").focus()
    page.keyboard.press("ArrowRight")
    expect(lab.node(TRAIN)).to_be_focused()
    page.keyboard.press("Space")
    members = lab.pipeline.locator('.jp-Mlops-node[data-key^="train@"]')
    expect(members).to_have_count(4)
    expect(lab.pipeline.locator(".jp-Mlops-frame")).to_contain_text("train (4)")
    lab.screenshots("pipeline-unfolded")
    lab.node("prepare").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    tops = {box["y"]: key for key in range(4) if (box := members.nth(key).bounding_box())}
    expect(members.nth(tops[min(tops)])).to_be_focused()
    page.keyboard.press("ArrowDown")
    second = sorted(tops)[1]
    expect(members.nth(tops[second])).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(lab.node("compare")).to_be_focused()
    expect(lab.pipeline.locator(".jp-Mlops-pointed")).to_contain_text("Exit code 1")
    page.keyboard.press("Shift+F10")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("Run Stage with What Follows", exact=True)).to_be_visible()
    lab.screenshot("pipeline-menu")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")


def sheet(lab: Lab) -> Locator:
    """The sheet of the stage that is open."""
    return lab.pipeline.locator(".jp-Mlops-sheet")


def look_into_the_failure(lab: Lab) -> None:
    """The sheet of the failed stage says what went wrong and what it printed."""
    expect(sheet(lab).get_by_role("heading", name="compare")).to_be_visible()
    expect(sheet(lab)).to_contain_text("python compare.py")
    expect(sheet(lab).locator(".jp-Mlops-log")).to_contain_text("comparing four models")
    expect(sheet(lab).locator(".jp-Mlops-log")).to_contain_text("no model reaches the limit")
    lab.screenshots("pipeline-failed")


def mend_it(lab: Lab, wired: Path) -> None:
    """Save params.yaml in JupyterLab: the reason changes by itself; Run stale makes all good."""
    path = f"{wired.name}/params.yaml"
    lab.page.evaluate(
        "async path => { await window.jupyterapp.serviceManager.contents.save(path, "
        "{type: 'file', format: 'text', content: 'depth: 3\\nlimit: 1\\n'}); }",
        path,
    )
    expect(sheet(lab).locator(".jp-Mlops-why")).to_contain_text(re.compile("limit|never run"))
    lab.pipeline.get_by_role("button", name="Run stale").click()
    has_state(lab.node("publish"), "fresh")
    has_state(lab.pipeline.locator(".jp-Mlops-pipelineTruth"), "fresh")


def look_into_what_was_made(lab: Lab) -> None:
    """Sheets tell sizes, changes and metrics, open plots and the run of a notebook."""
    page = lab.page
    expect(sheet(lab).get_by_role("heading", name="Plots")).to_be_visible()
    sheet(lab).get_by_role("button", name="curve.csv").click()
    expect(page.locator(".jp-CSVViewer:visible")).to_be_visible()
    lab.execute("mlops:open-pipeline")
    lab.node("train@boosting").click()
    metric = sheet(lab).get_by_role("row", name=re.compile("auc"))
    expect(metric).to_contain_text("0.73")
    table = sheet(lab).locator('tr[data-path="table.csv"]')
    expect(table).to_contain_text("20.0 kB")
    expect(sheet(lab).locator('tr[data-path="params.yaml"]')).to_contain_text("depth")
    expect(sheet(lab)).to_contain_text("5 min at most")
    lab.screenshots("pipeline-sheet")
    lab.execute("mlops:zoom-pipeline-to-fit")
    lab.node("publish").click()
    expect(sheet(lab)).to_contain_text("papermill publish.ipynb")
    sheet(lab).get_by_role("button", name="published.ipynb").click()
    notebook = page.locator(".jp-NotebookPanel:visible")
    expect(notebook.get_by_text("published").first).to_be_attached()
    lab.execute("mlops:open-pipeline")
    sheet(lab).get_by_role("button", name="Open run").click()
    run = page.locator(".jp-Mlops-runPanel:visible")
    expect(run.get_by_role("heading", name="publish.ipynb")).to_be_visible()
    lab.execute("mlops:open-pipeline")


def change_a_parameter(lab: Lab, wired: Path) -> None:
    """A change outside of JupyterLab is seen by Refresh; each stage says why it will run."""
    (wired / "params.yaml").write_text("depth: 4\nlimit: 1\n", "utf-8")
    lab.execute("mlops:refresh")
    node = lab.node("train@forest")
    has_state(node, "stale")
    expect(node).to_contain_text("params.yaml: depth")
    expect(lab.node("compare")).to_contain_text("upstream: train@")
    lab.screenshots("pipeline-stale")
    lab.pipeline.get_by_role("button", name="Show as list").click()
    rows = lab.pipeline.get_by_role("treeitem")
    expect(rows).to_have_count(8)
    expect(rows.nth(0)).to_have_accessible_name(re.compile("^prepare, up to date"))
    rows.nth(0).focus()
    lab.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    lab.screenshots("pipeline-list")
    lab.pipeline.get_by_role("button", name="Show as graph").click()


def run_downstream(lab: Lab) -> None:
    """What follows one stage is run from its menu; forcing it asks with the number of stages."""
    lab.choose(lab.node("train@linear"), "Force Stage with What Follows")
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Run 3 stages")
    lab.screenshot("pipeline-force")
    lab.confirm("Keep")
    lab.choose(lab.node("train@linear"), "Run Stage with What Follows")
    has_state(lab.node("train@linear"), "fresh")
    has_state(lab.node("train@forest"), "stale")


def come_back(lab: Lab) -> None:
    """After a reload the tab is as it was left: unfolded, with the sheet, as it was zoomed."""
    drawing = lab.pipeline.locator(".jp-Mlops-dagWindow > svg > g")
    lab.execute("mlops:zoom-pipeline-in")
    before = drawing.get_attribute("transform")
    lab.reload()
    expect(lab.node("train@forest")).to_be_visible()
    expect(sheet(lab).get_by_role("heading", name="publish")).to_be_visible()
    assert drawing.get_attribute("transform") == before
    lab.execute("mlops:zoom-pipeline-to-fit")
    expect(lab.node("publish")).to_be_in_viewport(ratio=1)


def test_two_hundred_nodes(unopened: Lab, root: Path) -> None:
    """A large pipeline is drawn, walked through and zoomed; live states touch only their nodes."""
    folder = root / "large"
    folder.mkdir()
    (folder / "mlops.toml").write_text("", "utf-8")
    (folder / "dvc.yaml").write_text(large_pipeline(200), "utf-8")
    repository(folder)
    commit(folder)
    lab = opened(unopened, folder)
    page = lab.page
    lab.show_panel()
    with page.expect_worker():  # it is laid out beside the page
        lab.execute("mlops:open-pipeline")
    nodes = lab.pipeline.locator(".jp-Mlops-node")
    expect(nodes).to_have_count(200, timeout=RUN)
    lab.execute("mlops:zoom-pipeline-to-fit")
    for node in (nodes.first, nodes.last):
        expect(node).to_be_in_viewport(ratio=1)
    lab.screenshots("pipeline-large")
    nodes.first.focus()
    page.keyboard.press("ArrowRight")
    focused = lab.pipeline.locator(".jp-Mlops-node:focus")
    expect(focused).not_to_have_attribute("data-key", "s0")
    page.evaluate(WATCH_NODES)
    lab.choose(lab.node("s0"), "Run Stage")
    has_state(lab.node("s0"), "fresh")
    touched = page.evaluate("() => [...window.touched]")
    assert "s0" in touched
    # Besides the stage that ran, those that follow from it have other reasons to run.
    assert len(touched) < 20, touched
    workers.stop(folder)


#: Notes which nodes of the graph are changed.
WATCH_NODES = """() => {
    window.touched = new Set();
    new MutationObserver(records => records.forEach(({ target, attributeName }) => {
        const element = target.nodeType === 1 ? target : target.parentElement;
        const node = element?.closest('.jp-Mlops-node');
        if (node && !['tabindex', 'aria-pressed'].includes(attributeName)) {
            window.touched.add(node.dataset.key);
        }
    })).observe(document.querySelector('.jp-Mlops-dag'),
        { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def test_empty_and_broken(unopened: Lab, root: Path) -> None:
    """Where there is no pipeline, the panel begins one; what is wrong with it is told, and when."""
    folder = root / "unwired"
    folder.mkdir()
    (folder / "mlops.toml").write_text("", "utf-8")
    repository(folder)
    lab = opened(unopened, folder)
    panel = lab.show_panel()
    expect(panel.get_by_text("No pipeline yet.")).to_be_visible()
    lab.screenshots("pipeline-none")
    panel.get_by_role("button", name="Write dvc.yaml").click()
    expect(lab.page.locator(".jp-FileEditor:visible")).to_contain_text("dvc init")
    save = "window.jupyterapp.serviceManager.contents.save"
    wrong = "stages:\\n  a:\\n    cmd: echo\\n    deps: [\\n"
    lab.page.evaluate(
        f"async path => {{ await {save}(path, {{type: 'file', format: 'text', "
        f"content: '{wrong}'}}); }}",
        f"{folder.name}/dvc.yaml",
    )
    problem = panel.get_by_role("alert")
    expect(problem).to_contain_text("dvc.yaml")
    expect(problem).to_contain_text("since")
    lab.screenshots("pipeline-problem")
    (folder / "dvc.yaml").write_text(large_pipeline(3), "utf-8")
    problem.get_by_role("button", name="Retry").click()
    has_state(lab.stage("s0"), "stale")
    expect(problem).to_have_count(0)
    workers.stop(folder)


def test_cancel_by_palette(lab: Lab, wired: Path) -> None:
    """A stage is chosen and run by the palette, and the run is cancelled by it."""
    lab.show_panel()
    (wired / "hold").touch()
    dialog = lab.page.locator(".jp-Dialog")
    palette(lab, "Force Stage…", dialog)
    dialog.get_by_role("combobox").select_option("train@dummy")
    lab.confirm("Force Stage")
    group = lab.panel.locator(f'[data-group="{TRAIN}"]')
    has_state(group, "running")
    ended = lab.panel.locator('.jp-Mlops-pipelineTruth:not([data-status="running"])')
    palette(lab, "Cancel Pipeline Run", ended)
    (wired / "hold").unlink()
    palette(lab, "Show Why Stage Will Run…", dialog)
    dialog.get_by_role("combobox").select_option("train@dummy")
    lab.confirm("Show Why")
    expect(sheet(lab).locator(".jp-Mlops-why")).to_be_focused()
