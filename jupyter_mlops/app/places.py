"""Where the features of a project lie, as the catalog takes it."""

from __future__ import annotations

from pathlib import Path

from ..catalog.place import Place
from .feature_settings import as_source, reference
from .projects import Project, confined


def data_of(project: Project) -> Path:
    """Return the folder of the computed values of a project's features."""
    folder = project.settings.features.folder
    return project.root / folder if folder else project.state / "features"


def place_of(project: Project) -> Place:
    """Return where a project's features are defined and kept. Raises `InvalidInput`."""
    settings = project.settings.features
    online = reference(settings.online)
    if online is None or ":" not in online:
        path = project.root / online if online else project.state / "online.db"
        online = f"sqlite:///{path}"
    return Place(
        root=project.root,
        modules=confined(project.root, settings.modules),
        data=data_of(project),
        online=online,
        sources={name: as_source(name, given) for name, given in settings.sources.items()},
    )
