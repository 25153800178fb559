"""Quick looks at the project's own tracking database, past the layers of MLflow.

Reading a run takes MLflow milliseconds and us microseconds, which counts where runs are short.
Whatever is not as we know it makes us look through MLflow instead: every method may answer None.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..mlflow_client import PARENT

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

log = logging.getLogger(__name__)

_CHILD = """
    SELECT 1 FROM runs CROSS JOIN tags ON tags.key = ? AND tags.run_uuid = runs.run_uuid
    WHERE runs.rowid > (SELECT rowid FROM runs WHERE run_uuid = ?) AND tags.value = ? LIMIT 1
"""
_MODEL = """
    SELECT 1 FROM logged_models AS model WHERE model.rowid > ? AND (source_run_id = ? OR EXISTS (
        SELECT 1 FROM logged_model_tags AS tag
        WHERE tag.model_id = model.model_id AND tag.tag_key = ? AND tag.tag_value = ?
    )) LIMIT 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a run has by now, keys as MLflow has them."""

    parameters: dict[str, str]
    tags: dict[str, str]
    #: Last values; NaN is itself, infinity as MLflow keeps it.
    metrics: dict[str, float]
    #: Milliseconds since the epoch.
    start_time: int
    #: Where its files lie.
    artifacts: str


def facts_of(run: MlflowRun) -> Facts:
    """Return the facts of a run that was read through MLflow."""
    data = run.data
    return Facts(
        parameters=data.params,
        tags=data.tags,
        metrics=data.metrics,
        start_time=run.info.start_time,
        artifacts=run.info.artifact_uri,
    )


class Glance:
    """Reads the database from one thread."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._link: sqlite3.Connection | None = None

    def facts(self, run_id: str) -> Facts | None:
        """Return what an active run has; None if there is none."""
        rows = self._rows(
            "SELECT start_time, artifact_uri FROM runs "
            "WHERE run_uuid = ? AND lifecycle_stage = 'active'",
            run_id,
        )
        parameters = self._rows("SELECT key, value FROM params WHERE run_uuid = ?", run_id)
        tags = self._rows("SELECT key, value FROM tags WHERE run_uuid = ?", run_id)
        metrics = self._rows(
            "SELECT key, value, is_nan FROM latest_metrics WHERE run_uuid = ?", run_id
        )
        if not rows or parameters is None or tags is None or metrics is None:
            return None
        return Facts(
            parameters=dict(parameters),
            tags=dict(tags),
            metrics={key: math.nan if is_nan else value for key, value, is_nan in metrics},
            start_time=rows[0][0],
            artifacts=rows[0][1],
        )

    def last_model(self) -> int | None:
        """Return the number of the newest logged model; 0 if there is none."""
        rows = self._rows("SELECT coalesce(max(rowid), 0) FROM logged_models")
        return int(rows[0][0]) if rows else None

    def has_child(self, run_id: str) -> bool | None:
        """Whether code has made a run below this one."""
        rows = self._rows(_CHILD, PARENT, run_id, run_id)
        return None if rows is None else bool(rows)

    def has_model(self, run_id: str, after: int | None) -> bool | None:
        """Whether a model was logged for a run, among those that are newer than ``after``."""
        last = self.last_model()
        # Numbers are used again after models were removed for good.
        known = after if after is not None and last is not None and last >= after else 0
        rows = self._rows(_MODEL, known, run_id, PARENT, run_id)
        return None if rows is None else bool(rows)

    def close(self) -> None:
        """Release the connection; it is made again when needed."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _rows(self, query: str, *values: Any) -> Sequence[tuple[Any, ...]] | None:
        try:
            if self._link is None:
                address = f"{self._database.as_uri()}?mode=ro"
                self._link = sqlite3.connect(address, uri=True, isolation_level=None)
            return self._link.execute(query, values).fetchall()
        except sqlite3.Error as error:
            log.info("%s is read through MLflow: %s", self._database.name, error)
            self.close()
            return None
