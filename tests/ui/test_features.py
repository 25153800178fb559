"""The catalog of features: searched in the panel, computed, looked into and used from its tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.support import workers
from tests.support.catalog import write_group
from tests.ui.catalogued import BROKEN, write_catalog, write_many
from tests.ui.driver import RUN, Lab, has_status
from tests.ui.feature_views import open_feature, row, search, succeeds, tab, title, unfold
from tests.ui.test_ways import palette

DELAY = "delays.delay_yesterday"


@pytest.fixture(scope="module")
def catalog(root: Path) -> Iterator[Path]:
    """A project with features of all kinds."""
    folder = root / "catalogued"
    write_catalog(folder)
    yield folder
    workers.stop(folder)


@pytest.fixture
def lab(lab: Lab, catalog: Path) -> Lab:
    """JupyterLab in the project of the features."""
    lab.project = catalog.name
    lab.open()
    return lab


def test_find_a_feature(lab: Lab, catalog: Path) -> None:
    """The section tells how many there are; letters narrow the list, and keys lead through it."""
    lab.show_panel()
    expect(title(lab)).to_contain_text("Features 7")
    expect(title(lab)).to_have_attribute("aria-expanded", "false")
    lab.screenshots("features-folded")
    view = unfold(lab)
    rows = lab.panel.locator(".jp-Mlops-feature")
    expect(rows).to_have_count(7)
    delay = row(lab, DELAY)
    expect(delay).to_contain_text("never computed · Mean delay of a carrier")
    expect(delay).to_contain_text("ops")
    expect(delay.locator(".jp-Mlops-status")).to_have_accessible_name("never computed")
    expect(row(lab, "delays.late_after")).to_contain_text("on demand")
    view = unfold(lab, alone=True)
    lab.screenshots("features-section")
    overflow = "each => each.parentElement.scrollWidth - each.parentElement.clientWidth"
    assert view.evaluate(overflow) <= 0
    field = search(lab)
    for text, names in (
        ("yesterday", [DELAY, "delays.flights_yesterday"]),
        ("owner:planning", ["longest_distance", "farthest", "flights_yesterday"]),
        ("owner:plann", ["longest_distance", "farthest", "flights_yesterday"]),
        ("tag:delay people", ["mood"]),
        ("crew gets", ["bonus"]),
    ):
        field.fill(text)
        expect(rows).to_have_count(len(names))
        for at, name in enumerate(names):
            expect(rows.nth(at)).to_contain_text(name)
    field.fill("delay")
    expect(view.get_by_role("status").first).to_have_text("5 of 7")
    lab.screenshots("features-found")
    field.fill("nobody")
    expect(view).to_contain_text("No feature matches “nobody”.")
    offered = view.locator("datalist option").evaluate_all("all => all.map(each => each.value)")
    assert {"owner:crew", "entity:carrier", "tag:daily"} <= set(offered)
    field.press("Escape")
    expect(field).to_have_value("")
    expect(rows).to_have_count(7)
    by_keyboard(lab, rows)


def by_keyboard(lab: Lab, rows: Locator) -> None:
    """Tab leads from the field to the rows, arrows through them, Enter opens."""
    page = lab.page
    search(lab).focus()
    page.keyboard.press("Tab")
    expect(rows.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(rows.nth(6)).to_be_focused()
    page.keyboard.press("Shift+F10")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("Insert Feature into Notebook")).to_be_visible()
    expect(menu.get_by_text("Check Feature")).to_be_visible()
    # What depends on the request is not computed in advance.
    expect(menu.get_by_text("Compute Feature", exact=True)).to_be_hidden()
    page.keyboard.press("Escape")
    expect(rows.nth(6)).to_be_focused()
    page.keyboard.press("Enter")
    expect(tab(lab)).to_contain_text("on demand")
    expect(tab(lab)).to_contain_text("from the request: threshold", timeout=RUN)
    lab.screenshots("feature-on-demand")


def test_problems_come_first(lab: Lab, catalog: Path) -> None:
    """A definition that is wrong is told before the others, with its line, and can be opened."""
    view = unfold(lab)
    path = write_group(catalog, "broken", BROKEN)
    lab.execute("mlops:refresh")
    problems = view.get_by_role("list", name="Definitions that are wrong")
    expect(problems).to_contain_text("broken.slow")
    expect(title(lab)).to_contain_text("1 problem")
    unfold(lab, alone=True)
    lab.screenshots("features-problem")
    problems.get_by_role("button", name="broken.slow").click()
    editor = lab.page.locator(".jp-FileEditor:visible .cm-content")
    expect(editor).to_contain_text("def slow")
    path.write_text("# Nothing yet.\n", "utf-8")
    lab.execute("mlops:refresh")
    expect(problems).to_have_count(0)


def test_compute_and_read(lab: Lab, catalog: Path) -> None:
    """A feature is computed from its row, and its tab tells what was measured."""
    unfold(lab)
    lab.choose(row(lab, DELAY), "Compute Feature")
    succeeds(lab)
    expect(row(lab, DELAY)).to_have_attribute("data-state", "fresh")
    shown = open_feature(lab, DELAY)
    head = shown.get_by_role("region", name="Summary")
    expect(head.get_by_role("status")).to_contain_text("fresh")
    expect(head).to_contain_text(re.compile(r"computed .*\d s, [\d.]+ MB for 360 rows"))
    expect(head).to_contain_text("newest value")
    expect(head).to_contain_text("not online")
    values = shown.get_by_role("region", name="Values")
    expect(values.get_by_role("img")).to_have_accessible_name(
        re.compile("Histogram of 360 values, from 6.5 to 23.5, most of them")
    )
    expect(values).to_contain_text("No value is missing.")
    about = shown.get_by_role("region", name="About")
    for text in ("ops", "carrier", "7 d", "1 d", "daily", "month"):
        expect(about).to_contain_text(text)
    sources = shown.get_by_role("region", name="Sources")
    expect(sources).to_contain_text("Departures by hour")
    code = shown.get_by_role("region", name="Code")
    expect(code).to_contain_text("def delay_yesterday(daily: pd.DataFrame)")
    # JupyterLab's renderer has coloured it.
    expect(code.locator("pre span").first).to_be_visible()
    expect(shown.get_by_role("region", name="Checks")).to_contain_text("check_output(range=")
    lab.screenshots("feature")
    sizes(lab, shown)
    values.get_by_text("As a table").click()
    expect(values.get_by_role("row")).to_have_count(21)
    edit_the_module(lab, code)


def sizes(lab: Lab, shown: Locator) -> None:
    """Nothing sticks out of a narrow tab, and a wide one has two columns."""
    page = lab.page
    body = shown.locator(".jp-Mlops-featureBody")
    for width in (2000, 700, 560):
        page.set_viewport_size({"width": width, "height": 1000})
        overflow = body.evaluate("each => each.scrollWidth - each.clientWidth")
        assert overflow <= 0, f"{overflow} px at {width}"
        lab.screenshots(f"feature-{width}")
    page.set_viewport_size({"width": 1400, "height": 900})


def edit_the_module(lab: Lab, code: Locator) -> None:
    """The module opens at the feature's line; when it was changed, the feature is stale."""
    page = lab.page
    code.get_by_role("button", name="features/delays.py, line").click()
    editor = page.locator(".jp-FileEditor:visible .cm-content")
    expect(editor).to_contain_text("def delay_yesterday")
    expect(page.get_by_text(re.compile(r"Ln \d\d, Col 1"))).to_be_visible()
    editor.get_by_text('return daily["mean"]').click()
    page.keyboard.press("End")
    page.keyboard.type(" + 0")
    lab.execute("docmanager:save")
    expect(row(lab, DELAY)).to_have_attribute("data-state", "stale")
    expect(row(lab, DELAY)).to_contain_text("stale: its code was changed")
    lab.screenshots("features-stale")
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    expect(tab(lab).get_by_role("status")).to_contain_text("stale: its code was changed")


def test_what_one_may_not_read(lab: Lab, catalog: Path) -> None:
    """Of a restricted feature all is shown but its values, and whom to ask for them."""
    shown = open_feature(lab, "delays.bonus")
    values = shown.get_by_role("region", name="Values")
    expect(values).to_contain_text("restricted")
    expect(values).to_contain_text("Ask crew, its owner.")
    expect(values.get_by_role("img")).to_have_count(0)
    expect(shown.get_by_role("region", name="Code")).to_contain_text("def bonus")
    lab.screenshots("feature-restricted")
    lab.provoked = "status of 4"  # the server refuses what comes now
    shown.get_by_role("button", name="Compute", exact=True).click()
    expect(lab.page.locator(".Toastify__toast").last).to_contain_text("may not read")


def test_insert_into_a_notebook(lab: Lab, catalog: Path) -> None:
    """The lines that fetch a feature come into a new cell below the active one."""
    page = lab.page
    shown = open_feature(lab, DELAY)
    insert = shown.get_by_role("button", name="Insert into notebook")
    insert.click()
    message = page.locator(".Toastify__toast").last
    expect(message).to_contain_text("No notebook is open.")
    expect(message.get_by_role("button", name="Copy the lines")).to_be_visible()
    lab.screenshots("feature-no-notebook")
    lab.execute("docmanager:open", {"path": f"{catalog.name}/look.ipynb"})
    cells = page.locator(".jp-Notebook:visible .jp-Cell")
    cells.nth(1).click()
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    insert.click()
    expect(cells).to_have_count(4)
    expect(cells.nth(2)).to_contain_text(f'training_set(entities, ["{DELAY}"])')
    expect(cells.nth(2)).to_have_class(re.compile("jp-mod-active"))
    expect(cells.nth(1)).to_contain_text("first = x")
    lab.screenshots("feature-inserted")


def test_models_and_back(lab: Lab, catalog: Path) -> None:
    """From a feature to the models that were trained with it, back again, and compared with it."""
    unfold(lab)
    for name in (DELAY, "delays.flights_yesterday", "delays.mood"):
        lab.choose(row(lab, name), "Compute Feature")
        succeeds(lab)
        lab.execute("application:close")
    has_status(lab.run("train.ipynb"), "succeeded")
    lab.choose(lab.newest("train.ipynb"), "Register Model…")
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    dialog.get_by_label("Model name").fill("delays")
    dialog.get_by_label("Alias (optional)").fill("champion")
    dialog.get_by_role("button", name="Register").click()
    dialog.wait_for(state="detached", timeout=RUN)
    shown = open_feature(lab, DELAY)
    used = shown.get_by_role("region", name="Used by")
    expect(used).to_contain_text("delays v1", timeout=RUN)
    expect(used).to_contain_text("@champion")
    expect(used).to_contain_text("trained with it")
    walk_the_lineage(lab, shown)
    from_the_model(lab)
    compare(lab)


def walk_the_lineage(lab: Lab, shown: Locator) -> None:
    """From the feature to its source and to the model, by keyboard; each opens its own tab."""
    page = lab.page
    lineage = shown.get_by_role("region", name="Lineage")
    own = lineage.locator(f'[data-key="feature:{DELAY}"]')
    expect(own).to_have_attribute("aria-current", "true")
    own.scroll_into_view_if_needed()
    lab.screenshots("feature-lineage")
    own.focus()
    page.keyboard.press("ArrowLeft")
    expect(lineage.locator('[data-key="source:flights"]')).to_be_focused()
    page.keyboard.press("ArrowRight")
    lineage.locator('[data-key="feature:delays.mood"]').click()
    mood = tab(lab)
    expect(mood.get_by_role("heading", name="delays.mood")).to_be_visible()
    expect(mood.get_by_role("region", name="Values")).to_contain_text("Most frequent values")
    lab.screenshots("feature-words")
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    lineage.locator('[data-key="version:delays/1"]').click()
    expect(page.locator(".jp-Mlops-modelPanel:visible")).to_contain_text("@champion")


def from_the_model(lab: Lab) -> None:
    """The card and the lineage of the model lead to the feature."""
    page = lab.page
    model = page.locator(".jp-Mlops-modelPanel:visible")
    part = model.locator('.jp-Mlops-cardParts > li[data-part="data"]')
    expect(part).to_contain_text("2 features")
    part.locator("summary").click()
    part.get_by_role("button", name="delays.flights_yesterday").click()
    heading = tab(lab).get_by_role("heading", name="delays.flights_yesterday")
    expect(heading).to_be_visible()
    page.locator(".lm-TabBar-tab", has_text="delays v1").click()
    lab.screenshots("model-card-features")
    model.get_by_role("tab", name="Lineage").click()
    node = model.locator(f'[data-key="feature:{DELAY}"]')
    expect(node).to_have_attribute("aria-disabled", "false")
    lab.screenshots("model-lineage-features")
    node.click()
    expect(tab(lab).get_by_role("heading", name=DELAY)).to_be_visible()


def compare(lab: Lab) -> None:
    """The feature is compared with training and online with offline; the tab tells the outcome."""
    page = lab.page
    shown = tab(lab)
    shown.get_by_role("button", name="Compare with training…").click()
    dialog = page.locator(".jp-Mlops-registerDialog")
    expect(dialog.get_by_label("Model version")).to_have_value("delays/1")
    lab.screenshots("feature-drift-form")
    dialog.get_by_role("button", name="Compare").click()
    dialog.wait_for(state="detached")
    succeeds(lab)
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    checks = shown.get_by_role("region", name="Checks")
    drift = checks.locator('[data-finding="drift"]')
    expect(drift).to_have_attribute("data-good", "true")
    shown.get_by_role("button", name="Compute online").click()
    succeeds(lab)
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    expect(shown.get_by_role("region", name="Summary")).to_contain_text("online since")
    shown.get_by_role("button", name="Check", exact=True).click()
    succeeds(lab)
    page.locator(".lm-TabBar-tab", has_text=DELAY).click()
    checked = checks.locator('[data-finding="checked"]')
    expect(checked).to_have_attribute("data-good", "true")
    checks.scroll_into_view_if_needed()
    lab.screenshots("feature-checked")
    lab.reload()
    expect(tab(lab).get_by_role("heading", name=DELAY)).to_be_visible(timeout=RUN)
    expect(title(lab)).to_have_attribute("aria-expanded", "true")


def test_from_the_palette(lab: Lab, catalog: Path) -> None:
    """Where no feature has the focus, a command asks which; one is found by a few letters."""
    page = lab.page
    chooser = page.locator(".jp-Mlops-chooserDialog")
    palette(lab, "Open Feature…", chooser)
    field = chooser.get_by_role("combobox", name="Search features")
    expect(field).to_be_focused()
    expect(chooser.get_by_role("option")).to_have_count(7, timeout=RUN)
    lab.screenshots("feature-chooser")
    page.keyboard.type("mean delay")
    expect(chooser.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(tab(lab).get_by_role("heading", name=DELAY)).to_be_visible()
    # Now it has the focus.
    palette(lab, "Open Module of Feature", page.locator(".jp-FileEditor:visible"))
    palette(lab, "Search Features", search(lab))
    expect(search(lab)).to_be_focused()
    expect(title(lab)).to_have_attribute("aria-expanded", "true")


def test_no_feature_yet(lab: Lab, root: Path) -> None:
    """An empty catalog says what to do, and a first module can be written from there."""
    folder = workers.make_project(root / "featureless")
    lab.project = folder.name
    lab.open()
    view = unfold(lab)
    expect(view).to_contain_text("No features yet.")
    lab.screenshots("features-none")
    view.get_by_role("button", name="Write a first feature").click()
    editor = lab.page.locator(".jp-FileEditor:visible .cm-content")
    expect(editor).to_contain_text("Features: each function is one")
    workers.stop(folder)


def test_five_hundred(lab: Lab, root: Path) -> None:
    """A large catalog has as few rows in the document as a small one, whatever is typed."""
    folder = root / "many"
    write_many(folder, 500)
    lab.project = folder.name
    lab.open()
    unfold(lab, alone=True)
    expect(title(lab)).to_contain_text("Features 500")
    rows = lab.panel.locator("[role=treeitem].jp-Mlops-feature")
    expect(rows.first).to_contain_text("f0000")
    assert rows.count() < 60
    elements = lab.panel.locator("*").count()
    field = search(lab)
    field.focus()
    for letter in "number 4":
        lab.page.keyboard.type(letter)
        assert lab.panel.locator("*").count() <= elements + 50
    expect(rows.first).to_contain_text("f0004")
    expect(lab.panel.get_by_text("of 500")).to_be_visible()
    lab.screenshots("features-many")
    field.press("Escape")
    expect(rows.first).to_contain_text("f0000")
    rows.first.focus()
    lab.page.keyboard.press("End")
    last = row(lab, "group09.f0499")
    expect(last).to_be_focused()
    assert rows.count() < 60
    lab.page.keyboard.press("PageUp")
    expect(row(lab, "group09.f0499")).not_to_be_focused()
    lab.page.keyboard.press("Home")
    expect(row(lab, "group00.f0000")).to_be_focused()
    workers.stop(folder)
