"""What a project's settings say of features, and where the catalog finds them."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ..catalog.place import ENVIRONMENT
from ..core.exceptions import InvalidInput
from ..core.features import Source, parse_duration
from .variables import Variable


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table that features are made from, as ``[features.sources.NAME]``."""

    #: File, pattern of files, or ``s3://`` URL; relative to the project.
    path: str | None = None
    #: SQLAlchemy URL of a database, which may hold a secret, or the variable that holds it.
    url: str | Variable | None = None
    #: Table of the database or of a DuckDB file.
    table: str | None = None
    #: Query of the database, in place of a table.
    query: str | None = None
    #: Column that tells when a row was known; computing a window reads its rows alone.
    timestamp: str | None = None
    #: Whom to ask about it.
    owner: str | None = None
    #: What it holds, for the catalog.
    description: str = ""
    #: How old the newest content may be, such as ``1d``.
    freshness: str | None = None
    #: Revision of git in which DVC tracks the file; unset means the present one.
    rev: str | None = None

    def __repr__(self) -> str:
        """Return it without the URL."""
        return f"SourceSettings(path={self.path!r}, table={self.table!r})"


class FeatureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``[features]`` may say."""

    #: Folder of the modules that define features.
    modules: str = "features"
    #: Folder of the computed values; unset means ``features`` in the state folder.
    folder: str | None = None
    #: Online store: a file, or ``redis://HOST:PORT/DB``; unset means SQLite in the state folder.
    online: str | Variable | None = None
    #: Tables that features are made from, by name.
    sources: dict[str, SourceSettings] = msgspec.field(default_factory=dict)
    #: Who may read the values of features, by their sensitivity; their owner may always.
    access: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def as_source(name: str, given: SourceSettings) -> Source:
    """Return a source as the catalog takes it. Raises `InvalidInput`."""
    where = f"features.sources.{name}"
    if not name.isidentifier():
        raise InvalidInput(f"{where}: functions cannot take an argument of this name. Rename it.")
    if (given.path is None) == (given.url is None):
        raise InvalidInput(f"{where}: give either path or url.")
    if given.url is not None and (given.table is None) == (given.query is None):
        raise InvalidInput(f"{where}: give either the table or a query of the database.")
    return Source(
        name=name,
        path=given.path,
        url=reference(given.url),
        table=given.table,
        query=given.query,
        timestamp=given.timestamp,
        owner=given.owner,
        description=given.description,
        freshness=_duration(where, given.freshness),
        rev=given.rev,
    )


def reference(given: str | Variable | None) -> str | None:
    """Return a URL, or how the catalog is told the variable that holds it."""
    return f"{ENVIRONMENT}{given.env}" if isinstance(given, Variable) else given


def _duration(where: str, text: str | None) -> timedelta | None:
    return None if text is None else parse_duration(text, f"{where}.freshness")
