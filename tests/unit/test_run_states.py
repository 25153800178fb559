"""What is said of runs that wait for a retry, are being stopped, or go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.reports import as_text
from jupyter_mlops.reports.run_list import runs_report
from jupyter_mlops.reports.runs import run_headline, run_report
from jupyter_mlops.reports.states import state
from tests.support.views import TIME, run_view, sweep_view


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"status": Status.QUEUED}, "○ queued"),
        ({"status": Status.QUEUED, "not_before": TIME + timedelta(seconds=12)}, "○ retry in 12 s"),
        ({"status": Status.QUEUED, "not_before": TIME + timedelta(minutes=4)}, "○ retry in 4 min"),
        ({"status": Status.QUEUED, "not_before": TIME}, "○ queued"),
        ({"status": Status.RUNNING}, "◐ cell 3/3"),
        ({"status": Status.RUNNING, "stopping": "interrupt"}, "◐ cell 3/3 · interrupting"),
        ({"status": Status.RUNNING, "stopping": "terminate"}, "◐ cell 3/3 · terminating"),
        ({"status": Status.RUNNING, "stopping": "kill"}, "◐ cell 3/3 · killing"),
        ({"status": Status.SUCCEEDED}, "✓ succeeded"),
    ],
)
def test_states(changes: dict[str, Any], shown: str) -> None:
    """A run that waits says how long, one that is being stopped says how."""
    assert state(run_view(**changes), TIME) == shown


def test_a_run_that_goes_on_tells_its_times() -> None:
    """It shows what has passed and what is expected; a finished one what it took."""
    going = run_view(status=Status.RUNNING, duration=None, elapsed=12.0, remaining=21.0)
    assert run_headline(going).endswith("12.0 s · ~20 s left")
    assert "12.0 s" in as_text(runs_report([going]))
    assert run_headline(run_view()).endswith("4.2 s")


def test_an_attempt_tells_where_it_went_on() -> None:
    """The report of a run names the cell from which an attempt was executed anew."""

    def attempt(number: int, status: Status, **changes: Any) -> m.AttemptView:
        fields: dict[str, Any] = {
            "id": f"k3m9x2ab-1.{number}",
            "number": number,
            "status": status,
            "reason": None,
            "error": None,
            "executor": "local",
            "start": "warm",
            "mlflow_run_id": None,
            "started_at": TIME,
            "finished_at": TIME,
            "duration": 2.0,
            "failed_cell": None,
        }
        return m.AttemptView(**fields | changes)

    failed = attempt(1, Status.FAILED, reason=Reason.ERROR, error="ValueError: no", failed_cell=3)
    again = attempt(2, Status.SUCCEEDED, resumed_at=3)
    detail = m.RunDetail(
        run=run_view(),
        attempts=[failed, again],
        sweep=sweep_view(),
        notebook_hash="0",
        context={},
    )
    text = as_text(run_report(detail))
    assert "Attempt 1: ✗ failed · ValueError: no · 2.0 s" in text
    assert "Attempt 2: ✓ succeeded · from cell 3 on · 2.0 s" in text
