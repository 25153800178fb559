"""What all messages are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

#: Version of this vocabulary. A client and a worker that differ in it do not talk.
PROTOCOL = 1

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """A request body or query; unknown fields are refused."""


class View(msgspec.Struct):
    """An answer."""


class Empty(View):
    """Done; there is nothing to tell."""


class ErrorDetail(View):
    """What went wrong, for the user: one line, and the parameter or option it is about."""

    code: str
    message: str
    field: str | None = None


class ErrorView(View):
    """The one shape of every error."""

    error: ErrorDetail
