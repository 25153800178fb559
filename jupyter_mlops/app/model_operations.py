"""What the worker can be asked about the cards of model versions, and what they were made from."""

from __future__ import annotations

from typing import Any

from . import messages as m
from .operation import Operation

MODEL_CARD = Operation(
    "model_card",
    "GET",
    "/models/{name}/versions/{version}",
    "read",
    "A model version's card",
    m.CardView,
)
ANNOTATE_MODEL = Operation(
    "annotate_model",
    "PUT",
    "/models/{name}/versions/{version}",
    "write",
    "Tag a model version, and write notes on it",
    m.ModelVersionView,
    body=m.AnnotateRequest,
)
COMPARE_MODELS = Operation(
    "compare_models",
    "GET",
    "/models/{name}/comparison",
    "read",
    "Two versions of a model side by side",
    m.ComparisonView,
    query=m.VersionsQuery,
)
LINEAGE = Operation(
    "lineage",
    "GET",
    "/lineage",
    "read",
    "What something was made from, and what was made of it",
    m.LineageView,
    query=m.LineageQuery,
)

OPERATIONS: tuple[Operation[Any], ...] = (MODEL_CARD, ANNOTATE_MODEL, COMPARE_MODELS, LINEAGE)
