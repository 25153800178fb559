"""Use cases that compute: each is an ordinary run of a notebook that we write."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.cards import PartName
from ..core.exceptions import InvalidInput
from ..core.features import Definition
from . import messages as m
from .cards import CardMaker
from .feature_access import local_user
from .features import FeatureUseCases, Listed
from .model_copies import ModelCopies
from .projects import Project
from .sweeps import SweepUseCases
from .written_runs import Written, submit

#: Folder of our notebooks, and the experiment of their runs.
_FOLDER = "runs/features"
_EXPERIMENT = "features"
_CODE = """
from jupyter_mlops.app.feature_work import {name}
from jupyter_mlops.metrics import log_values

done = {name}(
{arguments})
log_values(done.metrics)
done.check()
"""


@dataclass(frozen=True, slots=True)
class _Work:
    """A notebook that calls one function of `feature_work`."""

    name: str
    defaults: Mapping[str, Any]
    #: Whether its defaults are what was asked last, so that a schedule can run it as it is.
    remembers: bool = False

    def written(self, chosen: Mapping[str, Any]) -> Written:
        arguments = "".join(f"    {name}={name},\n" for name in self.defaults)
        return Written(
            notebook=f"{_FOLDER}/{self.name}.ipynb",
            title=f"features {self.name}",
            by="jupyter mlops features",
            code=_CODE.format(name=self.name, arguments=arguments),
            defaults=chosen if self.remembers else self.defaults,
            experiment=_EXPERIMENT,
        )


_COMPUTE = _Work(
    "compute",
    {
        "features": [],
        "since": None,
        "until": None,
        "backfill": False,
        "force": False,
        "online": False,
        "engine": "pandas",
        "left_out": [],
    },
)
_JOIN = _Work(
    "join", {"features": [], "entities": "", "output": "", "timestamp": None, "label": None}
)
_CHECK = _Work("check", {"features": [], "rows": 1000, "tolerance": 0.0, "left_out": []})
_DRIFT = _Work("drift", {"features": [], "trained": [], "allowed": None}, remembers=True)


class FeatureRuns:
    """What can be asked of features that takes a run."""

    def __init__(
        self,
        project: Project,
        features: FeatureUseCases,
        sweeps: SweepUseCases,
        copies: ModelCopies,
        cards: CardMaker,
    ) -> None:
        self._project = project
        self._features = features
        self._sweeps = sweeps
        self._copies = copies
        self._cards = cards

    async def compute_features(self, body: m.ComputeRequest) -> m.SweepView:
        """Queue the computation of features."""
        if body.backfill and body.since is None:
            raise InvalidInput("backfill: say from when on with --since DATE.", field="since")
        if body.since is not None and body.until is not None and body.since >= body.until:
            raise InvalidInput("until: the window ends before it begins.", field="until")
        chosen = await self._names(body, stored=True)
        given = {
            "since": _iso(body.since),
            "until": _iso(body.until),
            "backfill": body.backfill,
            "force": body.force,
            "online": body.online,
            "engine": body.engine,
        }
        return await self._submit(_COMPUTE, body, chosen | given)

    async def join_features(self, body: m.JoinRequest) -> m.SweepView:
        """Queue a join of features to the rows of a file."""
        if not body.features:
            raise InvalidInput("Name at least one feature.", field="features")
        entities = self._path(body.entities, "entities")
        if not entities.is_file():
            raise InvalidInput(f"There is no file {body.entities}.", field="entities")
        output = self._path(body.output, "output")
        if output.suffix not in (".parquet", ".csv"):
            raise InvalidInput(
                f"output: {output.name} must end in .parquet or .csv.", field="output"
            )
        chosen = await self._names(body)
        given = {
            "entities": str(entities),
            "output": str(output),
            "timestamp": body.timestamp,
            "label": body.label,
        }
        return await self._submit(_JOIN, body, chosen | given)

    async def check_features(self, body: m.CompareFeaturesRequest) -> m.SweepView:
        """Queue a comparison of features online and offline."""
        chosen = await self._names(body)
        given = {"rows": body.rows, "tolerance": body.tolerance}
        return await self._submit(_CHECK, body, chosen | given)

    async def watch_features(self, body: m.DriftRequest) -> m.SweepView:
        """Queue a comparison of features with what they were when a model was trained."""
        version = await self._copies.find(body.model, body.version, body.alias)
        card = await self._cards.card(version)
        trained = card.part(PartName.DATA).facts.get("features") or [] if card else []
        wanted = set((await self._names(body))["features"]) if body.features else None
        trained = [each for each in trained if wanted is None or each["feature"] in wanted]
        if not trained:
            raise InvalidInput(
                f"{version.name} v{version.version} was trained with none of these features. "
                "Its training set must come from mlops.features.training_set."
            )
        given = {
            "features": [each["feature"] for each in trained],
            "trained": trained,
            "allowed": body.allowed,
        }
        return await self._submit(_DRIFT, body, given)

    async def _names(
        self, body: m.FeatureRunRequest, *, stored: bool = False
    ) -> dict[str, list[str]]:
        """Return the full names of ``features``, of all if none is named, which one may read.

        Those of all that one may not read are ``left_out``. ``stored`` drops those that are
        computed when they are asked for. Raises `NotReadable` if one is named, or none is left.
        """
        return await asyncio.to_thread(self._chosen, body, stored=stored)

    def _chosen(self, body: m.FeatureRunRequest, *, stored: bool) -> dict[str, list[str]]:
        listed = self._features.listed()
        user = body.user or local_user()
        if body.features:
            every = found = listed.catalog.checked(body.features)
            _check_stored(found, stored=stored)
        else:
            every = _every(listed, stored=stored)
            found = [each for each in every if listed.readable(each, user)] or every
        listed.check(found, user)
        return {
            "features": [each.full_name for each in found],
            "left_out": [each.full_name for each in every if each not in found],
        }

    async def _submit(
        self, work: _Work, body: m.FeatureRunRequest, given: Mapping[str, Any]
    ) -> m.SweepView:
        chosen = {name: given[name] for name in work.defaults}
        return await submit(self._project, self._sweeps, work.written(chosen), chosen, body)

    def _path(self, text: str, field: str) -> Path:
        if "\0" in text or not text.strip():
            raise InvalidInput(f"{field}: a path must not be empty. Name a file.", field=field)
        return self._project.root / Path(text).expanduser()


def _check_stored(found: Sequence[Definition], *, stored: bool) -> None:
    for each in found:
        if stored and each.on_demand:
            raise InvalidInput(
                f"{each.full_name} depends on the request ({', '.join(each.request)}): it is "
                "computed when it is asked for, and not in advance."
            )


def _every(listed: Listed, *, stored: bool) -> list[Definition]:
    every = listed.catalog.definitions.values()
    found = [each for each in every if not (stored and each.on_demand)]
    if not found:
        where = listed.place.modules.name
        raise InvalidInput(
            f"There are no features yet. Write a module below {where}/, or a cell with "
            "%%mlops feature."
        )
    return found


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
