"""The variables that make plain MLflow code in a kernel land in an attempt's run."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from .. import mlflow_client
from ..core.runs import Attempt, Run, Sweep
from .recording import child_tags, is_detached, stray_tags

#: What a kernel must not inherit, from the worker or from the kernel that submitted the sweep.
#: An experiment's name that disagrees with MLFLOW_EXPERIMENT_ID makes MLflow raise.
REPLACED_VARIABLES = frozenset(
    {
        "MLFLOW_EXPERIMENT_ID",
        "MLFLOW_EXPERIMENT_NAME",
        "MLFLOW_RUN_CONTEXT",
        "MLFLOW_RUN_ID",
        "MLFLOW_TRACKING_URI",
    }
)


def environment_while_away(uri: str, sweep: Sweep, run: Run, attempt: Attempt) -> dict[str, str]:
    """Return the variables for the kernel of an attempt that has no run in MLflow yet.

    Runs that its code starts, once the server is back, are found by their tags.
    """
    return {
        **mlflow_client.kernel_defaults(),
        "MLFLOW_TRACKING_URI": mlflow_client.absolute(uri),
        "MLFLOW_EXPERIMENT_NAME": sweep.experiment,
        "MLFLOW_RUN_CONTEXT": json.dumps(stray_tags(sweep, run, attempt)),
        "MLFLOW_RUN_ID": "",
        "IPYNB_FILE": PurePosixPath(sweep.notebook).name,
    }


def kernel_environment(
    uri: str, experiment_id: str, tracked_id: str, sweep: Sweep, run: Run
) -> dict[str, str]:
    """Return the variables for the kernel of an attempt.

    With MLFLOW_RUN_ID the first ``start_run``, bare log call or autolog continues the attempt's
    run. MLflow then deletes the variable, so that further runs become children, by the tags in
    MLFLOW_RUN_CONTEXT. Where the notebook chooses another experiment or store, MLflow would
    refuse to continue the run: there every run becomes a child.
    """
    variables = {
        **mlflow_client.kernel_defaults(),
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_RUN_CONTEXT": json.dumps(child_tags(sweep, run, tracked_id)),
        "IPYNB_FILE": PurePosixPath(sweep.notebook).name,
    }
    if is_detached(sweep):
        # An empty id is none, and overrides one that was inherited.
        return variables | {"MLFLOW_RUN_ID": ""}
    return variables | {"MLFLOW_RUN_ID": tracked_id, "MLFLOW_EXPERIMENT_NAME": sweep.experiment}
