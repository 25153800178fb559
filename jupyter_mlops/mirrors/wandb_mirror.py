"""Runs in Weights & Biases, through its own client. Its variables, such as WANDB_MODE, hold."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.mirrors import MirroredRun
from ..core.runs import MetricPoint

#: What the client would do beyond sending our runs.
_QUIET = {
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
}
#: The client's own steps only count rows: metrics are drawn by this.
STEP = "mlops_step"


class WandbMirror:
    """Sends each run as a run of the same id, grouped by sweep."""

    def __init__(self, folder: Path) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        import wandb

        self._wandb: Any = wandb
        self._folder = folder

    def send(self, run: MirroredRun) -> None:
        """Send a run. The number of each row is its own, so that none comes twice."""
        for earlier in (self._folder / "wandb").glob(f"offline-run-*-{run.id}"):
            shutil.rmtree(earlier)
        made = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT") or run.project,
            dir=str(self._folder),
            id=run.id,
            name=run.name,
            group=run.sweep_id,
            job_type=run.kind,
            config=_config(run),
            notes=run.error,
            tags=[run.experiment[:64]],
            resume="allow",
            reinit="create_new",
            settings=self._settings(),
        )
        try:
            made.define_metric(STEP, hidden=True)
            made.define_metric("*", step_metric=STEP)
            for number, row in enumerate(rows(run.points)):
                made.log(row, step=number)
            made.summary.update({"mlops.status": run.status, "mlops.duration": run.duration})
            for path in run.files:
                kept = shutil.copy(path, made.dir)
                made.save(kept, base_path=made.dir, policy="now")
        finally:
            made.finish(exit_code=0 if run.status == "succeeded" else 1)

    def close(self) -> None:
        """End the client's service."""
        self._wandb.teardown()

    def _settings(self) -> Any:
        return self._wandb.Settings(console="off", x_disable_stats=True, x_disable_meta=True)


def _config(run: MirroredRun) -> dict[str, Any]:
    """Return parameters and facts; the client would drop a parameter that is no finite number."""
    found: dict[str, Any] = {f"mlops.{name}": text for name, text in run.facts.items()}
    for name, value in run.parameters.items():
        is_odd = isinstance(value, float) and not math.isfinite(value)
        found[name] = repr(value) if is_odd else value
    return found


def rows(points: tuple[MetricPoint, ...]) -> Iterator[dict[str, float]]:
    """Yield what was logged together: values of different metrics at the same step."""
    row: dict[str, float] = {}
    for point in points:
        if row and (point.step != row[STEP] or point.key in row):
            yield row
            row = {}
        row |= {point.key: point.value, STEP: point.step, "_timestamp": point.time}
    if row:
        yield row
