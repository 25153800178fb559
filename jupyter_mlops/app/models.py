"""Use cases of registered models, as the worker carries them out."""

from __future__ import annotations

import asyncio

from ..core.exceptions import Conflict, InvalidInput
from ..core.runs import Status
from ..store import Store
from . import messages as m
from . import views
from .recorder import Recorder
from .sweeps import SweepUseCases


class ModelUseCases:
    """What can be asked of models."""

    def __init__(self, store: Store, recorder: Recorder, sweeps: SweepUseCases) -> None:
        self._store = store
        self._recorder = recorder
        self._sweeps = sweeps

    async def list_models(self) -> list[m.ModelVersionView]:
        """List all versions of all models."""
        found = await self._recorder.call(lambda _, registry: registry.versions())
        return [views.model(each) for each in found]

    async def register_model(self, name: str, body: m.RegisterRequest) -> m.ModelVersionView:
        """Register the model that a run logged."""
        if (body.run is None) == (body.sweep is None):
            raise InvalidInput("Name a run, or a sweep whose best run is meant.", field="run")
        if body.run is not None:
            run = await asyncio.to_thread(self._store.history.run, body.run)
        else:
            run = await self._sweeps.best(body.sweep or "")
        if run.status is not Status.SUCCEEDED:
            raise Conflict(
                f"Run {run.id} is {run.status}. Only a succeeded run's model is registered."
            )
        if run.mlflow_run_id is None:
            raise Conflict(
                f"Run {run.id} is not tracked yet. Try again when the tracking server is back."
            )
        source = run.mlflow_run_id
        tags = {"mlops.run": run.id, "mlops.sweep": run.sweep_id, **body.tags}
        version = await self._recorder.call(
            lambda _, registry: registry.register(name, source, alias=body.alias, tags=tags)
        )
        await self._tell()
        return views.model(version)

    async def set_alias(self, name: str, alias: str, body: m.AliasRequest) -> m.ModelVersionView:
        """Point an alias at a version."""
        version = await self._recorder.call(
            lambda _, registry: registry.set_alias(name, alias, body.version)
        )
        await self._tell()
        return views.model(version)

    async def delete_alias(self, name: str, alias: str) -> m.Empty:
        """Remove an alias."""
        await self._recorder.call(lambda _, registry: registry.delete_alias(name, alias))
        await self._tell()
        return m.Empty()

    async def _tell(self) -> None:
        await asyncio.to_thread(self._store.attempts.announce, "model")
