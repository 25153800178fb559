"""Use cases of deploying models elsewhere: files are written, and nothing is deployed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from ..core import exports
from ..core.cards import Card, PartName
from ..core.exceptions import Conflict, NotFound
from ..core.exports import Deployment
from ..core.runs import new_id
from ..registry import exporting
from . import messages as m
from .cards import CardMaker
from .model_copies import ModelCopies
from .model_runs import ModelRuns

#: Folder of what is exported, in the project, unless another is named.
_FOLDER = "exports"


class ExportUseCases:
    """What can be asked of deploying models elsewhere."""

    def __init__(self, copies: ModelCopies, runs: ModelRuns, cards: CardMaker) -> None:
        self._copies = copies
        self._runs = runs
        self._cards = cards

    async def export_model(self, name: str, body: m.ExportRequest) -> m.ExportView:
        """Write what it takes to deploy a version of a model."""
        version = await self._copies.find(name, body.version, body.alias)
        deployment = Deployment(
            model=name,
            version=version.version,
            target=body.target,
            image=body.image,
            machine=body.machine,
            role=body.role,
            data=body.data,
        )
        exports.check(deployment)
        output = body.output or f"{_FOLDER}/{deployment.label}/{body.target}"
        folder = self._runs.path(output, "output")
        copy = await self._copies.get(version)
        card = await self._cards.card(version)
        pins = await asyncio.to_thread(_pins, card, copy.folder)
        await asyncio.to_thread(_write, deployment, copy.folder, pins, folder)
        return m.ExportView(
            name=name,
            version=version.version,
            target=body.target,
            folder=str(folder),
            label=deployment.label,
            image=body.image,
            data=body.data,
        )


def _pins(card: Card | None, model: Path) -> dict[str, str]:
    """Return the exact versions of the packages that a model was made with, as its card tells."""
    facts = card.part(PartName.DEPENDENCIES).facts if card is not None else {}
    packages, elsewhere = facts.get("packages") or {}, facts.get("sources") or {}
    public = {name: packages[name] for name in packages if name not in elsewhere}
    requirements = model / "requirements.txt"
    lines = requirements.read_text("utf-8").splitlines() if requirements.exists() else []
    return exports.constraints(public, lines)


def _write(deployment: Deployment, model: Path, pins: dict[str, str], folder: Path) -> None:
    """Write the folder at once, or not at all."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} exists already. Remove it, or name another with --output.")
    aside = folder.with_name(f".{folder.name}.{new_id()}")
    try:
        aside.mkdir(parents=True)
        exporting.write(deployment, model, pins, aside)
        aside.replace(folder)
    except OSError as error:
        raise NotFound(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
