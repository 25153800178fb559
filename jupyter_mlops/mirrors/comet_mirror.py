"""Runs in Comet, through its own client. Its variables, such as COMET_START_ONLINE, hold."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from ..core.mirrors import MirroredRun

#: What the client would do beyond sending our runs.
_QUIET = {
    "COMET_LOGGING_CONSOLE": "ERROR",
    "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_INTERNAL_SENTRY_DSN": "",
}
#: Only what is sent here is wanted, nothing that the client finds by itself.
_PLAIN = dict.fromkeys(
    (
        *("log_code", "log_graph", "parse_args", "log_git_metadata", "log_git_patch"),
        *("log_env_details", "auto_param_logging", "auto_metric_logging", "auto_log_co2"),
        "auto_output_logging",
    ),
    False,
)


class CometMirror:
    """Sends each run as an experiment whose key is made of the run's id."""

    def __init__(self, folder: Path) -> None:
        for name, value in {**_QUIET, "COMET_OFFLINE_DIRECTORY": str(folder)}.items():
            os.environ.setdefault(name, value)
        import comet_ml

        self._comet: Any = comet_ml
        self._folder = Path(os.environ["COMET_OFFLINE_DIRECTORY"])

    def send(self, run: MirroredRun) -> None:
        """Send a run."""
        key = experiment_key(run)
        for earlier in self._folder.glob(f"{key}*.zip"):
            earlier.unlink()
        made = self._comet.start(
            experiment_key=key,
            mode="get_or_create",
            project_name=os.environ.get("COMET_PROJECT_NAME") or run.project,
            experiment_config=self._comet.ExperimentConfig(
                name=run.name,
                tags=[run.experiment, run.sweep_id, run.kind],
                display_summary_level=0,
                **_PLAIN,
            ),
        )
        try:
            made.log_parameters(run.parameters)
            for point in run.points:
                made.log_metric(point.key, point.value, step=point.step)
            told = {**run.facts, "run": run.run_id, "status": run.status, "error": run.error}
            for name, value in told.items():
                made.log_other(f"mlops.{name}", value)
            for path in run.files:
                made.log_asset(str(path), file_name=path.name, copy_to_tmp=True)
        finally:
            made.end()

    def close(self) -> None:
        """Do nothing: each run has been ended."""


def experiment_key(run: MirroredRun) -> str:
    """Return the key of a run's experiment, which Comet wants of 32 to 50 letters and digits."""
    return hashlib.sha256(f"{run.project} {run.id}".encode()).hexdigest()[:40]
