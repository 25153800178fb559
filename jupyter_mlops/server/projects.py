"""The projects below the server's root, by the paths that the browser knows."""

from __future__ import annotations

import os
from pathlib import Path

from ..app.messages import ProjectView
from ..app.projects import Project, confined, find_project
from ..core.exceptions import NotFound


class Projects:
    """Finds projects inside the server's root and remembers them. Its methods read the disk."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).expanduser().resolve()
        self._seen: dict[str, Project] = {}

    def containing(self, path: str) -> Project:
        """Return the project of a file or folder. Raises `NotFound` or `NotAllowedPath`."""
        place = confined(self.root, path)
        try:
            place.lstat()
            project = find_project(place, within=self.root)
        except OSError as error:
            raise NotFound(
                f"{path} cannot be read ({error.strerror}). Choose a file or folder that exists.",
                field="path",
            ) from error
        self._seen[project.id] = project
        return project

    def at(self, path: str) -> Project:
        """Return the project whose folder is ``path``. Raises like `containing`."""
        project = self.containing(path)
        if project.root != confined(self.root, path):
            raise NotFound(
                f"{path} is part of the project {project.root.name}. Reload the page.",
                field="project",
            )
        return project

    def seen(self) -> list[Project]:
        """Return the root's project and those that were asked for, as far as they still exist."""
        self.containing("")
        found = [each for each in self._seen.values() if each.root.is_dir()]
        return sorted(found, key=lambda project: project.root)

    def path(self, project: Project) -> str:
        """Return the project's folder, relative to the root and empty for the root itself."""
        path = project.root.relative_to(self.root).as_posix()
        return "" if path == "." else path

    def view(self, project: Project) -> ProjectView:
        """Describe a project to the browser."""
        return ProjectView(
            id=project.id,
            path=self.path(project),
            name=project.root.name or project.root.anchor,
            marker=project.marker,
        )
