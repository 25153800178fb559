"""What the worker can be asked about the files that runs keep."""

from __future__ import annotations

from typing import Any

from . import messages as m
from .operation import Operation

LIST_ARTIFACTS = Operation(
    "list_artifacts",
    "GET",
    "/runs/{run_id}/artifacts",
    "read",
    "The files that a run kept",
    m.ArtifactsView,
)
GET_ARTIFACT = Operation(
    "get_artifact",
    "GET",
    "/runs/{run_id}/artifact",
    "read",
    "A file that a run kept, with its hash",
    m.ArtifactView,
    query=m.ArtifactQuery,
)
READ_ARTIFACT = Operation(
    "read_artifact",
    "GET",
    "/runs/{run_id}/artifact/content",
    "read",
    "The bytes of a file that a run kept",
    bytes,
    query=m.ContentQuery,
)

OPERATIONS: tuple[Operation[Any], ...] = (LIST_ARTIFACTS, GET_ARTIFACT)
DOWNLOADS: tuple[Operation[bytes], ...] = (READ_ARTIFACT,)
