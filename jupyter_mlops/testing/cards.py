"""What an in-memory registry keeps with its versions."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ..core.exceptions import NoModelLogged, NotFound
from ..core.models import ModelVersion, Tracked


class CardKeeper:
    """The part of a registry that knows files, tags and notes."""

    def __init__(self) -> None:
        self._versions: dict[str, list[ModelVersion]] = {}
        self._kept: dict[tuple[str, int], dict[str, bytes]] = {}

    def find(
        self, name: str, *, version: int | None = None, alias: str | None = None
    ) -> ModelVersion:
        """Return a version by its number or an alias, else the latest one. Raises `NotFound`."""
        found = [
            each
            for each in self._versions.get(name, [])
            if (version is None or each.version == version)
            and (alias is None or alias in each.aliases)
        ]
        if not found:
            raise NotFound(f"There is no such version of {name}.")
        return max(found, key=lambda each: each.version)

    def discard(self, name: str, version: int) -> None:
        """Remove a version that came to nothing, and its model if that has no other."""
        self._versions[name].remove(self.find(name, version=version))

    def fetch(self, name: str, version: int, folder: Path) -> Path:
        """Write a version's files below a folder; return where they are. Raises `NotFound`."""
        self.find(name, version=version)
        return _write_model(folder)

    def fetch_model(self, tracked_id: str, folder: Path) -> Path:
        """Write the files of a run's model below a folder. Raises `NoModelLogged`, `NotFound`."""
        if not self.has_model(tracked_id):
            raise NoModelLogged
        return _write_model(folder)

    def has_model(self, tracked_id: str) -> bool:
        """Whether a run logged a model. Raises `NotFound`."""
        raise NotImplementedError

    def kept_of(self, tracked_id: str) -> Tracked:
        """Return that the tracker kept nothing of a run."""
        return Tracked(metrics={}, parameters={})

    def keep(self, name: str, version: int, folder: Path, tags: dict[str, str]) -> None:
        """Keep files with a version, and tag it."""
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self._kept[name, version] = files
        self.annotate(name, version, tags=tags)

    def kept(self, name: str, version: int, folder: Path) -> Path | None:
        """Write what was kept with a version below a folder; None if nothing was."""
        files = self._kept.get((name, version))
        if files is None:
            return None
        for each, content in files.items():
            (folder / each).write_bytes(content)
        return folder

    def annotate(
        self, name: str, version: int, *, tags: dict[str, str], notes: str | None = None
    ) -> ModelVersion:
        """Tag a version, and write notes on it. Raises `NotFound`."""
        found = self.find(name, version=version)
        description = found.description if notes is None else notes
        made = replace(found, tags=found.tags | tags, description=description)
        others = [each for each in self._versions[name] if each.version != version]
        self._versions[name] = sorted([*others, made], key=lambda each: each.version)
        return made

    def _point(self, name: str, alias: str, version: int | None) -> None:
        """Let a version alone have the alias; None takes it from all."""
        self._versions[name] = [
            replace(
                each,
                aliases=tuple(
                    sorted(
                        {*each.aliases} - {alias} | ({alias} if each.version == version else set())
                    )
                ),
            )
            for each in self._versions[name]
        ]


def _write_model(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n", "utf-8")
    return folder
