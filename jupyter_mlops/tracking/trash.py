"""MLflow's trash in the project's own store: what lies in it, and how it is emptied.

MLflow itself has only ``mlflow gc`` for this, which asks nobody whether a model version needs what
it removes.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .. import mlflow_client
from ..core.exceptions import TrackingUnavailable
from ..mlflow_client import PARENT, RUN, SWEEP, translated

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Seconds to wait for other writers.
_BUSY = 30.0
#: Ids in one query.
_BATCH = 500

#: MLflow runs that a model version was made from, and the logged models that versions are.
_NEEDED = """
    WITH versions AS (
        SELECT run_id, source FROM model_versions WHERE current_stage != 'Deleted_Internal'
    )
    SELECT run_id FROM versions WHERE run_id IS NOT NULL
    UNION SELECT source_run_id FROM logged_models WHERE 'models:/' || model_id IN
        (SELECT source FROM versions) AND source_run_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of one of our runs: its runs in MLflow and the models that they logged."""

    #: MLflow's run ids, and where each one's artifacts lie.
    runs: dict[str, str]
    #: The same of logged models.
    models: dict[str, str]


class Trash:
    """The trash of a project's own store. Raises `sqlite3.Error`."""

    def __init__(self, database: Path, artifacts: Path) -> None:
        self._database = database
        self._artifacts = artifacts

    def owners(self, before: datetime) -> list[str]:
        """Return the ids of our runs that have runs which were deleted before a time."""
        limit = int(before.timestamp() * 1000)
        query = (
            "SELECT DISTINCT tags.value FROM runs JOIN tags USING (run_uuid) "
            "WHERE tags.key = ? AND lifecycle_stage = 'deleted' AND deleted_time < ?"
        )
        with self._connected() as link:
            return [value for (value,) in link.execute(query, (RUN, limit))]

    def size(self, run_ids: Sequence[str]) -> int:
        """Return how many bytes of artifacts all that is left of runs takes, deleted or not."""
        remains = self._remains(run_ids, deleted=False)
        places = [*remains.runs.values(), *remains.models.values()]
        return sum(_size(path) for path in filter(None, map(self._local, places)))

    def empty(self, client: MlflowClient, run_ids: Sequence[str]) -> None:
        """Remove what is left of runs and lies in the trash for good, unless a version needs it.

        Raises MLflow's exceptions.
        """
        remains = self._remains(run_ids, deleted=True)
        store = client._tracking_client.store  # noqa: SLF001  # as `mlflow gc` does
        for model_id, place in remains.models.items():
            self._remove_files(place)
            store._hard_delete_logged_model(model_id)  # noqa: SLF001
        for run_id, place in remains.runs.items():
            self._remove_files(place)
            store._hard_delete_run(run_id)  # noqa: SLF001

    def _remains(self, run_ids: Sequence[str], *, deleted: bool) -> Remains:
        with self._connected() as link:
            needed = {row[0] for row in link.execute(_NEEDED)}
            runs = {
                run: place
                for run, place in self._runs(link, run_ids, deleted=deleted)
                if run not in needed
            }
            models = dict(_models(link, runs))
        return Remains(runs, models)

    def _runs(
        self, link: sqlite3.Connection, run_ids: Sequence[str], *, deleted: bool
    ) -> Iterator[tuple[str, str]]:
        """Yield the runs of our runs, and the parents of sweeps that have no others."""
        stage = "deleted" if deleted else "%"
        sweeps = {each.partition("-")[0] for each in run_ids} if deleted else ()
        of_run = "tags.key = ? AND tags.value IN ({})"
        ours = "SELECT run_uuid FROM tags WHERE key = 'mlops.run'"
        alone = f"{of_run} AND runs.run_uuid NOT IN ({ours})"
        for key, condition, values in ((RUN, of_run, run_ids), (SWEEP, alone, sorted(sweeps))):
            for some in _batches(values):
                query = (
                    "SELECT DISTINCT runs.run_uuid, artifact_uri FROM runs JOIN tags "  # noqa: S608
                    f"USING (run_uuid) WHERE {condition.format(_marks(some))} "
                    "AND lifecycle_stage LIKE ?"
                )
                yield from link.execute(query, (key, *some, stage))

    def _local(self, place: str) -> Path | None:
        """Return the folder of a location, if it is one of ours."""
        parts = urlsplit(place)
        path = Path(unquote(parts.path) if parts.scheme == "file" else place).resolve()
        ours = parts.scheme in ("", "file") and path.parent != self._artifacts
        return path if ours and path.is_relative_to(self._artifacts) else None

    def _remove_files(self, place: str) -> None:
        path = self._local(place)
        if path is not None:
            # A run's location ends in /artifacts, and nothing else lies beside that.
            folder = path.parent if path.name == "artifacts" else path
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._database, timeout=_BUSY)) as link:
            yield link


class TrashKeeper:
    """The part of a tracker that deals with the trash, which a server keeps to itself."""

    uri: str
    _artifacts: Path | None
    _database: Path | None

    def trashed(self, before: datetime) -> list[str]:
        """Return the ids of our runs whose runs were put into the trash before a time."""
        trash = self._trash
        with self._looking():
            return trash.owners(before) if trash is not None else []

    def footprint(self, run_ids: Sequence[str]) -> int:
        """Return how many bytes of artifacts `purge` would free if all were in the trash."""
        trash = self._trash
        with self._looking():
            return trash.size(run_ids) if trash is not None else 0

    def purge(self, run_ids: Sequence[str]) -> None:
        """Remove for good what lies in the trash of our runs; what a version needs stays."""
        trash = self._trash
        if trash is None:
            return
        client = mlflow_client.connect(self.uri)
        try:
            with self._looking(), translated(self.uri):
                trash.empty(client, run_ids)
        finally:
            mlflow_client.dispose(client)

    @property
    def _trash(self) -> Trash | None:
        if self._database is None or self._artifacts is None:
            return None
        return Trash(self._database, self._artifacts)

    @contextlib.contextmanager
    def _looking(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise TrackingUnavailable(f"The trash of {self.uri} cannot be read: {error}") from error


def _models(link: sqlite3.Connection, runs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the logged models of MLflow runs that no version was made of."""
    for some in _batches(sorted(runs)):
        query = (
            "SELECT DISTINCT model_id, artifact_location FROM logged_models "  # noqa: S608
            "LEFT JOIN logged_model_tags tags USING (model_id) "
            f"WHERE (source_run_id IN ({_marks(some)}) "
            f"OR (tag_key = ? AND tag_value IN ({_marks(some)}))) "
            "AND 'models:/' || model_id NOT IN (SELECT source FROM model_versions "
            "WHERE current_stage != 'Deleted_Internal' AND source IS NOT NULL)"
        )
        yield from link.execute(query, (*some, PARENT, *some))


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
