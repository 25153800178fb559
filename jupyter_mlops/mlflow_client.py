"""What tracking and the registry share of MLflow: the client, and its errors in plain words.

MLflow is imported on first use, since that costs more than a second.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from .core.exceptions import InvalidInput, MlopsError, NotFound, TrackingUnavailable
from .core.urls import without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.exceptions import MlflowException

T = TypeVar("T")

#: Tags by which our runs are found. ``mlops.attempt`` is on an attempt's own run only; runs that
#: its code starts carry ``mlops.run`` and ``mlops.sweep``.
RUN = "mlops.run"
SWEEP = "mlops.sweep"
ATTEMPT = "mlops.attempt"
PARENT = "mlflow.parentRunId"
#: On runs whose code chooses another experiment or store: what it logs lies in child runs.
DETACHED = "mlops.detached"
#: Before the name of a metric that MLflow would not take as it is; the value is that name.
METRIC = "mlops.metric."
#: Before the name of such a parameter.
PARAMETER = "mlops.parameter."

#: What our own process sets, and MLflow's own settings: seconds and repeats after which a server is
#: given up (the spool brings later what could not be recorded now; user code has no spool), and no
#: progress bars of MLflow's among our output.
_SETTINGS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": ("false", "true"),
    "MLFLOW_HTTP_REQUEST_TIMEOUT": ("20", "120"),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": ("1", "7"),
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": ("1", "2"),
}
_ours: set[str] = set()

#: Seconds to wait for a database server to accept a connection.
_CONNECT_TIMEOUT = 5.0
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
#: Tracking URIs that are a word.
_HOSTED = frozenset({"databricks", "databricks-uc", "uc"})

#: Error codes of what does not exist.
MISSING = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})

#: What SQL stores keep for infinity.
_LARGEST = 1.7976931348623157e308


def prepare_process() -> None:
    """Set MLflow's variables for this process, where the user has not.

    Telemetry is off unless MLFLOW_DISABLE_TELEMETRY=false; a dead server is given up quickly.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name, (value, _) in _SETTINGS.items():
        if name not in os.environ:
            os.environ[name] = value
            _ours.add(name)


def kernel_defaults() -> dict[str, str]:
    """Return what a kernel's environment needs so that our own settings do not reach it."""
    telemetry = os.environ.get("MLFLOW_DISABLE_TELEMETRY", "true")
    theirs = {name: _SETTINGS[name][1] for name in sorted(_ours)}
    return {"MLFLOW_DISABLE_TELEMETRY": telemetry} | theirs


def absolute(uri: str) -> str:
    """Return the URI with a relative SQLite path made absolute: a kernel has another folder."""
    prefix = "sqlite:///"
    path = uri.removeprefix(prefix)
    if path == uri or path.startswith(("/", ":memory:", "file:")):
        return uri
    return f"{prefix}{Path.cwd() / path}"


def is_database(uri: str) -> bool:
    """Whether clients open a database themselves, so that they decide where artifacts lie."""
    return urlsplit(uri).scheme.partition("+")[0] in ("sqlite", *_PORTS)


def connect(uri: str) -> MlflowClient:
    """Return a client. Raises `TrackingUnavailable`, `InvalidInput`."""
    _check_scheme(uri)
    _check_reachable(uri)
    with translated(uri):
        from mlflow import MlflowClient

        return MlflowClient(uri)


def dispose(client: MlflowClient) -> None:
    """Close the database connections of a client; MLflow has no public call for it."""
    for part in ("_tracking_client", "_registry_client_lazy"):
        engine = getattr(getattr(getattr(client, part, None), "store", None), "engine", None)
        if engine is not None:
            engine.dispose()


def quoted(value: str) -> str:
    """Return a value for a search filter. Raises `InvalidInput` if it would break out of it."""
    if not re.fullmatch(r"[\w.\-]+", value):
        raise InvalidInput(f"{value!r} is not an id.")
    return f"'{value}'"


def pages(fetch: Callable[[str | None], list[T]]) -> Iterator[T]:
    """Yield the items of all pages of an MLflow search."""
    token: str | None = None
    while True:
        page = fetch(token)
        yield from page
        token = getattr(page, "token", None)
        if not token:
            return


def get_run(client: MlflowClient, run_id: str) -> Run | None:
    """Return a run, in the trash or not; None if there is none. Raises MLflow's exceptions."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in MISSING:
            return None
        raise


def search_runs(
    client: MlflowClient, experiments: Sequence[str], wanted: str, view: str = "ACTIVE_ONLY"
) -> Iterator[Run]:
    """Yield the runs that match a filter. Raises MLflow's exceptions."""
    from mlflow.entities import ViewType

    return pages(
        lambda token: client.search_runs(
            list(experiments),
            filter_string=wanted,
            run_view_type=getattr(ViewType, view),
            max_results=1000,
            page_token=token,
        )
    )


def experiments(client: MlflowClient, view: str = "ACTIVE_ONLY") -> list[str]:
    """Return the ids of all experiments. Raises MLflow's exceptions."""
    from mlflow.entities import ViewType

    found = pages(
        lambda token: client.search_experiments(
            view_type=getattr(ViewType, view), max_results=1000, page_token=token
        )
    )
    return [each.experiment_id for each in found]


def children(client: MlflowClient, run: Run) -> list[Run]:
    """Return the active runs that an attempt's own code started. Raises MLflow's exceptions."""
    where = experiments(client) if DETACHED in run.data.tags else [run.info.experiment_id]
    found = search_runs(client, where, f"tags.`{PARENT}` = {quoted(run.info.run_id)}")
    return [each for each in found if ATTEMPT not in each.data.tags]


def models_of(client: MlflowClient, run: Run) -> list[LoggedModel]:
    """Return the models that an attempt's code logged, in any run. Raises MLflow's exceptions.

    A bare ``log_model`` starts no run and belongs to none, but carries the kernel's tags. Servers
    before MLflow 3 know no logged models, and therefore none.
    """
    from mlflow.exceptions import MlflowException

    where = experiments(client) if DETACHED in run.data.tags else [run.info.experiment_id]
    run_id = quoted(run.info.run_id)
    found: dict[str, LoggedModel] = {}
    try:
        for wanted in (f"source_run_id = {run_id}", f"tags.`{PARENT}` = {run_id}"):
            found |= {each.model_id: each for each in _search_models(client, where, wanted)}
    except MlflowException as error:
        if error.error_code != "ENDPOINT_NOT_FOUND":
            raise
    return [each for each in found.values() if each.status == "READY"]


def _search_models(
    client: MlflowClient, where: Sequence[str], wanted: str
) -> Iterator[LoggedModel]:
    return pages(
        lambda token: client.search_logged_models(
            list(where), filter_string=wanted, page_token=token
        )
    )


def output_steps(run: Run) -> dict[str, int]:
    """Return the models that are a run's outputs, with the step at which they were logged."""
    return {each.model_id: each.step for each in run.outputs.model_outputs} if run.outputs else {}


def metrics_of(run: Run) -> dict[str, float]:
    """Return a run's last metric values under the names by which they were logged."""
    return named(run.data.metrics, run.data.tags)


def named(metrics: Mapping[str, float], tags: Mapping[str, str]) -> dict[str, float]:
    """Return stored metric values under the names by which they were logged."""
    return {tags.get(f"{METRIC}{key}", key): restored(value) for key, value in metrics.items()}


def restored(value: float) -> float:
    """Turn the stand-in that SQL stores keep for infinity back into infinity."""
    if abs(value) >= _LARGEST:
        return float("inf") if value > 0 else float("-inf")
    return value


@contextmanager
def translated(uri: str, *, missing: str | None = None) -> Iterator[None]:
    """Turn MLflow's errors into ours. ``missing`` is the message for what does not exist."""
    prepare_process()
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise _meaning(error, uri, missing) from error
    except ImportError as error:
        raise InvalidInput(
            f"The tracking store {without_secrets(uri)} needs the package {error.name}. "
            "Install it beside jupyter-mlops.",
            field="tracking_uri",
        ) from error
    except (requests.RequestException, sqlalchemy.exc.SQLAlchemyError) as error:
        raise TrackingUnavailable(
            f"The tracking store {without_secrets(uri)} failed: {_first_line(str(error))}"
        ) from error


_REFUSED_LOGIN = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"})
_REFUSED = frozenset(
    {"INVALID_PARAMETER_VALUE", "INVALID_STATE", "BAD_REQUEST"}
    | {"ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS", "RESOURCE_CONFLICT"}
)


def _meaning(error: MlflowException, uri: str, missing: str | None) -> MlopsError:
    code = error.error_code
    text = str(error.message).removeprefix(f"{code}: ")
    if code in MISSING:
        return NotFound(missing or _first_line(text))
    if code in _REFUSED and "sqlalche.me" not in text:
        return InvalidInput(_first_line(text))
    return TrackingUnavailable(_why_unavailable(text, code, without_secrets(uri)))


def _why_unavailable(text: str, code: str, where: str) -> str:
    if "out-of-date database schema" in text:
        return (
            "The tracking database was made by another version of MLflow. "
            f"Back it up, then run: mlflow db upgrade {where}"
        )
    if code in _REFUSED_LOGIN:
        return (
            f"The tracking server {where} refused the login. Set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        )
    if code == "ENDPOINT_NOT_FOUND" or "not in a valid JSON format" in text:
        return f"{where} answers, but it is no MLflow server. Check tracking_uri."
    if "API request to" in text:
        return f"The tracking server {where} does not answer. Check it, or tracking_uri."
    return f"The tracking store {where} failed: {_first_line(text)}"


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    line = re.sub(r"//[^/@\s]+@", "//", line)
    return line if len(line) <= 300 else f"{line[:299]}…"


def _check_scheme(uri: str) -> None:
    is_folder = urlsplit(uri).scheme in ("", "file") and uri not in _HOSTED
    if is_folder and os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() != "true":
        raise InvalidInput(
            f"MLflow no longer writes folders of files such as {uri}. Set tracking_uri to a "
            "database or a server, for example sqlite:///mlflow.db, and bring old runs along "
            "with: mlflow migrate-filestore",
            field="tracking_uri",
        )


def _check_reachable(uri: str) -> None:
    """Fail fast where MLflow would try to reach a database server for minutes."""
    parts = urlsplit(uri)
    port = _PORTS.get(parts.scheme.partition("+")[0])
    if port is None or not parts.hostname:
        return
    try:
        socket.create_connection(
            (parts.hostname, parts.port or port), timeout=_CONNECT_TIMEOUT
        ).close()
    except OSError as error:
        raise TrackingUnavailable(
            f"The tracking database {without_secrets(uri)} does not answer "
            f"({error.strerror or error}). Check it, or tracking_uri."
        ) from error
