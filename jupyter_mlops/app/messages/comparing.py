"""Runs side by side: what differs, their curves, their cells and their images."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from .base import Count, Name, Request, View
from .runs import ListQuery, MetricSeries, RunView

Ids = Annotated[list[Name], msgspec.Meta(min_length=1, max_length=1_000)]
Change = Literal["same", "changed", "added", "removed"]


class CompareRequest(Request):
    """Which runs; a sweep's id stands for all of its runs."""

    ids: Ids


class CompareRow(View):
    """One name and its value in each run, by the run's id; a run that lacks it is left out."""

    name: str
    differs: bool
    values: dict[str, Any]


class CompareView(View):
    """Runs side by side; of each list what differs comes first."""

    runs: list[RunView]
    #: Number of runs that were meant, of which these may be a part.
    total: int
    parameters: list[CompareRow]
    metrics: list[CompareRow]
    #: How they ran, what they used, and where they came from (``git.commit``).
    facts: list[CompareRow]


class CurvesRequest(CompareRequest):
    """Which metric of which runs, and how many points each curve may have."""

    key: Name
    points: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 500


class CurvesView(View):
    """A metric of several runs by step, to be drawn over one another."""

    key: str
    #: One for each run that has the metric, in the order of the runs.
    series: list[MetricSeries]
    #: Why a curve may be missing, such as a tracking server that is away.
    notes: list[str]


class CellsRequest(Request):
    """Two runs whose output notebooks are compared."""

    left: Name
    right: Name


class DiffLine(View):
    """A line that only the left, only the right, or both have."""

    change: Literal["same", "added", "removed"]
    text: str


class OutputSide(View):
    """What one side put out: text, or an image in base64 (SVG as it is)."""

    mime: str
    #: Bytes, of which ``text`` may show the beginning only.
    size: int
    text: str | None = None
    #: None for what is no image or too large to be sent.
    image: str | None = None


class OutputDiff(View):
    """An output of a cell that differs."""

    change: Change
    left: OutputSide | None
    right: OutputSide | None
    #: Of texts, line by line.
    lines: list[DiffLine]


class CellDiff(View):
    """A cell that one notebook or both have."""

    change: Change
    cell_type: str
    #: Its position among all cells, from 1; None where it is missing.
    left: int | None
    right: int | None
    #: Its first line, on the right if there is one.
    title: str
    #: Of its source, if that differs.
    source: list[DiffLine]
    #: Outputs that differ.
    outputs: list[OutputDiff]


class CellsView(View):
    """Two output notebooks, cell by cell."""

    left: str
    right: str
    cells: list[CellDiff]


class GalleryQuery(ListQuery):
    """Which cell of which part of a sweep's runs; without one the last that put out an image."""

    #: Number of a code cell of the output notebooks, from 1, as everywhere.
    cell: Count | None = None
    tag: Name | None = None


class ImageView(View):
    """An image: base64, or the text of an SVG. It is drawn as an image, never as a document."""

    mime: str
    size: int
    #: None if it is too large to be sent.
    data: str | None


class GalleryItem(View):
    """What a cell put out in one run."""

    run: RunView
    images: list[ImageView]
    #: Why there is none.
    problem: str | None = None


class GalleryCell(View):
    """A code cell that put out images in the first runs that were looked at."""

    cell: int
    tags: list[str]
    title: str


class GalleryView(View):
    """One cell across the runs of a sweep."""

    sweep_id: str
    #: The code cell, from 1; None if no cell put out an image.
    cell: int | None
    items: list[GalleryItem]
    #: Number of runs in all.
    total: int
    #: What can be chosen.
    cells: list[GalleryCell]
