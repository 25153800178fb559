"""What an operation of the worker is; `operations` is their table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from . import messages as m

Method = Literal["GET", "POST", "PUT", "DELETE"]
#: The words of Jupyter's authorizer.
Action = Literal["read", "write", "execute"]


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """A request that the worker answers."""

    name: str
    method: Method
    #: Path below the API's root, with ``{placeholders}``.
    path: str
    action: Action
    #: What it does, for the OpenAPI file.
    summary: str
    response: type[R]
    query: type[m.Request] | None = None
    body: type[m.Request] | None = None
    #: Whether the browser may ask it, through the server extension.
    public: bool = True
