"""Leases: who may act for the project, fenced so that a late writer is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ..core.exceptions import LeaseLost
from ..core.runs import ProcessIdentity
from .schema import leases

#: Seconds that a lease lasts unless it is renewed.
TTL = 30.0

#: When a lease expires that was let go.
_RELEASED = datetime.fromtimestamp(0, UTC)


class LeaseTable:
    """The leases of one project."""

    def __init__(self, engine: Engine, project: str) -> None:
        self._engine = engine
        self._project = project

    def acquire(
        self, name: str, holder: ProcessIdentity, is_alive: Callable[[ProcessIdentity], bool | None]
    ) -> int | None:
        """Take a lease and return its fencing token; None if another living process holds it.

        A holder that is known to be dead loses it at once, one that cannot be seen when it
        expires.
        """
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            row = connection.execute(self._select(name).with_for_update()).one_or_none()
            values = {"holder": asdict(holder), "expires_at": now + timedelta(seconds=TTL)}
            if row is None:
                connection.execute(
                    leases.insert().values(project=self._project, name=name, fence=1, **values)
                )
                return 1
            other = ProcessIdentity(**row.holder)
            if other != holder and row.expires_at > _RELEASED:
                # A holder that has let go may take a while to end.
                alive = is_alive(other)
                if alive or (alive is None and row.expires_at > now):
                    return None
            fence: int = row.fence + 1
            connection.execute(self._update(name).values(fence=fence, **values))
            return fence

    def renew(self, name: str, fence: int) -> None:
        """Keep a lease. Raises `LeaseLost` if another has taken it."""
        with self._engine.begin() as connection:
            done = connection.execute(
                self._update(name)
                .where(leases.c.fence == fence)
                .values(expires_at=datetime.now(UTC) + timedelta(seconds=TTL))
            )
            if not done.rowcount:
                raise LeaseLost

    def release(self, name: str, fence: int) -> None:
        """Let go of a lease at once."""
        with self._engine.begin() as connection:
            connection.execute(
                self._update(name).where(leases.c.fence == fence).values(expires_at=_RELEASED)
            )

    def _select(self, name: str) -> sa.Select[tuple[object, ...]]:
        return sa.select(leases).where(leases.c.project == self._project, leases.c.name == name)

    def _update(self, name: str) -> sa.Update:
        return leases.update().where(leases.c.project == self._project, leases.c.name == name)
