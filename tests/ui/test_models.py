"""The section of models: found by what is known of them, walked through by the keyboard."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from playwright.sync_api import Locator, expect

from jupyter_mlops import api
from tests.support.notebooks import write_notebook
from tests.support.tracked import MLFLOW_WARNING
from tests.ui.driver import PROJECT, RUN, Lab, has_status
from tests.ui.test_ways import palette

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

NOTEBOOK = "modelled.ipynb"
MODEL = """\
import mlflow, jupyter_mlops as mlops
from mlflow.pyfunc import PythonModel

class Double(PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * each for each in model_input]

mlops.log(auc=0.6 + depth / 100)
mlflow.pyfunc.log_model(name='model', python_model=Double(), pip_requirements=[])
"""


def test_find_a_model(lab: Lab, root: Path) -> None:
    """Versions are listed with aliases and completeness, and found by owner, tag and metric."""
    write_notebook(root / PROJECT / NOTEBOOK, "depth: int = 3", MODEL)
    lab.show_panel()
    sweep = lab.run(NOTEBOOK, 2, depth="3,13")
    has_status(sweep, "succeeded")
    choose_the_best(lab, sweep)
    register(str(sweep.get_attribute("data-key")), root / PROJECT)
    lab.execute("mlops:refresh")
    look(lab)
    find(lab)
    by_keyboard(lab)


def choose_the_best(lab: Lab, sweep: Locator) -> None:
    """A sweep that is not ranked by a metric lets the user choose what is registered."""
    lab.choose(sweep, "Register Best…")
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    choice = dialog.get_by_label("The runs are not ranked by a metric. Choose the best:")
    button = dialog.get_by_role("button", name="Register")
    expect(choice).to_be_focused()
    expect(button).to_be_disabled()
    choice.select_option(label="highest auc 0.73 · depth=13")
    dialog.get_by_label("Model name").fill("chosen")
    lab.screenshots("register-choice")
    button.click()
    row = versions(lab, "chosen")
    expect(row).to_have_count(1, timeout=RUN)
    lab.choose(row, "Open Run of Model")
    parameters = lab.page.locator(".jp-Mlops-runPanel:visible").get_by_role(
        "list", name="Parameters"
    )
    expect(parameters).to_contain_text("depth 13")


def register(sweep: str, project: Path) -> None:
    """Register five versions of one model and one of another."""
    for version in range(1, 6):
        api.register(
            "delays",
            f"{sweep}-{1 + version % 2}",
            alias={1: "champion", 5: "challenger"}.get(version),
            tags={"owner": "ada", "task": "delay"},
            project=project,
        )
    tags = {"owner": "Bo Smith", "stakeholders": "ops, sales", "stage": "tested"}
    api.register("demand", f"{sweep}-1", tags=tags, project=project)
    client = mlflow.MlflowClient(f"sqlite:///{project}/.mlops/mlflow.db")
    client.set_model_version_tag("delays", "5", "mlops.complete", "6")


def versions(lab: Lab, name: str) -> Locator:
    """The rows of a model."""
    return lab.panel.locator(f'.jp-Mlops-model[data-model="{name}"]')


def look(lab: Lab) -> None:
    """The newest versions are listed, those with an alias always, and the others on demand."""
    delays = versions(lab, "delays")
    expect(delays).to_have_count(4)
    expect(delays.first).to_contain_text("v5")
    expect(delays.first).to_contain_text("@challenger")
    expect(delays.last).to_contain_text("v1")
    expect(delays.last).to_contain_text("@champion")
    complete = delays.first.locator(".jp-Mlops-complete")
    expect(complete).to_have_text("6/8")
    expect(complete).to_have_accessible_name("6 of 8 parts complete")
    lab.screenshots("models")
    older = lab.panel.get_by_text("1 older version of delays")
    older.click()
    expect(delays).to_have_count(5)
    expect(older).to_have_count(0)


def find(lab: Lab) -> None:
    """The button shows a field, in which owners, tags and comparisons can be typed."""
    lab.panel.get_by_role("button", name="Filter by name, owner").click()
    field = lab.panel.get_by_role("combobox", name="Filter models")
    expect(field).to_be_focused()
    for text, delays, demand in (
        ("owner:ada", 5, 0),
        ('owner:"bo smith"', 0, 1),
        ("stakeholder:sales", 0, 1),
        ("tag:stage=tested", 0, 1),
        ("auc > 0.7", 3, 0),
        ("task:delay @champion", 1, 0),
    ):
        field.fill(text)
        expect(versions(lab, "delays")).to_have_count(delays)
        expect(versions(lab, "demand")).to_have_count(demand)
    lab.screenshots("models-filtered")
    field.fill("nobody")
    expect(lab.panel).to_contain_text("No model matches “nobody”.")
    offered = lab.panel.locator("datalist option")
    values = offered.evaluate_all("options => options.map(each => each.value)")
    assert {"@champion", "owner:ada", 'owner:"Bo Smith"', "tag:stage=tested"} <= set(values)


def by_keyboard(lab: Lab) -> None:
    """The palette opens the field though the section is folded; arrows lead through the rows."""
    page = lab.page
    page.keyboard.press("Escape")
    field = lab.panel.get_by_role("combobox", name="Filter models")
    expect(field).to_have_count(0)
    expect(versions(lab, "delays")).to_have_count(5)
    # Other tests of this server have left models, too.
    expect(lab.panel.locator(".jp-Mlops-model").first).to_be_focused()
    lab.panel.locator(".jp-AccordionPanel-title", has_text="Models").click()
    expect(versions(lab, "delays").first).to_be_hidden()
    palette(lab, "Filter Models", field)
    expect(field).to_be_focused()
    page.keyboard.type("delays")
    expect(versions(lab, "demand")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(versions(lab, "delays").first).to_be_focused()
    page.keyboard.press("End")
    expect(versions(lab, "delays").last).to_be_focused()
    page.keyboard.press("Shift+F10")
    expect(page.locator(".lm-Menu").get_by_text("Set Alias…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(versions(lab, "delays").last).to_be_focused()
