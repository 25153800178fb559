"""Use case of telling other systems of the catalog: files are written, nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from ..catalog.reading import Catalog
from ..core.exceptions import InvalidInput
from . import messages as m
from .features import FeatureUseCases, Listed
from .projects import Project

#: Systems that files are written for, which are modules of `jupyter_mlops.catalog.exporters`.
SYSTEMS = ("amundsen", "datahub", "feast")


class FeatureExports:
    """Writes the catalog in the forms of other systems."""

    def __init__(self, project: Project, features: FeatureUseCases) -> None:
        self._project = project
        self._features = features

    async def export_features(self, body: m.FeatureExportRequest) -> m.FeatureExportView:
        """Write features, all unless some are named, for another system."""
        if body.format not in SYSTEMS:
            raise InvalidInput(
                f"format: {body.format!r} is none of {', '.join(SYSTEMS)}.", field="format"
            )
        if "\0" in body.output or not body.output.strip():
            raise InvalidInput("output: a path must not be empty. Name a folder.", field="output")
        return await asyncio.to_thread(self._export, body)

    def _export(self, body: m.FeatureExportRequest) -> m.FeatureExportView:
        listed = self._features.listed()
        folder = self._project.root / Path(body.output).expanduser()
        system = import_module(f"..catalog.exporters.{body.format}", __package__)
        done = system.export(listed.place, _chosen(listed, body.features), folder)
        return m.FeatureExportView(
            format=body.format,
            folder=str(folder),
            files=[str(each) for each in done.files],
            notes=list(done.notes),
        )


def _chosen(listed: Listed, names: Iterable[str]) -> Catalog:
    """Return the catalog with the features that are named alone, and what they are made from."""
    wanted = listed.catalog.checked(names) if names else []
    if not wanted:
        return listed.catalog
    every = (one for each in wanted for one in (each, *listed.catalog.ancestors(each)))
    kept = {each.full_name for each in every}
    found = {name: each for name, each in listed.catalog.definitions.items() if name in kept}
    return Catalog(found, listed.catalog.problems)
