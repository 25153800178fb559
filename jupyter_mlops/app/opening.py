"""What the worker opens first: kernels that are ready, what records the runs, and serves models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

from dotenv import dotenv_values

from .. import registry, tracking
from ..core.runs import ENGINE_VARIABLE
from ..execution.slots import Slots
from ..execution.warm.pool import Templates
from ..store import Store, network_file_system
from ..tracking.front import Front
from .cards import CardMaker
from .endpoints import Endpoints
from .exporting import ExportUseCases
from .feature_exports import FeatureExports
from .feature_runs import FeatureRuns
from .features import FeatureUseCases
from .kernel_tracking import KernelTracking
from .model_copies import ModelCopies
from .model_runs import ModelRuns
from .monitoring import MonitoringUseCases
from .notifying import Notifier
from .predictions import PredictionUseCases
from .projects import Project
from .recorder import Recorder
from .runtime import runtime_dir
from .sweeps import SweepUseCases
from .tasks import context_path, output_path


def open_templates(project: Project, slots: Slots, mark: Mapping[str, str]) -> Templates | None:
    """Return what starts warm kernels, if the project wants them."""
    if not project.settings.warm_kernels:
        return None
    return Templates(
        runtime_dir() / f"{project.id}.warm",
        project.state / "logs" / "templates.log",
        idle=slots.limit,
        allowed=project.settings.preload,
        variables=mark,
    )


def open_recorder(project: Project, store: Store, notifier: Notifier) -> tuple[Recorder, str]:
    """Return what records the project's runs, and the tracking URI; .env may name the server."""
    for name, value in dotenv_values(project.root / ".env").items():
        if value and name.startswith("MLFLOW_TRACKING_"):
            os.environ.setdefault(name, value)
    uri = os.environ.get("MLFLOW_TRACKING_URI") or project.settings.tracking_uri
    resolved = uri or tracking.default_uri(project.state)
    local = network_file_system(project.state) is None
    front = Front(
        resolved,
        tracking.artifacts_path(project.state),
        project.state / "logs" / "mlflow.log",
        {ENGINE_VARIABLE: str(project.root)},
    )
    recorder = Recorder(
        store,
        lambda: tracking.open_tracker(uri, project.state, wal=local),
        lambda: registry.open_registry(resolved),
        lambda run: output_path(project, run) if run.notebook else None,
        while_away=partial(tracking.environment_while_away, resolved),
        sweep_ended=notifier.sweep_ended,
        kernels=KernelTracking(store, front),
        context_path=lambda attempt: context_path(project, attempt),
    )
    return recorder, resolved


def open_serving(
    project: Project, store: Store, recorder: Recorder, sweeps: SweepUseCases
) -> tuple[Endpoints, *tuple[object, ...]]:
    """Return what serves models, and further use cases of models and features."""
    copies = ModelCopies(project, recorder)
    runs = ModelRuns(project, copies, sweeps)
    cards = CardMaker(project, store, recorder, sweeps.contexts)
    features = FeatureUseCases(project, store, recorder)
    return (
        Endpoints(project, store, copies),
        PredictionUseCases(runs),
        MonitoringUseCases(project, store, runs),
        ExportUseCases(copies, runs, cards),
        features,
        FeatureExports(project, features),
        FeatureRuns(project, features, sweeps, copies, cards),
    )
