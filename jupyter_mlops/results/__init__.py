"""What the Python API returns: sweeps, runs and models that know how to show themselves."""

from .base import Message, Shown
from .models import ModelList, ModelVersion
from .partial import written
from .runs import RunList, RunResult, SweepResult, together
from .sharing import SharingResult, explain_sharing

__all__ = [
    "Message",
    "ModelList",
    "ModelVersion",
    "RunList",
    "RunResult",
    "SharingResult",
    "Shown",
    "SweepResult",
    "explain_sharing",
    "together",
    "written",
]
