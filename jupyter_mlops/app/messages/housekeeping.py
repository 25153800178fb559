"""House-keeping: what may go, and what went."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from .base import Request, View

#: Kinds of what takes space: output notebooks, MLflow's artifacts, notebooks as they were
#: submitted, journals, logs, and the databases with the events in them.
Kind = Literal["runs", "artifacts", "snapshots", "journals", "logs", "store"]


class CleanRequest(Request):
    """Remove finished runs of some age, and what nothing refers to any more."""

    #: Seconds since a run ended; None means what ``retention`` says, or no run at all.
    older_than: Annotated[float, msgspec.Meta(ge=0)] | None = None
    #: Only tell what would go.
    dry: bool = False


class CleanItem(View):
    """What goes of one kind."""

    kind: Kind
    #: Number of files, and of events in the store.
    count: int
    #: Bytes.
    size: int


class CleanView(View):
    """What went, or would go."""

    dry: bool
    #: Ids of the runs.
    runs: list[str]
    items: list[CleanItem]
    #: Bytes in all.
    size: int
    #: Runs that are old enough, and the model version that needs each.
    kept: dict[str, str]
