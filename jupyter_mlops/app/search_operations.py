"""The part of the table of operations that is about many runs: searching and comparing them."""

from __future__ import annotations

from typing import Any

from . import messages as m
from .operation import Operation

SEARCH_RUNS = Operation(
    "search_runs",
    "GET",
    "/search/runs",
    "read",
    "Runs on a condition, sorted, by pages",
    m.RunPage,
    query=m.SearchQuery,
)

RUN_FIELDS = Operation(
    "run_fields",
    "GET",
    "/search/fields",
    "read",
    "What runs can be searched and sorted by",
    m.FieldsView,
)

COMPARE_RUNS = Operation(
    "compare_runs",
    "POST",
    "/compare",
    "read",
    "Runs side by side, what differs first",
    m.CompareView,
    body=m.CompareRequest,
)

COMPARE_CURVES = Operation(
    "compare_curves",
    "POST",
    "/compare/curves",
    "read",
    "A metric of several runs by step",
    m.CurvesView,
    body=m.CurvesRequest,
)

COMPARE_CELLS = Operation(
    "compare_cells",
    "POST",
    "/compare/cells",
    "read",
    "Two output notebooks cell by cell",
    m.CellsView,
    body=m.CellsRequest,
)

SWEEP_GALLERY = Operation(
    "sweep_gallery",
    "GET",
    "/sweeps/{sweep_id}/gallery",
    "read",
    "The images of one cell across the runs of a sweep, best run first",
    m.GalleryView,
    query=m.GalleryQuery,
)

OPERATIONS: tuple[Operation[Any], ...] = (
    SEARCH_RUNS,
    RUN_FIELDS,
    COMPARE_RUNS,
    COMPARE_CURVES,
    COMPARE_CELLS,
    SWEEP_GALLERY,
)
