"""The main job in a browser: a sweep of the example's training notebook, from form to model."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.ui.driver import RUN, Lab, has_status


def test_sweep_from_form_to_model(lab: Lab) -> None:
    """A sweep is asked for by the form, watched, charted, opened and its best run registered."""
    panel = lab.show_panel()
    expect(panel.get_by_text("No runs yet.")).to_be_visible()
    expect(panel.get_by_role("button", name="Try the example")).to_be_visible()
    lab.screenshots("panel-empty")
    has_status(lab.run("01_prepare.ipynb", source="sample"), "succeeded")

    ask_for_four_runs(lab)
    watch_them(lab)
    tab = look_at_the_sweep(lab)
    register_the_best(lab, tab)
    open_an_output(lab, tab)


def ask_for_four_runs(lab: Lab) -> None:
    """Fill in the form with a space of four points, and run it."""
    form = lab.ask_to_run("02_train.ipynb")
    expect(lab.field("max_depth")).to_have_value("3")
    lab.field("max_depth").fill("2, 3")
    form.get_by_role("button", name="false", exact=True).click()
    expect(lab.field("use_weather")).to_have_value("true, false")
    lab.field("max_iter").fill("20")
    form.get_by_label("Rank by").fill("auc")
    form.get_by_label("Best value").select_option("highest")
    expect(form.get_by_text("4 runs", exact=True)).to_be_visible()
    lab.screenshots("form")
    lab.submit(4)


def watch_them(lab: Lab) -> None:
    """See the runs begin and end, and the notification; open the tab from it."""
    sweep = lab.newest("02_train.ipynb")
    has_status(sweep, "running")
    expect(lab.panel.locator(".jp-Mlops-truth")).to_contain_text("running")
    expect(lab.runs()).not_to_have_count(0)
    lab.screenshots("panel-running")
    has_status(sweep, "succeeded", 2 * RUN)
    expect(sweep).to_contain_text("best auc 0.")
    expect(lab.runs()).to_have_count(4)
    toast = lab.page.locator(".Toastify__toast", has_text="4 runs succeeded")
    toast.get_by_role("button", name="Open").click()


def look_at_the_sweep(lab: Lab) -> Locator:
    """See the table with the best run marked, and the chart."""
    tab = lab.page.locator(".jp-Mlops-sweepPanel")
    expect(tab.get_by_role("heading", name="02_train.ipynb")).to_be_visible()
    rows = tab.locator("tbody tr.jp-Mlops-run")
    expect(rows).to_have_count(4)
    expect(tab.locator('tr[data-best="true"]')).to_have_count(1)
    expect(tab.locator(".jp-Mlops-drawing svg, .jp-Mlops-drawing canvas").first).to_be_visible()
    rows.nth(2).click()
    expect(rows.nth(2)).to_have_attribute("aria-selected", "true")
    lab.screenshots("sweep")
    return tab


def register_the_best(lab: Lab, tab: Locator) -> None:
    """Register the best run's model under an alias, and see it among the models."""
    tab.get_by_role("button", name="Register best…").click()
    dialog = lab.page.locator(".jp-Mlops-registerDialog")
    dialog.get_by_label("Model name").fill("late-flights")
    dialog.get_by_label("Alias (optional)").fill("champion")
    lab.screenshots("register")
    dialog.get_by_role("button", name="Register").click()
    model = lab.panel.locator(".jp-Mlops-model", has_text="late-flights")
    expect(model).to_contain_text("v1")
    expect(model).to_contain_text("@champion")
    lab.screenshots("panel")


def open_an_output(lab: Lab, tab: Locator) -> None:
    """Open the best run, and what it has written, with its parameters in it."""
    tab.locator('tr[data-best="true"]').dblclick()
    run = lab.page.locator(".jp-Mlops-runPanel:visible")
    expect(run.get_by_role("list", name="Parameters")).to_contain_text("max_iter 20")
    lab.screenshots("run-succeeded")
    run.get_by_role("button", name="Open notebook").click()
    notebook = lab.page.locator(".jp-NotebookPanel:visible")
    expect(notebook.get_by_text("max_iter = 20").first).to_be_attached()
