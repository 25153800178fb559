"""How results are printed: for a person, for a program, on a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import math

import pytest

from jupyter_mlops.commands.printing import json_text, print_report
from jupyter_mlops.reports import Column, Report, Table
from tests.support.views import run_view

REPORT = Report(
    headline="Title · ✓ 2",
    details=("with \x1b[31ma colour",),
    table=Table.of(
        (Column("name"), Column("parameters", spare=True)), [("✗ a", "x" * 100), ("✓ b", "y")]
    ),
    hints=(("Next", "mlops runs list"),),
)


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> str:
    """The report as a narrow terminal gets it."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with contextlib.redirect_stdout(Terminal()) as stream:
        print_report(REPORT, "jupyter ")
    return stream.getvalue()


def test_json_has_no_nan() -> None:
    """Floats that JSON lacks are encoded, times are ISO 8601 in UTC, and views are records."""
    record = {"loss": math.nan, "values": (math.inf, 1.5), "run": run_view()}
    parsed = json.loads(json_text(record), parse_constant=pytest.fail)
    assert parsed["loss"] == {"$float": "nan"}
    assert parsed["values"] == [{"$float": "inf"}, 1.5]
    assert parsed["run"]["status"] == "succeeded"
    assert parsed["run"]["started_at"] == "2026-01-02T03:04:05Z"


def test_a_pipe_gets_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal nothing is cut or coloured, and lines have no padding."""
    print_report(REPORT, "jupyter ")
    shown = capsys.readouterr().out
    assert "x" * 100 in shown
    assert "\x1b" not in shown
    assert shown.splitlines()[-1] == "Next: jupyter mlops runs list"
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_a_terminal_is_fitted(on_terminal: str) -> None:
    """On a terminal spare columns go before the table gets wider than it, and states get colour."""
    assert "parameters" not in on_terminal
    assert "\x1b[32m✓" in on_terminal


def test_control_characters_do_not_reach_the_terminal(on_terminal: str) -> None:
    """A name or an error cannot drive the terminal."""
    assert "with ·[31ma colour" in on_terminal


def test_an_empty_report_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A report without headline starts with what there is."""
    print_report(Report(headline="", details=("only this",)), "jupyter ")
    assert capsys.readouterr().out == "only this\n"
