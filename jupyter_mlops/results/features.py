"""Features, as the Python API returns them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..app import messages as m
from ..app.client import connect
from ..app.feature_operations import GET_FEATURE, LIST_FEATURES
from ..app.places import place_of
from ..app.projects import Project
from ..catalog.reading import group_of, read_catalog
from ..catalog.writing import change
from ..core.exceptions import InvalidInput
from ..reports import Report
from ..reports import features as reports
from .base import Message, Shown

if TYPE_CHECKING:
    import pandas as pd


class Feature(Shown):
    """All that is known of a feature."""

    def __init__(self, view: m.FeatureDetail) -> None:
        self._view = view

    @property
    def name(self) -> str:
        """Its full name."""
        return self._view.feature.name

    @property
    def code(self) -> str:
        """The source of its function."""
        return self._view.code

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.feature_report(self._view)

    def record(self) -> m.FeatureDetail:
        """Return what to tell a program."""
        return self._view


class FeatureList(list[m.FeatureView], Shown):
    """Features of the catalog, as a list and as a table."""

    def __init__(self, features: Iterable[m.FeatureView], page: m.FeaturesView) -> None:
        super().__init__(features)
        self._page = page

    @property
    def frame(self) -> pd.DataFrame:
        """The features as a DataFrame."""
        import msgspec
        import pandas as pd

        return pd.DataFrame([msgspec.structs.asdict(each) for each in self])

    def report(self) -> Report:
        """Return what to tell a person."""
        return reports.features_report(self._page)

    def record(self) -> list[m.FeatureView]:
        """Return what to tell a program."""
        return list(self)

    __repr__ = Shown.__repr__


def list_features(project: Project, query: m.FeaturesQuery) -> FeatureList:
    """Return the features that a query asks for."""
    page = connect(project).call(LIST_FEATURES, query=query)
    return FeatureList(page.features, page)


def find_feature(project: Project, name: str) -> Feature:
    """Return all that is known of a feature. Raises `NotFound`."""
    return Feature(connect(project).call(GET_FEATURE, query=m.FeatureQuery(), name=name))


def define_features(
    project: Project, group: str, text: str, *, replace: bool, note: Callable[[str], None]
) -> Message:
    """Write functions into the module of a group; return what became of it.

    Raises `InvalidInput`, the difference being noted, if functions that are there would change and
    ``replace`` is false; nothing is written then.
    """
    place = place_of(project)
    made = change(place, group, text)
    if made.replaced and not replace:
        note("\n".join(made.diff))
        names = ", ".join(made.replaced)
        raise InvalidInput(f"{made.shown} defines {names} otherwise. Change it with --replace.")
    if made.diff:
        made.write()
    catalog = read_catalog(place)
    own = group_of(place.modules, made.path)
    functions = [f"{own}.{each}" for each in made.names]
    return Message(
        reports.defined_report(
            made.shown,
            made.diff,
            [catalog.definitions[each] for each in functions if each in catalog.definitions],
            [each.line for each in catalog.problems if each.where in (made.shown, *functions)],
        ),
        {"path": made.shown, "diff": "\n".join(made.diff), "functions": functions},
    )
