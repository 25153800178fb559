"""Use cases of registered models, as the worker carries them out."""

from __future__ import annotations

import asyncio
import getpass
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.card_differences import differences
from ..core.cards import Card, tagged
from ..core.endpoints import Environment
from ..core.exceptions import Conflict, InvalidInput, MlopsError, NotFound
from ..core.model_names import check_alias, check_model_name, check_notes, check_own_tags
from ..core.models import ModelVersion
from ..core.runs import Run, Status, SweepKind
from ..registry.markdown import markdown
from ..registry.model_files import read_facts
from ..store import Store
from . import messages as m
from . import records, views
from .cards import CardMaker
from .discovery import matches
from .endpoint_state import python_hint
from .lineage import DATA, FEATURES, lineage
from .projects import Project
from .recorder import Recorder
from .sweeps import SweepUseCases

#: Tag of a version: which aliases were pointed at it, when, by whom and why.
ALIASES = "mlops.aliases"
#: And whether it could be built again.
REPRODUCED = "mlops.reproduced"


class ModelUseCases:
    """What can be asked of models."""

    def __init__(
        self, project: Project, store: Store, recorder: Recorder, sweeps: SweepUseCases
    ) -> None:
        self._project = project
        self._store = store
        self._recorder = recorder
        self._sweeps = sweeps
        self._cards = CardMaker(project, store, recorder, sweeps.contexts)

    async def list_models(self, query: m.ModelsQuery) -> list[m.ModelVersionView]:
        """List versions of models, those of a fresh clone's records too."""
        found = await self._versions()
        shown = [views.model(each) for each in found]
        return [each for each in shown if matches(each, query)]

    async def register_model(self, name: str, body: m.RegisterRequest) -> m.ModelVersionView:
        """Register the model that a run logged, and make its card.

        Nothing stays registered if that fails half-way.
        """
        check_model_name(name)
        check_own_tags(body.tags)
        if body.alias is not None:
            check_alias(body.alias)
        run = await self._run(body)
        if run.status is not Status.SUCCEEDED and not await self._is_open_session(run):
            raise Conflict(
                f"Run {run.id} is {run.status}. Only a succeeded run's model is registered."
            )
        if run.mlflow_run_id is None:
            raise Conflict(
                f"Run {run.id} is not tracked yet. Try again when the tracking server is back."
            )
        source = run.mlflow_run_id
        tags = {"mlops.run": run.id, "mlops.sweep": run.sweep_id, **body.tags}
        async with self._cards.prepare(run, source, body.tags) as prepared:
            tags |= prepared.tags
            version = await self._recorder.call(
                lambda _, registry: registry.register(name, source, alias=None, tags=tags)
            )
            try:
                notices = await self._cards.keep(prepared, version)
            except Exception:
                with suppress(MlopsError):
                    await self._recorder.call(
                        lambda _, registry: registry.discard(name, version.version)
                    )
                raise
            notices += await asyncio.to_thread(_serving_notices, prepared.model)
        if body.alias is not None:
            await self._point(name, body.alias, m.AliasRequest(version=version.version))
        await self._tell()
        view = views.model(await self._find(name, version.version))
        view.notices = notices
        return view

    async def model_card(self, name: str, version: str) -> m.CardView:
        """Show the card of a version."""
        found = await self._find(name, _number(version))
        card = await self._card(found)
        place = records.place_of(self._project, found.name, found.version)
        return m.CardView(
            version=views.model(found),
            complete=card.complete,
            parts=[
                m.PartView(name=each.name, status=each.status, line=each.line, facts=each.facts)
                for each in card.parts
            ],
            markdown=markdown(card),
            aliases=_history(found),
            record=place.relative_to(self._project.root).as_posix() if place.is_dir() else None,
        )

    async def annotate_model(
        self, name: str, version: str, body: m.AnnotateRequest
    ) -> m.ModelVersionView:
        """Tag a version, and write notes on it."""
        number = _number(version)
        check_own_tags({tag: text for tag, text in body.tags.items() if tag != REPRODUCED})
        check_notes(body.notes)
        found = await self._recorder.call(
            lambda _, registry: registry.annotate(name, number, tags=body.tags, notes=body.notes)
        )
        card = await self._cards.card(found) if body.tags else None
        if card is not None:
            await self._cards.rewrite(tagged(card, found.tags))
            found = await self._find(name, number)
        await self._tell()
        return views.model(found)

    async def compare_models(self, name: str, query: m.VersionsQuery) -> m.ComparisonView:
        """Show two versions side by side, what differs first."""
        numbers = [_number(each) for each in query.versions.split(",")]
        if len(numbers) != 2:
            raise InvalidInput("versions: name two, such as 1,2.", field="versions")
        first, second = [await self._card(await self._find(name, each)) for each in numbers]
        found = differences(first, second)
        return m.ComparisonView(
            model=name,
            first=numbers[0],
            second=numbers[1],
            differences=[
                m.DifferenceView(
                    part=each.part,
                    name=each.name,
                    first=each.first,
                    second=each.second,
                    differs=each.differs,
                )
                for each in found
            ],
        )

    async def lineage(self, query: m.LineageQuery) -> m.LineageView:
        """Show what something was made from, and what was made of it."""
        served = await asyncio.to_thread(self._store.endpoints.all)
        endpoints = [(each.name, each.version) for each in served]
        return lineage(query.node, await self._versions(), endpoints)

    async def set_alias(self, name: str, alias: str, body: m.AliasRequest) -> m.ModelVersionView:
        """Point an alias at a version, and note who did it and why."""
        version = await self._point(name, alias, body)
        await self._tell()
        return views.model(version)

    async def delete_alias(self, name: str, alias: str) -> m.Empty:
        """Remove an alias."""
        await self._recorder.call(lambda _, registry: registry.delete_alias(name, alias))
        await self._tell()
        return m.Empty()

    async def _run(self, body: m.RegisterRequest) -> Run:
        if (body.run is None) == (body.sweep is None):
            raise InvalidInput("Name a run, or a sweep whose best run is meant.", field="run")
        if body.run is not None:
            return await asyncio.to_thread(self._store.history.run, body.run)
        return await self._sweeps.best(body.sweep or "")

    async def _is_open_session(self, run: Run) -> bool:
        """Whether a run is interactive work that goes on: its model is whole nevertheless."""
        sweep = await asyncio.to_thread(self._store.history.sweep, run.sweep_id)
        return run.status is Status.RUNNING and sweep.kind is SweepKind.SESSION

    async def _versions(self) -> list[ModelVersion]:
        found = await self._recorder.call(lambda _, registry: registry.versions())
        known = {(each.name, each.version) for each in found}
        recorded = await asyncio.to_thread(lambda: list(records.listed(self._project)))
        more = [_of_card(each) for each in recorded if (each.model, each.version) not in known]
        return sorted([*found, *more], key=lambda each: (each.name, -each.version))

    async def _find(self, name: str, version: int) -> ModelVersion:
        """Return a version, of the registry or of a record. Raises `NotFound`."""
        try:
            return await self._recorder.call(
                lambda _, registry: registry.find(name, version=version)
            )
        except NotFound:
            card = await asyncio.to_thread(records.read, self._project, name, version)
            if card is None:
                raise
            return _of_card(card)

    async def _card(self, version: ModelVersion) -> Card:
        card = await self._cards.card(version)
        if card is None:
            raise NotFound(
                f"{version.name} v{version.version} has no card. Register the run again: "
                f"jupyter mlops models register {version.name} ID"
            )
        return tagged(card, version.tags)

    async def _point(self, name: str, alias: str, body: m.AliasRequest) -> ModelVersion:
        version = await self._recorder.call(
            lambda _, registry: registry.set_alias(name, alias, body.version)
        )
        noted = {
            "alias": alias,
            "by": body.by or _user(),
            "at": datetime.now(UTC).isoformat(),
            "why": body.why,
        }
        known = _load(version.tags.get(ALIASES))
        text = json.dumps([*known, noted][-100:])
        return await self._recorder.call(
            lambda _, registry: registry.annotate(
                version.name, version.version, tags={ALIASES: text}
            )
        )

    async def _tell(self) -> None:
        await asyncio.to_thread(self._store.attempts.announce, "model")


def _serving_notices(model: Path) -> list[str]:
    """Return what will keep a model from being served here, a line each."""
    try:
        hint = python_hint(read_facts(model), Environment.HERE)
    except InvalidInput as error:
        return [error.message]
    return [hint.strip()] if hint else []


def _number(version: str) -> int:
    digits = version.strip().removeprefix("v")
    if not digits.isdecimal() or int(digits) < 1:
        raise InvalidInput(f"{version!r} is no version. Write it like 3 or v3.", field="version")
    return int(digits)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _load(text: str | None) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _history(version: ModelVersion) -> list[m.AliasView]:
    return [
        m.AliasView(
            alias=each["alias"],
            version=version.version,
            by=each["by"],
            at=datetime.fromisoformat(each["at"]),
            why=each.get("why"),
        )
        for each in _load(version.tags.get(ALIASES))
    ]


def _of_card(card: Card) -> ModelVersion:
    """Return a version as its record tells it, where the registry does not know it."""
    facts = {each.name.value: each.facts for each in card.parts}
    data = [each["path"] for each in facts["data"].get("files") or ()]
    tags = {name: str(value) for name, value in facts["tags"].items()}
    tags |= {
        "mlops.complete": str(card.complete),
        FEATURES: json.dumps(facts["data"].get("columns") or []),
        DATA: json.dumps(data),
    }
    metrics = facts["artifacts"].get("metrics") or {}
    parameters = facts["generation"].get("parameters") or {}
    return ModelVersion(
        name=card.model,
        version=card.version,
        aliases=(),
        description="",
        tags=tags,
        created_at=card.created_at,
        run_id=card.run_id,
        mlflow_run_id=card.mlflow_run_id,
        metrics={name: value for name, value in metrics.items() if isinstance(value, int | float)},
        parameters={name: str(value) for name, value in parameters.items()},
    )
