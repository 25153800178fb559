"""A model version's tab: its card completed, named, followed to its data and compared."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, RUN, Lab, has_status

NOTEBOOK = "carded.ipynb"
TRAIN = """
import numpy as np
import pandas as pd
import jupyter_mlops as mlops
from sklearn.linear_model import LogisticRegression

table = pd.read_csv("data/carded.csv")
columns = ["hour", "distance", "wind", "rain", "delay", "age"]
train, valid = table.iloc[:80], table.iloc[80:]
model = LogisticRegression(C=rate).fit(train[columns], train["late"])
mlops.log(accuracy=model.score(valid[columns], valid["late"]))
"""
LOG = """
def featurize(requests):
    return requests[columns]

mlops.log_model(model, "carded", featurize=featurize, predict=lambda m, x: m.predict(x),
                data={"train": train, "validation": valid}, example=valid[columns],
                tags={"task": "risk of delay"})
"""


def write(root: Path) -> None:
    """Write a notebook that logs a model, and its data."""
    rows = [f"{n % 24},{n * 7 % 900},{n % 5},{n % 3},{n % 7},{n % 11},{n % 2}" for n in range(120)]
    text = "\n".join(["hour,distance,wind,rain,delay,age,late", *rows])
    (root / PROJECT / "data" / "carded.csv").write_text(text, "utf-8")
    write_notebook(root / PROJECT / NOTEBOOK, "rate: float = 1.0", TRAIN, LOG)


def test_a_model_version(lab: Lab, root: Path) -> None:
    """Two runs are registered; the card of one is read, completed, followed and compared."""
    write(root)
    lab.show_panel()
    for rate in ("1.0", "0.01"):
        has_status(lab.run(NOTEBOOK, rate=rate), "succeeded")
    register(lab, lab.sweeps(NOTEBOOK).nth(1), alias="champion")
    register(lab, lab.newest(NOTEBOOK))
    row = lab.panel.locator('.jp-Mlops-model[data-model="carded"][data-version="1"]')
    expect(row).to_contain_text("/8")
    row.focus()
    lab.page.keyboard.press("Enter")
    tab = lab.page.locator(".jp-Mlops-modelPanel:visible")
    read_the_card(lab, tab)
    complete_it(lab, tab)
    name_it(lab, tab)
    follow_it(lab, tab)
    compare_it(lab, tab)
    lab.execute("application:toggle-left-area")  # the tab does not live from the panel
    lab.reload()
    shown = tab.get_by_role("tab", name="Compare")
    expect(shown).to_have_attribute("aria-selected", "true", timeout=RUN)
    expect(tab.get_by_role("heading", name="carded")).to_be_visible()


def register(lab: Lab, row: Locator, alias: str = "") -> None:
    """Register the model of a run by the menu of its row."""
    lab.choose(row, "Register Model…")
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    expect(dialog.get_by_label("Model name")).to_have_value("carded")
    dialog.get_by_label("Alias (optional)").fill(alias)
    if alias:
        lab.screenshots("model-register")
    dialog.get_by_role("button", name="Register").click()
    dialog.wait_for(state="detached", timeout=RUN)


def part(tab: Locator, name: str) -> Locator:
    """A part of the card."""
    return tab.locator(f'.jp-Mlops-cardParts > li[data-part="{name}"]')


def read_the_card(lab: Lab, tab: Locator) -> None:
    """See how complete each part is, and open one by keyboard."""
    head = tab.get_by_role("region", name="Summary")
    expect(head).to_contain_text("complete")
    expect(head).to_contain_text("@champion")
    expect(part(tab, "definition")).to_have_attribute("data-status", "present")
    expect(part(tab, "definition")).to_contain_text("LogisticRegression")
    expect(part(tab, "tags")).to_have_attribute("data-status", "partial")
    expect(part(tab, "tags")).to_contain_text("partial: Tag it")
    part(tab, "functions").locator("summary").focus()
    lab.page.keyboard.press("Enter")
    expect(part(tab, "functions")).to_contain_text("return requests[columns]")
    lab.screenshots("model-card")


def complete_it(lab: Lab, tab: Locator) -> None:
    """Say what is missing in the dialog that the line offers."""
    part(tab, "tags").get_by_role("button", name="Describe…").click()
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    expect(dialog.get_by_label("Task")).to_have_value("risk of delay")
    dialog.get_by_label("Owner").fill("ada")
    dialog.get_by_label("Stakeholders").fill("dispatch, crew")
    dialog.get_by_label("Notes").fill("Fit for summer.\nNot for snow.")
    lab.screenshot("model-describe")
    dialog.get_by_role("button", name="Save").click()
    expect(part(tab, "tags")).to_have_attribute("data-status", "present")
    expect(tab).to_contain_text("Not for snow.")


def name_it(lab: Lab, tab: Locator) -> None:
    """Point an alias at it and say why; the card tells who did it."""
    tab.get_by_role("button", name="Set alias…").click()
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    dialog.get_by_label("Alias").fill("challenger")
    dialog.get_by_label("Why (optional)").fill("better in November")
    dialog.get_by_role("button", name="Set").click()
    expect(tab.get_by_role("region", name="Summary")).to_contain_text("@challenger")
    expect(tab.locator(".jp-Mlops-history li").first).to_contain_text("better in November")
    lab.screenshots("model-aliases")


def follow_it(lab: Lab, tab: Locator) -> None:
    """Walk from the version back to its data, by keyboard."""
    page = lab.page
    tab.get_by_role("tab", name="Card").focus()
    page.keyboard.press("ArrowRight")
    own = tab.locator('[data-key="version:carded/1"]')
    expect(own).to_have_attribute("aria-current", "true")
    own.focus()
    page.keyboard.press("ArrowLeft")
    run = tab.locator('[data-lineage="run"]')
    expect(run).to_be_focused()
    page.keyboard.press("ArrowLeft")
    features = tab.locator('[data-lineage="feature"]')
    expect(features).to_be_focused()
    expect(features).to_contain_text("6 features")
    lab.screenshots("model-lineage")
    features.focus()  # another theme may take the focus away
    page.keyboard.press("Enter")
    expect(features).to_have_count(6)
    lab.screenshots("model-lineage-unfolded")
    run.click()
    expect(page.locator(".jp-Mlops-runPanel:visible")).to_contain_text(NOTEBOOK)
    page.locator(".lm-TabBar-tab", has_text="carded v1").click()


def compare_it(lab: Lab, tab: Locator) -> None:
    """See what differs from the other version, and what does not."""
    tab.get_by_role("tab", name="Compare").click()
    rows = tab.locator(".jp-Mlops-comparison tbody tr")
    changed = rows.filter(has_text="hyperparameters.C")
    expect(changed).to_contain_text("0.01")
    expect(tab.locator('[data-differs="false"]')).to_have_count(0)
    tab.get_by_label("Show what is the same, too").check()
    expect(tab.locator('[data-differs="false"]').first).to_be_attached()
    tab.get_by_label("Show what is the same, too").uncheck()
    lab.screenshots("model-compare")
