"""What of features is seen in the panel and in their tabs."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.ui.driver import RUN, Lab


def title(lab: Lab) -> Locator:
    """The title of the section of features."""
    return lab.panel.locator(".jp-AccordionPanel-title", has_text="Features")


def unfold(lab: Lab, *, alone: bool = False) -> Locator:
    """Open the panel and the section, alone if so; return its content."""
    panel = lab.show_panel()
    for each in panel.locator(".jp-AccordionPanel-title").all():
        is_ours = each.get_attribute("data-section") == "features"
        is_open = each.get_attribute("aria-expanded") == "true"
        if is_open != is_ours and (alone or is_ours):
            each.click()
    view = panel.locator('.jp-Mlops-features[aria-busy="false"]')
    view.wait_for()
    return view


def row(lab: Lab, name: str) -> Locator:
    """The row of a feature."""
    return lab.panel.locator(f'.jp-Mlops-feature[data-feature="{name}"]')


def search(lab: Lab) -> Locator:
    """The field in which is typed what is looked for."""
    return lab.panel.get_by_role("combobox", name="Search features")


def tab(lab: Lab) -> Locator:
    """The tab of a feature that is in front."""
    return lab.page.locator(".jp-Mlops-featurePanel:visible")


def open_feature(lab: Lab, name: str) -> Locator:
    """Open a feature by a click on its row."""
    unfold(lab)
    row(lab, name).click()
    expect(tab(lab).get_by_role("heading", name=name, exact=True)).to_be_visible()
    tab(lab).get_by_role("region", name="About").wait_for(timeout=RUN)
    return tab(lab)


def succeeds(lab: Lab) -> None:
    """Wait until the run whose tab has just opened has succeeded."""
    head = lab.page.locator(".jp-Mlops-runPanel:visible").get_by_role("region", name="Summary")
    expect(head.locator(".jp-Mlops-status").first).to_have_accessible_name("succeeded", timeout=RUN)
