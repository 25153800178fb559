"""Every error a user can meet. The docstring is the default message, so it says what to do."""

from __future__ import annotations

from typing import ClassVar


class MlopsError(Exception):
    """Something went wrong inside jupyter-mlops. Run the command again with --debug for details."""

    #: Stable name of the error in JSON, e.g. ``{"error": {"code": "not_found", ...}}``.
    code: ClassVar[str] = "failed"

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        #: Name of the parameter or option that was refused, if the error is about one.
        self.field = field
        super().__init__(self.message)

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in a cell: one line in place of a traceback."""
        return [f"Error: {self.message}"]


class InvalidInput(MlopsError):
    """The request was refused. Check the values that you gave."""

    code = "invalid_input"


class BadSpace(InvalidInput):
    """The parameter space cannot be read. Write values like 3,5,7 or 1..10 or log(1e-4,1e-1,5)."""

    code = "bad_space"


class SpaceTooLarge(InvalidInput):
    """The parameter space has too many points.

    Make it smaller, or raise max_points in mlops.toml.
    """

    code = "space_too_large"


class UnknownParameter(InvalidInput):
    """The notebook declares no such parameter. Add it to its parameters cell."""

    code = "unknown_parameter"


class NotebookUnreadable(InvalidInput):
    """The notebook cannot be read. Open it in JupyterLab and save it again."""

    code = "notebook_unreadable"


class KernelMissing(InvalidInput):
    """The notebook's kernel is not installed. Choose another kernel and save the notebook."""

    code = "kernel_missing"


class NotAllowedPath(InvalidInput):
    """The path lies outside the project. Choose a file inside it."""

    code = "not_allowed_path"


class TooManyResources(InvalidInput):
    """The request asks for more than this machine has. Ask for less."""

    code = "too_many_resources"


class NotFound(MlopsError):
    """There is no such thing. List what there is with: jupyter mlops runs list."""

    code = "not_found"


class Conflict(MlopsError):
    """That cannot be done in the present state."""

    code = "conflict"


class RunFailed(MlopsError):
    """The run failed. See its output notebook, or: jupyter mlops runs show ID."""

    code = "run_failed"


class NoModelLogged(Conflict):
    """The run logged no model.

    Log one in its notebook, for example with mlflow.sklearn.log_model.
    """

    code = "no_model"


class EndpointFailed(MlopsError):
    """The model could not be served. See: jupyter mlops endpoints list."""

    code = "endpoint_failed"


class ModelAltered(Conflict):
    """The model's files are not those that were registered. Register it again."""

    code = "model_altered"


class SearchMissing(InvalidInput):
    """--sampler and --prune need Optuna. Install it with: pip install "jupyter-mlops[optuna]"."""

    code = "search_missing"


class SearchFailed(MlopsError):
    """The sampler failed. Try again without --sampler, for example with --random N."""

    code = "search_failed"


class StoreUnavailable(MlopsError):
    """The project's state cannot be written. Check free disk space and permissions of .mlops."""

    code = "store_unavailable"


class TrackingUnavailable(MlopsError):
    """The tracking server does not answer. Check tracking_uri, then try again."""

    code = "tracking_unavailable"


class ExecutorUnavailable(MlopsError):
    """The executor cannot be reached. See: jupyter mlops doctor."""

    code = "executor_unavailable"


class WorkerUnavailable(MlopsError):
    """The project's worker does not answer.

    See its log in .mlops/logs, or run: jupyter mlops doctor.
    """

    code = "worker_unavailable"


class NodeGone(MlopsError):
    """The node that executed something went away, maybe because of that."""

    code = "node_gone"


class LeaseLost(MlopsError):
    """Another worker has taken over this project. Its runs go on there."""

    code = "lease_lost"


def error_types() -> dict[str, type[MlopsError]]:
    """Map every error code to its class, to rebuild an error that came as JSON."""
    found: dict[str, type[MlopsError]] = {}
    pending: list[type[MlopsError]] = [MlopsError]
    while pending:
        cls = pending.pop()
        found[cls.code] = cls
        pending.extend(cls.__subclasses__())
    return found
