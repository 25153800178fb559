"""Registered models in MLflow, read and written with `MlflowClient` only."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import mlflow_client
from ..core.exceptions import InvalidInput, NoModelLogged, NotFound
from ..core.model_names import check_alias, check_model_name
from ..core.models import ModelVersion
from ..mlflow_client import PARENT, RUN, SWEEP, pages, quoted, translated

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities import Run as MlflowRun
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

#: The tracked run that was registered: the parent, if the model's own run is a child.
TRACKED = "mlops.mlflow_run"
_IS_PROMPT = "mlflow.prompt.is_prompt"
#: On a logged model: which versions were made of it. MLflow's pages show it.
_VERSIONS_OF_MODEL = "mlflow.modelVersions"
#: On a run of MLflow 2: the models that it logged.
_LOGGED_BEFORE_3 = "mlflow.log-model.history"
_TAG = re.compile(r"\w[\w.\-/ :]{0,249}")
#: Ids in one search filter.
_IDS_PER_SEARCH = 100
#: Seconds to wait for a server that copies the files.
_WAIT = 60


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a model's files are, and which run and logged model they belong to."""

    uri: str
    run_id: str
    model_id: str | None


class MlflowRegistry:
    """The registry that keeps its models in MLflow."""

    def __init__(self, tracker_uri: str) -> None:
        self.uri = mlflow_client.absolute(tracker_uri)

    def versions(self) -> list[ModelVersion]:
        """Return every version of every model, newest first within a model."""
        client = self._client
        with translated(self.uri):
            aliases = _aliases(client)
            found = list(_all_versions(client))
            runs = _runs(client, [each.run_id for each in found if each.run_id])
        views = (
            _view(each, aliases[each.name, int(each.version)], runs.get(each.run_id or ""))
            for each in found
        )
        return sorted(views, key=lambda each: (each.name, -each.version))

    def register(
        self, name: str, tracked_id: str, *, alias: str | None, tags: dict[str, str]
    ) -> ModelVersion:
        """Make the model of a tracked run a new version.

        Where the run's code chose another experiment and logged the model there, that one is taken.
        Raises `NoModelLogged`, `InvalidInput`.
        """
        check_model_name(name)
        if alias is not None:
            check_alias(alias)
        _check_tags(tags)
        client = self._client
        with translated(self.uri, missing=f"There is no tracked run {tracked_id}."):
            run = client.get_run(tracked_id)
            source = _find_model(client, run)
            own = {key: run.data.tags[key] for key in (RUN, SWEEP) if key in run.data.tags}
            _make_model(client, name)
            version = self._create_version(name, source, {**own, TRACKED: tracked_id, **tags})
            if alias is not None:
                client.set_registered_model_alias(name, alias, str(version))
        return self._get(name, version)

    def set_alias(self, name: str, alias: str, version: int) -> ModelVersion:
        """Point an alias at a version. Raises `NotFound`, `InvalidInput`."""
        check_model_name(name)
        check_alias(alias)
        self._get(name, version)
        with translated(self.uri):
            self._client.set_registered_model_alias(name, alias, str(version))
        return self._get(name, version)

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias. Raises `NotFound`."""
        client = self._client
        with translated(self.uri, missing=_no_model(name)):
            if alias not in client.get_registered_model(name).aliases:
                raise NotFound(f"{name} has no alias {alias}. See: jupyter mlops models list.")
            client.delete_registered_model_alias(name, alias)

    def aliased(self, name: str, alias: str) -> int | None:
        """Return the version that an alias points at; None if there is none. Asks but once."""
        try:
            with translated(self.uri, missing=_no_model(name)):
                found = self._client.get_registered_model(name).aliases.get(alias)
        except NotFound:
            return None
        return None if found is None else int(found)

    def find(
        self, name: str, *, version: int | None = None, alias: str | None = None
    ) -> ModelVersion:
        """Return a version by its number or an alias, else the latest one. Raises `NotFound`."""
        if version is not None:
            return self._get(name, version)
        client = self._client
        with translated(self.uri, missing=_no_model(name)):
            model = client.get_registered_model(name)
            if alias is None:
                found = client.search_model_versions(f"name = {_literal(name)}")
                numbers = [int(each.version) for each in found]
            else:
                numbers = [int(model.aliases[alias])] if alias in model.aliases else []
        if not numbers:
            what = f"version of {name}" if alias is None else f"alias {alias} of {name}"
            raise NotFound(f"There is no {what}. See: jupyter mlops models list")
        return self._get(name, max(numbers))

    def fetch(self, name: str, version: int, folder: Path) -> Path:
        """Copy a version's files below a folder; return where they are. Raises `NotFound`."""
        from mlflow.artifacts import download_artifacts

        missing = f"The files of {name} v{version} are gone. Register it again."
        with translated(self.uri, missing=missing), _default_store(self.uri):
            try:
                found = download_artifacts(
                    artifact_uri=f"models:/{name}/{version}",
                    dst_path=str(folder),
                    tracking_uri=self.uri,
                    registry_uri=self.uri,
                )
            except OSError as error:
                raise NotFound(missing) from error
        return Path(found)

    def protected(self, tracked_ids: Sequence[str]) -> dict[str, str]:
        """Return those runs that a version was made from, with the version as ``name vN``.

        That includes runs whose code made the version's run.
        """
        client = self._client
        with translated(self.uri):
            found = list(_all_versions(client))
            runs = _runs(client, [each.run_id for each in found if each.run_id])
        asked, needed = set(tracked_ids), {}
        for each in found:
            run = runs.get(each.run_id or "")
            sources = {each.run_id, each.tags.get(TRACKED), run and run.data.tags.get(PARENT)}
            for source in asked.intersection(sources):
                needed[source] = f"{each.name} v{each.version}"
        return needed

    @cached_property
    def _client(self) -> MlflowClient:
        return mlflow_client.connect(self.uri)

    def _get(self, name: str, version: int) -> ModelVersion:
        client = self._client
        with translated(self.uri, missing=_no_model(name, version)):
            found = client.get_model_version(name, str(version))
            runs = _runs(client, [found.run_id] if found.run_id else [])
        return _view(found, found.aliases, runs.get(found.run_id or ""))

    def _create_version(self, name: str, source: _Source, tags: dict[str, str]) -> int:
        client = self._client
        with _default_store(self.uri):
            created = client.create_model_version(
                name,
                source.uri,
                source.run_id,
                tags=tags,
                model_id=source.model_id,
                await_creation_for=_WAIT,
            )
        version = int(created.version)
        if source.model_id is not None and mlflow_client.is_database(self.uri):
            _link(client, source.model_id, name, version)
        return version


def _all_versions(client: MlflowClient) -> Iterator[MlflowVersion]:
    found = pages(lambda token: client.search_model_versions(page_token=token))
    return (each for each in found if _IS_PROMPT not in each.tags)


def _aliases(client: MlflowClient) -> defaultdict[tuple[str, int], list[str]]:
    """Return the aliases of each version; a search for versions does not tell them."""
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    models = pages(
        lambda token: client.search_registered_models(max_results=1000, page_token=token)
    )
    for model in models:
        for alias, version in model.aliases.items():
            found[model.name, int(version)].append(alias)
    return found


def _runs(client: MlflowClient, run_ids: Sequence[str]) -> dict[str, MlflowRun]:
    """Return runs by id, a hundred at a time; those that are gone are left out."""
    wanted = sorted(set(run_ids))
    where = mlflow_client.experiments(client, "ALL") if wanted else []
    found: dict[str, MlflowRun] = {}
    for start in range(0, len(wanted), _IDS_PER_SEARCH):
        ids = ", ".join(map(quoted, wanted[start : start + _IDS_PER_SEARCH]))
        for run in mlflow_client.search_runs(client, where, f"attributes.run_id IN ({ids})", "ALL"):
            found[run.info.run_id] = run
    return found


def _view(version: MlflowVersion, aliases: Sequence[str], run: MlflowRun | None) -> ModelVersion:
    tags = {key: value for key, value in version.tags.items() if key != TRACKED}
    return ModelVersion(
        name=version.name,
        version=int(version.version),
        aliases=tuple(sorted(aliases)),
        description=version.description or "",
        tags=tags,
        created_at=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
        run_id=tags.get(RUN) or (run.data.tags.get(RUN) if run else None),
        mlflow_run_id=version.tags.get(TRACKED) or version.run_id or None,
        metrics=mlflow_client.metrics_of(run) if run else {},
        parameters=dict(run.data.params) if run else {},
    )


def _find_model(client: MlflowClient, run: MlflowRun) -> _Source:
    """Return the model that a run logged last: itself, outside any run, or in another run."""
    models = mlflow_client.models_of(client, run)
    if models:
        run_id = run.info.run_id
        steps = mlflow_client.output_steps(run)

        def rank(model: LoggedModel) -> tuple[int, int, int]:
            owner = {run_id: 2, None: 1, "": 1}.get(model.source_run_id, 0)
            return owner, steps.get(model.model_id, 0), model.creation_timestamp

        model = max(models, key=rank)
        return _Source(f"models:/{model.model_id}", model.source_run_id or run_id, model.model_id)
    for each in (run, *mlflow_client.children(client, run)):
        source = _model_artifact(each)
        if source is not None:
            return source
    raise NoModelLogged


def _model_artifact(run: MlflowRun) -> _Source | None:
    """Return the model that a client of MLflow 2 logged, whose files are artifacts of the run."""
    logged = json.loads(run.data.tags.get(_LOGGED_BEFORE_3, "[]"))
    if not logged:
        return None
    return _Source(f"{run.info.artifact_uri}/{logged[-1]['artifact_path']}", run.info.run_id, None)


def _make_model(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise


def _link(client: MlflowClient, model_id: str, name: str, version: int) -> None:
    """Note the version on its logged model, as an MLflow server does by itself."""
    known = json.loads(client.get_logged_model(model_id).tags.get(_VERSIONS_OF_MODEL, "[]"))
    known.append({"name": name, "version": version})
    client.set_logged_model_tags(model_id, {_VERSIONS_OF_MODEL: json.dumps(known)})


@contextmanager
def _default_store(uri: str) -> Iterator[None]:
    """Let MLflow's SQL registry, which knows no other way, find a logged model in this store."""
    name = "MLFLOW_TRACKING_URI"
    before = os.environ.get(name)
    os.environ[name] = uri
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_tags(tags: dict[str, str]) -> None:
    for key in tags:
        if not _TAG.fullmatch(key):
            raise InvalidInput(
                f"tags: {key!r} is no name of a tag. Use letters, digits, and . _ - /",
                field="tags",
            )


def _literal(text: str) -> str:
    """Write text for a search filter."""
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"


def _no_model(name: str, version: int | None = None) -> str:
    what = name if version is None else f"{name} v{version}"
    return f"There is no model {what}. List what there is with: jupyter mlops models list"
