"""The files that runs keep."""

from __future__ import annotations

from typing import Annotated

import msgspec

from .base import Path, Request, View


class ArtifactView(View):
    """A file that a run kept."""

    #: Relative to the run, with forward slashes.
    path: str
    #: None if the store does not tell.
    size: int | None
    #: What its name promises.
    media_type: str
    #: None in lists: a file is only read when it is asked for.
    sha256: str | None = None


class ArtifactsView(View):
    """The files that a run kept, by path."""

    run_id: str
    artifacts: list[ArtifactView]
    #: Whether there are more than these.
    more: bool
    #: Why some may be missing, in one line.
    problem: str | None = None


class ArtifactQuery(Request):
    """Which file."""

    path: Path


class ContentQuery(ArtifactQuery):
    """Which file, and how much of it."""

    #: Bytes from its beginning; none given means all.
    first: Annotated[int, msgspec.Meta(ge=1)] | None = None
