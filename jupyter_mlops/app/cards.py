"""Making the card of a version: what is known of a run and of the model that it logged."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import values
from ..core.cards import Card, Part, PartName
from ..core.exceptions import Conflict, MlopsError, NotFound
from ..core.models import ModelVersion, Tracked
from ..core.runs import Attempt, Run, Sweep
from ..registry import assembling, logged
from ..registry.markdown import markdown
from ..registry.mlops_scoring.integrity import text_of
from ..registry.model_files import HASHES
from ..store import Store
from . import records
from .contexts import Contexts
from .lineage import DATA, FEATURES, INGREDIENTS, feature_tags
from .projects import Project
from .recorder import Recorder
from .submission import snapshot_path


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """All that a card needs but the number of its version."""

    parts: tuple[Part, ...]
    #: The model's files, for as long as it is being registered.
    model: Path
    tags: dict[str, str]
    notebook: Path | None
    diff: Path | None
    packages: dict[str, Any]
    sample: dict[str, Any]

    def material(self, version: ModelVersion) -> records.Material:
        """Return what the record of a version is made of."""
        card = Card(
            model=version.name,
            version=version.version,
            created_at=version.created_at,
            run_id=version.run_id,
            mlflow_run_id=version.mlflow_run_id,
            parts=self.parts,
        )
        return records.Material(
            card=card,
            markdown=markdown(card),
            model=self.model,
            notebook=self.notebook,
            diff=self.diff,
            packages=self.packages,
            sample=self.sample,
        )


class CardMaker:
    """Makes cards and keeps them with their versions."""

    def __init__(
        self, project: Project, store: Store, recorder: Recorder, contexts: Contexts
    ) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._contexts = contexts

    @asynccontextmanager
    async def prepare(
        self, run: Run, tracked_id: str, tags: dict[str, str]
    ) -> AsyncIterator[Prepared]:
        """Gather what the card of a run's model will tell, before there is a version.

        Raises `NoModelLogged`, `NotFound`.
        """
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            place = Path(folder) / "model"
            place.mkdir()
            model = await self._recorder.call(
                lambda _, registry: registry.fetch_model(tracked_id, place)
            )
            tracked = await self._recorder.call(lambda _, registry: registry.kept_of(tracked_id))
            yield await asyncio.to_thread(self._gather, run, model, tracked, tags)

    async def keep(self, prepared: Prepared, version: ModelVersion) -> list[str]:
        """Keep the card of a version with it, and in the project; return what could not be."""
        material = prepared.material(version)
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            await asyncio.to_thread(records.write_small, material, Path(folder))
            card = material.card
            tags = {**prepared.tags, **_card_tags(card)}
            await self._recorder.call(
                lambda _, registry: registry.keep(card.model, card.version, Path(folder), tags)
            )
        try:
            return await asyncio.to_thread(records.write, self._project, material)
        except Conflict as error:
            return [error.message]
        except OSError as error:
            return [f"The record below models/ was not written: {error.strerror}."]

    async def rewrite(self, card: Card) -> None:
        """Write a card anew where it is kept: its version has got other tags."""
        text = markdown(card)
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            await asyncio.to_thread(records.write_card, Path(folder), card, text)
            await self._recorder.call(
                lambda _, registry: registry.keep(
                    card.model, card.version, Path(folder), _card_tags(card)
                )
            )
        place = records.place_of(self._project, card.model, card.version)
        if place.is_dir():
            await asyncio.to_thread(records.write_card, place, card, text)

    async def card(self, version: ModelVersion) -> Card | None:
        """Return the card of a version, from the tracker or from the project's own record."""
        found = None
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            kept = None
            with suppress(NotFound):  # the registry of a fresh clone knows no versions
                kept = await self._recorder.call(
                    lambda _, registry: registry.kept(version.name, version.version, Path(folder))
                )
            if kept is not None:
                found = await asyncio.to_thread(_read, kept / records.CARD)
        return found or records.read(self._project, version.name, version.version)

    def _gather(self, run: Run, model: Path, tracked: Tracked, tags: dict[str, str]) -> Prepared:
        sweep = self._store.history.sweep(run.sweep_id)
        attempts = self._store.history.attempts(run.id)
        context = self._context(sweep, run, attempts[-1]) if attempts else {}
        context = context or {"run": run.id, "git": sweep.context.get("git")}
        packages = self._packages(context)
        context["data"] = records.adopt(self._project, context.get("data") or ())
        files = logged.read(model)
        origin = self._origin(run, sweep, attempts, tracked, context)
        described: dict[str, Any] = {}
        if not files.facts:
            environment = context.get("environment") or {}
            described = logged.describe(files, environment.get("executable") or sys.executable)
        parts = assembling.assemble(files, origin, described, tags)
        patch = ((context.get("git") or {}).get("changes") or {}).get("patch")
        snapshot = snapshot_path(self._project, context.get("notebook_sha256") or "none")
        data = next(each for each in parts if each.name is PartName.DATA)
        features = data.facts["features"]
        return Prepared(
            parts=parts,
            model=model,
            tags={
                HASHES: text_of(files.hashes, records.TAG_LIMIT),
                FEATURES: records.compact(feature_tags(files.columns, features)),
                INGREDIENTS: records.compact([[e["feature"], e["version"]] for e in features]),
                DATA: records.compact([each["path"] for each in data.facts["files"]]),
            },
            notebook=snapshot if snapshot.is_file() else None,
            diff=snapshot.with_name(f"{patch}.diff") if patch else None,
            packages=packages,
            sample=logged.sample(files, described),
        )

    def _context(self, sweep: Sweep, run: Run, attempt: Attempt) -> dict[str, Any]:
        if attempt.status.finished:
            return self._contexts.of(attempt)
        return self._contexts.so_far(sweep, run, attempt)

    def _packages(self, context: dict[str, Any]) -> dict[str, Any]:
        """Put the packages by name into a context; return them."""
        environment = context.get("environment")
        if not environment:
            return {}
        found = self._contexts.packages(environment.get("packages_sha256") or "") or {}
        context["environment"] = {**environment, **found}
        return found

    def _origin(
        self,
        run: Run,
        sweep: Sweep,
        attempts: list[Attempt],
        tracked: Tracked,
        context: dict[str, Any],
    ) -> assembling.Origin:
        points = self._store.history.series(attempts[-1].id, None) if attempts else []
        steps: dict[str, int] = {}
        for point in points:
            steps[point.key] = steps.get(point.key, 0) + 1
        metrics = tracked.metrics | run.metrics
        return assembling.Origin(
            metrics={name: values.encode(each) for name, each in metrics.items()},
            curves=sorted(name for name, count in steps.items() if count > 1),
            parameters=_encoded(values.masked(run.parameters)) or dict(tracked.parameters),
            artifacts=list(tracked.artifacts),
            notebook=run.output,
            datasets=list(tracked.datasets),
            context=context,
            user=sweep.context.get("user"),
        )


def _card_tags(card: Card) -> dict[str, str]:
    """Return the tags by which a card's version is found and shown in lists."""
    tags = {"mlops.complete": str(card.complete)}
    tags |= {f"mlops.part.{each.name}": each.status.value for each in card.parts}
    facts = card.part(PartName.TAGS).facts
    return tags | {name: str(value)[:5000] for name, value in facts.items()}


def _encoded(mapping: dict[str, Any]) -> dict[str, Any]:
    return {name: values.encode(value) for name, value in mapping.items()}


def _read(path: Path) -> Card | None:
    from ..core.cards import read_card

    try:
        return read_card(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, MlopsError):
        return None
