"""Adaptive search in the form: what a sampler needs, and what becomes of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.ui.driver import Lab, has_status


def test_sampler_chooses_the_points(lab: Lab) -> None:
    """A sampler takes the place of the grid, asks for a metric where it needs one, and runs."""
    pytest.importorskip("optuna")
    lab.show_panel()
    form = lab.ask_to_run("fragile.ipynb")
    lab.field("x").fill("-9..1")
    form.get_by_role("button", name="adaptive search").click()
    expect(form.get_by_label("Trials")).to_be_disabled()
    form.get_by_label("Sampler").select_option("tpe")
    form.get_by_label("Trials").fill("none")
    expect(form.get_by_text("Write a whole number from 1 on.")).to_be_visible()
    form.get_by_label("Trials").fill("3")
    expect(form.get_by_text("3 runs", exact=True)).to_be_visible()
    expect(form.get_by_label("How values are combined")).to_be_disabled()
    lab.provoked = "400 (Bad Request)"
    form.get_by_role("button", name="Run 3", exact=True).click()
    expect(form.get_by_text("name the metric that it goes by")).to_be_visible()
    lab.screenshots("form-search")
    form.get_by_label("Sampler").select_option("random")
    lab.submit(3)
    has_status(lab.newest("fragile.ipynb"), "succeeded")
    expect(lab.runs()).to_have_count(3)
