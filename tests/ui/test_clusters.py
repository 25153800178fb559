"""Runs on a cluster: chosen in the form, named in the run's tab, and watched in the panel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from jupyter_mlops.app.client import Client
from tests.support import workers
from tests.support.dask_cluster import Cluster, cluster
from tests.ui.driver import RUN, Lab, has_status

NAME = "sent away"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of two nodes."""
    with cluster(tmp_path / "cluster", "a", "b", dashboard=True) as made:
        yield made


@pytest.fixture
def away(root: Path, nodes: Cluster) -> Iterator[Client]:
    """A project that may send its runs there."""
    settings = f'[dask]\naddress = "{nodes.address}"\n[executors.moon]\n'
    folder = workers.make_project(root / NAME, settings)
    (folder / "gate").unlink(missing_ok=True)
    # A page that closes last has it started again, with the settings of the test before.
    workers.stop(folder)
    with workers.worker(folder) as client:
        cell = "import pathlib, time\nwhile not pathlib.Path('gate').exists(): time.sleep(0.1)"
        workers.write(client, "x: int = 1", cell)
        yield client


def unfold(panel: Locator) -> Locator:
    """Open the section of the environment by the keyboard."""
    title = panel.locator(".jp-AccordionPanel-title", has_text="Environment")
    expect(title).to_have_attribute("aria-expanded", "false")
    title.press("Enter")
    expect(title).to_have_attribute("aria-expanded", "true")
    return title


def choose_place(form: Locator) -> Locator:
    """Unfold where the form asks for a place, and send the runs to the cluster."""
    form.get_by_role("button", name="Resources and retries, where to run").click()
    place = form.get_by_label("Where to run")
    expect(place.locator("option").nth(2)).to_be_disabled()
    expect(place).to_have_value("local")
    expect(form.locator(".jp-Mlops-estimate")).to_have_text(re.compile(r" on \d+ cores?$"))
    place.select_option("dask")
    return form.locator(".jp-Mlops-estimate")


def can_be_reached(lab: Lab, link: Locator, title: Locator) -> None:
    """Go from a section's title to a link by the keyboard."""
    title.focus()
    for _ in range(4):
        lab.page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            return
    expect(link).to_be_focused()


def show(lab: Lab) -> tuple[Locator, Locator]:
    """Open the project; return the section's title, and what it tells of the cluster."""
    lab.project = NAME
    lab.open()
    panel = lab.show_panel()
    return unfold(panel), panel.get_by_role("region", name="dask")


def test_runs_are_sent_to_a_cluster(unopened: Lab, away: Client, nodes: Cluster) -> None:
    """A sweep goes where the form says; nodes are shown as they come, work, and go."""
    lab = unopened
    title, section = show(lab)
    expect(section).to_contain_text("Its nodes show here as soon as runs are sent there.")
    form = lab.ask_to_run("train.ipynb")
    lab.field("x").fill("1, 2, 3")
    expect(choose_place(form)).to_have_text("time unknown, on dask")
    lab.screenshots("form-clusters")
    lab.submit(3)

    rows = section.get_by_role("table", name="Nodes of dask").locator("tbody tr")
    expect(rows).to_have_count(2, timeout=RUN)
    expect(rows.first.get_by_role("rowheader")).to_have_text(re.compile("^a on "))
    expect(rows.locator("td:nth-child(2)")).to_have_text(["1/1", "1/1"], timeout=RUN)
    expect(rows.locator("td:nth-child(3)")).to_have_text(["2.00 GB", "2.00 GB"])
    truth = lab.panel.locator(".jp-Mlops-header").get_by_role("status")
    cores = truth.get_by_title("Cores of dask: 2 by this project, of 2")
    expect(cores).to_have_text("2/2 cores", timeout=RUN)
    link = section.get_by_role("link", name="Dashboard of dask")
    expect(link).to_have_attribute("href", re.compile(r"^http://127\.0\.0\.1:\d+/status$"))
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    can_be_reached(lab, link, title)
    lab.screenshots("environment")

    nodes.kill("b")
    expect(rows).to_have_count(1, timeout=RUN)
    nodes.add("c")
    expect(rows).to_have_count(2, timeout=RUN)
    (away.project.root / "gate").touch()
    has_status(lab.newest("train.ipynb"), "succeeded")
    lab.runs().first.click()
    head = lab.page.locator(".jp-Mlops-runPanel:visible .jp-Mlops-sweepHead")
    expect(head).to_contain_text(re.compile("on [ac] on "))
    form = lab.ask_to_run("train.ipynb")
    lab.field("x").fill("1, 2, 3, 4")
    expect(choose_place(form)).to_have_text(re.compile("^about .* on 2 cores of dask$"))


def test_a_scheduler_that_goes_away(unopened: Lab, away: Client, nodes: Cluster) -> None:
    """The panel says so where it says what is wrong, and goes on when it is back."""
    lab = unopened
    title, section = show(lab)
    rows = section.get_by_role("table", name="Nodes of dask").locator("tbody tr")
    expect(title).to_have_text("Environment · 1 problem")
    moon = lab.panel.get_by_role("region", name="moon")
    expect(moon).to_contain_text("There is no executor moon")
    sweep = workers.submit(away, space={"x": "1..3"}, executor="dask")
    workers.started(away, sweep.id, 3)
    expect(rows).to_have_count(2, timeout=RUN)
    nodes.kill("scheduler")
    truth = lab.panel.locator(".jp-Mlops-header").get_by_role("status")
    lost = re.compile("connection to the Dask scheduler was lost|scheduler does not answer")
    expect(truth).to_contain_text(lost, timeout=RUN)
    expect(section).to_contain_text(lost)
    expect(title).to_have_text("Environment · 2 problems")
    lab.screenshots("environment-away")
    nodes.start_again()
    nodes.add("d")
    (away.project.root / "gate").touch()
    expect(rows).to_have_count(1, timeout=RUN)
    has_status(lab.newest("train.ipynb"), "succeeded")
    expect(truth).to_contain_text("Nothing is running", timeout=RUN)
