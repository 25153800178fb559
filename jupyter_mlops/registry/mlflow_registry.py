"""Registered models in MLflow, read and written with `MlflowClient` only."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import mlflow_client
from ..core.exceptions import NotFound, TrackingUnavailable
from ..core.model_names import check_alias, check_model_name, check_tags
from ..core.models import ModelVersion, Tracked
from ..mlflow_client import PARENT, RUN, SWEEP, pages, quoted, translated
from .finding import CARDS, Source, artifacts, datasets, default_store, find_model
from .model_files import check_files, recorded_hashes

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

#: The tracked run that was registered: the parent, if the model's own run is a child.
TRACKED = "mlops.mlflow_run"
_IS_PROMPT = "mlflow.prompt.is_prompt"
#: On a logged model: which versions were made of it. MLflow's pages show it.
_VERSIONS_OF_MODEL = "mlflow.modelVersions"
#: Ids in one search filter.
_IDS_PER_SEARCH = 100
#: On a version: where its card and what belongs to it are kept.
CARD = "mlops.card"
#: Seconds to wait for a server that copies the files.
_WAIT = 60


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
        check_tags(tags)
        client = self._client
        with translated(self.uri, missing=f"There is no tracked run {tracked_id}."):
            run = client.get_run(tracked_id)
            source = find_model(client, run)
            own = {key: run.data.tags[key] for key in (RUN, SWEEP) if key in run.data.tags}
            tags = {**own, TRACKED: tracked_id, **tags}
            is_new = _make_model(client, name)
            try:
                version = self._create_version(name, source, tags)
            except Exception:
                if is_new:
                    client.delete_registered_model(name)
                raise
            if alias is not None:
                client.set_registered_model_alias(name, alias, str(version))
        return self._get(name, version)

    def discard(self, name: str, version: int) -> None:
        """Remove a version that came to nothing, and its model if that has no other."""
        client = self._client
        with translated(self.uri, missing=_no_model(name, version)):
            found = client.get_model_version(name, str(version))
            scheme, _, model_id = (found.source or "").rpartition("/")
            if scheme == "models:" and mlflow_client.is_database(self.uri):
                _link(client, model_id, name, version, made=False)
            client.delete_model_version(name, str(version))
            if not client.search_model_versions(f"name = {_literal(name)}"):
                client.delete_registered_model(name)

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
        """Copy a version's files below a folder; return where they are.

        Raises `NotFound`, and `ModelAltered` if they are not those that were registered.
        """
        missing = f"The files of {name} v{version} are gone. Register it again."
        found = self._download(f"models:/{name}/{version}", folder, missing)
        with translated(self.uri, missing=_no_model(name, version)):
            tags = self._client.get_model_version(name, str(version)).tags
        check_files(found, recorded_hashes(tags))
        return found

    def fetch_model(self, tracked_id: str, folder: Path) -> Path:
        """Copy the files of a run's model below a folder. Raises `NoModelLogged`, `NotFound`."""
        with translated(self.uri, missing=f"There is no tracked run {tracked_id}."):
            source = find_model(self._client, self._client.get_run(tracked_id))
        return self._download(source.uri, folder, "The model's files are gone. Log it again.")

    def kept_of(self, tracked_id: str) -> Tracked:
        """Return what the tracker kept of a run, in whichever run its code put it."""
        client = self._client
        with translated(self.uri, missing=f"There is no tracked run {tracked_id}."):
            run = client.get_run(tracked_id)
            found = [run, *mlflow_client.children(client, run)]
            files = [path for each in found for path in artifacts(client, each.info.run_id)]
            inputs = [one for each in found for one in datasets(each)]
            metrics: dict[str, float] = {}
            for each in found:
                metrics = mlflow_client.metrics_of(each) | metrics
        return Tracked(
            metrics=metrics,
            parameters=dict(run.data.params),
            artifacts=tuple(files),
            datasets=tuple(inputs),
        )

    def keep(self, name: str, version: int, folder: Path, tags: dict[str, str]) -> None:
        """Keep files with a version, among the artifacts of its run, and tag it."""
        client = self._client
        with translated(self.uri, missing=_no_model(name, version)):
            found = client.get_model_version(name, str(version))
            run_id = found.tags.get(TRACKED) or found.run_id
            if run_id:
                try:
                    client.log_artifacts(run_id, str(folder), f"{CARDS}/{name}/v{version}")
                except OSError as error:
                    raise TrackingUnavailable(
                        f"The card of {name} could not be kept with the run: {error.strerror}."
                    ) from error
                tags = {**tags, CARD: f"runs:/{run_id}/{CARDS}/{name}/v{version}"}
            self._tag(name, version, tags)

    def kept(self, name: str, version: int, folder: Path) -> Path | None:
        """Copy what was kept with a version below a folder; None if nothing was."""
        with translated(self.uri, missing=_no_model(name, version)):
            place = self._client.get_model_version(name, str(version)).tags.get(CARD)
        if place is None:
            return None
        try:
            return self._download(place, folder, "gone")
        except NotFound:
            return None

    def annotate(
        self, name: str, version: int, *, tags: dict[str, str], notes: str | None = None
    ) -> ModelVersion:
        """Tag a version, and write notes on it. Raises `NotFound`, `InvalidInput`."""
        check_tags(tags)
        with translated(self.uri, missing=_no_model(name, version)):
            self._client.get_model_version(name, str(version))
            self._tag(name, version, tags)
            if notes is not None:
                self._client.update_model_version(name, str(version), description=notes)
        return self._get(name, version)

    def _tag(self, name: str, version: int, tags: dict[str, str]) -> None:
        for key, text in tags.items():
            self._client.set_model_version_tag(name, str(version), key, text)

    def _download(self, uri: str, folder: Path, missing: str) -> Path:
        from mlflow.artifacts import download_artifacts

        with translated(self.uri, missing=missing), default_store(self.uri):
            try:
                path = download_artifacts(
                    artifact_uri=uri,
                    dst_path=str(folder),
                    tracking_uri=self.uri,
                    registry_uri=self.uri,
                )
            except OSError as error:
                raise NotFound(missing) from error
        found = Path(path)
        for compiled in [*found.rglob("__pycache__")]:
            shutil.rmtree(compiled)  # no hash vouches for what Python compiled, and would execute
        return found

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

    def _create_version(self, name: str, source: Source, tags: dict[str, str]) -> int:
        client = self._client
        with default_store(self.uri):
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


def _make_model(client: MlflowClient, name: str) -> bool:
    """Make a model that has no version yet; return whether there was none of this name."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise
        return False
    return True


def _link(
    client: MlflowClient, model_id: str, name: str, version: int, *, made: bool = True
) -> None:
    """Note the version on its logged model, as an MLflow server does by itself, or no longer."""
    tags = client.get_logged_model(model_id).tags
    this = {"name": name, "version": version}
    known = [each for each in json.loads(tags.get(_VERSIONS_OF_MODEL, "[]")) if each != this]
    known += [this] if made else []
    client.set_logged_model_tags(model_id, {_VERSIONS_OF_MODEL: json.dumps(known)})


def _literal(text: str) -> str:
    """Write text for a search filter."""
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"


def _no_model(name: str, version: int | None = None) -> str:
    what = name if version is None else f"{name} v{version}"
    return f"There is no model {what}. List what there is with: jupyter mlops models list"
