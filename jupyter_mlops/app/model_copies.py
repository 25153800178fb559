"""Private copies of registered models' files, checked before anybody loads them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..core.exceptions import ModelAltered
from ..core.files import write_atomically
from ..core.models import ModelVersion
from ..core.runs import new_id
from ..registry.model_files import (
    ModelFacts,
    check_files,
    present_hashes,
    read_facts,
    recorded_hashes,
)
from .projects import Project
from .recorder import Recorder


@dataclass(frozen=True, slots=True)
class ModelCopy:
    """The files of a version, and what they must be."""

    folder: Path
    hashes: dict[str, str]
    facts: ModelFacts


class ModelCopies:
    """Makes copies of versions below the project's state, once for each."""

    def __init__(self, project: Project, recorder: Recorder) -> None:
        self._folder = project.state / "models"
        self._recorder = recorder

    async def find(self, name: str, version: int | None, alias: str | None) -> ModelVersion:
        """Return a version by its number or an alias, else the latest one. Raises `NotFound`."""
        return await self._recorder.call(
            lambda _, registry: registry.find(name, version=version, alias=alias)
        )

    async def get(self, version: ModelVersion) -> ModelCopy:
        """Return a version's files, as they were registered. Raises `ModelAltered`, `NotFound`."""
        place = self._folder / f"{slug(version.name)}-v{version.version}"
        try:
            return await asyncio.to_thread(_open, place)
        except (OSError, ValueError, ModelAltered):
            pass  # there is none, or it is damaged
        aside = place.with_name(f".{place.name}.{new_id()}")
        aside.mkdir(mode=0o700, parents=True)
        try:
            found = await self._recorder.call(
                lambda _, registry: registry.fetch(version.name, version.version, aside / "files")
            )
            return await asyncio.to_thread(
                _keep, found, place, aside, recorded_hashes(version.tags)
            )
        finally:
            await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)


def _open(place: Path) -> ModelCopy:
    """Return a copy that was made before. Raises OSError, ValueError, `ModelAltered`."""
    hashes = json.loads((place / "sha256.json").read_text("utf-8"))
    folder = place / "model"
    check_files(folder, hashes)
    return ModelCopy(folder, hashes, read_facts(folder))


def _keep(found: Path, place: Path, aside: Path, recorded: dict[str, str]) -> ModelCopy:
    check_files(found, recorded)
    facts = read_facts(found)
    hashes = recorded or present_hashes(found)
    write_atomically(aside / "sha256.json", json.dumps(hashes).encode())
    if found != aside / "model":
        found.rename(aside / "model")
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)
    return ModelCopy(place / "model", hashes, facts)


def slug(name: str) -> str:
    """Return a folder's name for a model; those that differ from the name carry a hash of it."""
    found = re.sub(r"[^\w.-]", "_", name)[:100]
    return found if found == name else f"{found}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
