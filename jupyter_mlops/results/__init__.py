"""What the Python API returns: sweeps, runs and models that know how to show themselves."""

from .artifacts import Artifact, ArtifactList, fetched
from .base import Message, Shown
from .comparing import CellDiffs, Comparison, Curves, Gallery
from .endpoints import Endpoint, EndpointList
from .models import ModelCard, ModelList, ModelVersion
from .partial import written
from .pipelines import GraphResult, PipelineResult, PlanResult, StageResult, StatusResult
from .run_list import RunList
from .runs import RunResult, SweepResult, together
from .sharing import SharingResult, explain_sharing

__all__ = [
    "Artifact",
    "ArtifactList",
    "CellDiffs",
    "Comparison",
    "Curves",
    "Endpoint",
    "EndpointList",
    "Gallery",
    "GraphResult",
    "Message",
    "ModelCard",
    "ModelList",
    "ModelVersion",
    "PipelineResult",
    "PlanResult",
    "RunList",
    "RunResult",
    "SharingResult",
    "Shown",
    "StageResult",
    "StatusResult",
    "SweepResult",
    "explain_sharing",
    "fetched",
    "together",
    "written",
]
