"""What there is and what refers to it, for house-keeping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..core.runs import Run, Status
from . import reading
from .base import Database
from .schema import attempts, events, runs, sweeps

#: Ids in one query.
_BATCH = 500

_FINISHED = [status for status in Status if status.finished]


class Inventory:
    """Looks at all of a project's rows at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def finished(self, before: datetime) -> list[Run]:
        """List the runs that ended before a time, of sweeps of which none waits or runs."""
        others = runs.alias()
        goes_on = sa.exists().where(
            others.c.project == runs.c.project,
            others.c.sweep_id == runs.c.sweep_id,
            others.c.status.not_in(_FINISHED),
        )
        query = sa.select(runs).where(
            self._database.mine(runs),
            runs.c.status.in_(_FINISHED),
            runs.c.finished_at < before,
            ~goes_on,
        )
        return [reading.run(row) for row in self._all(query)]

    def unfinished(self, ids: Sequence[str]) -> bool:
        """Whether any of these runs waits or runs."""
        batches = (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
        open_ = runs.c.status.not_in(_FINISHED)
        return any(
            self._all(
                sa.select(runs.c.id)
                .where(self._database.mine(runs), runs.c.id.in_(some), open_)
                .limit(1)
            )
            for some in batches
        )

    def runs(self) -> dict[str, str]:
        """Return the sweep of each run."""
        query = sa.select(runs.c.id, runs.c.sweep_id).where(self._database.mine(runs))
        return {row.id: row.sweep_id for row in self._all(query)}

    def tracked(self) -> dict[str, list[str]]:
        """Return the tracker's ids of each run's attempts."""
        query = sa.select(attempts.c.run_id, attempts.c.mlflow_run_id).where(
            self._database.mine(attempts), attempts.c.mlflow_run_id.is_not(None)
        )
        found: dict[str, list[str]] = defaultdict(list)
        for row in self._all(query):
            found[row.run_id].append(row.mlflow_run_id)
        return found

    def snapshots(self, without: Collection[str] = ()) -> set[str]:
        """Return the hashes of the notebooks and uncommitted changes that are referred to.

        What only the runs in ``without`` refer to does not count.
        """
        sweep_of = self.runs()
        emptied = set(sweep_of.values()) - {
            sweep for run, sweep in sweep_of.items() if run not in without
        }
        submitted = sa.select(sweeps.c.id, sweeps.c.notebook_hash, sweeps.c.context).where(
            self._database.mine(sweeps)
        )
        executed = sa.select(attempts.c.run_id, attempts.c.notebook_hash).where(
            self._database.mine(attempts), attempts.c.notebook_hash.is_not(None)
        )
        resumed = sa.select(runs.c.id, runs.c.resume).where(
            self._database.mine(runs), runs.c.resume.is_not(None)
        )
        kept = [row for row in self._all(submitted) if row.id not in emptied]
        found = {row.notebook_hash for row in kept} | {_patch(row.context) for row in kept}
        found |= {row.notebook_hash for row in self._all(executed) if row.run_id not in without}
        found |= {
            row.resume["notebook_hash"] for row in self._all(resumed) if row.id not in without
        }
        return found

    def events(self, before: datetime) -> int:
        """Count the events before a time."""
        query = sa.select(sa.func.count()).where(
            self._database.mine(events), events.c.time < before
        )
        return int(self._all(query)[0][0])

    def forget_events(self, before: datetime) -> None:
        """Remove the events before a time. Their numbers are not given again."""
        with self._database.transaction() as transaction:
            transaction.connection.execute(
                events.delete().where(self._database.mine(events), events.c.time < before)
            )

    def _all(self, query: sa.Select[Any]) -> list[reading.Row]:
        with self._database.transaction() as transaction:
            return list(transaction.connection.execute(query).all())


def _patch(context: dict[str, Any] | None) -> str:
    """Return the hash of the changes that were kept of a sweep's repository; empty if none."""
    git = (context or {}).get("git") or {}
    return str((git.get("changes") or {}).get("patch") or "")
