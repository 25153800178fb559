"""`ci/report.py` of a new project: what it draws and where it is put."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import jupyter_mlops
from tests.support.github import TOKEN, GitHub, github

SCRIPT = Path(jupyter_mlops.__file__).parent / "scaffold" / "ci" / "report.py"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("CIRCLE_PULL_REQUEST", "GITHUB_REPOSITORY", "GITHUB_TOKEN", "PULL_REQUEST"):
        monkeypatch.delenv(name, raising=False)
    spec = importlib.util.spec_from_file_location("ci_report", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """A GitHub that the script finds."""
    with github() as made:
        monkeypatch.setenv("GITHUB_API_URL", made.address)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield made


def vega(*rows: dict[str, Any], kind: str = "quantitative") -> dict[str, Any]:
    """A chart as DVC writes it, with its second axis in a layer."""
    return {
        "data": {"values": list(rows)},
        "encoding": {"x": {"field": "step", "type": kind}},
        "layer": [{"mark": "rule"}, {"encoding": {"y": {"field": "auc", "type": kind}}}],
    }


def row(step: Any, auc: Any, rev: str = "workspace", **more: str) -> dict[str, Any]:
    """A point of a chart."""
    return {"step": step, "auc": auc, "rev": rev, **more}


def test_a_chart_has_both_lines(report: ModuleType) -> None:
    """This change is drawn before what it starts from, at even distances, in any order of rows."""
    rows = (row("2", "0.8"), row("0", "0.4"), row(0, 0.1, "main"), row(1, 0.3, "main"))
    (chart,) = report.draw('AUC "quoted"\n`x`', vega(*rows))
    lines = chart.splitlines()
    assert (lines[0], lines[-1], lines[2]) == ("```mermaid", "```", "xychart-beta")
    assert lines[3] == '  title "AUC quoted x"'
    assert lines[4:6] == ['  x-axis "step" 0 --> 2', '  y-axis "auc" 0.1 --> 0.8']
    ours, theirs = ([float(each) for each in line[8:-1].split(", ")] for line in lines[6:8])
    assert (ours[0], ours[12], ours[-1]) == (0.4, 0.6, 0.8)
    assert (theirs[0], theirs[6], theirs[-1]) == (0.1, 0.2, 0.3)


def test_each_file_has_a_chart(report: ModuleType) -> None:
    """Lines of two files in one plot are not mixed."""
    rows = [
        row(i, i * factor, filename=name) for i in (0, 1) for name, factor in (("a", 1), ("b", 2))
    ]
    charts = list(report.draw("T", vega(*rows)))
    assert ['title "T: a"' in charts[0], 'title "T: b"' in charts[1]] == [True, True]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(1, 2)],
        [row("a", "b"), row("c", "d")],
        [row(1, "nan"), row(2, "inf"), row(3, None)],
        [{"rev": "workspace"}],
    ],
)
def test_what_has_no_line(report: ModuleType, rows: list[dict[str, Any]]) -> None:
    """Single points, words and NaN are no line."""
    assert not list(report.draw("T", vega(*rows)))


def test_other_charts_are_left_to_the_page(report: ModuleType) -> None:
    """A chart of categories, such as a confusion matrix, is none of lines."""
    assert not list(report.draw("T", vega(row(0, 1), row(1, 2), kind="nominal")))
    assert not list(report.draw("T", {}))


def test_a_level_line(report: ModuleType) -> None:
    """Where nothing moves the axes still have a length."""
    (chart,) = report.draw("T", vega(row(1, 5), row(1, 5)))
    assert '"step" 1 --> 2' in chart
    assert '"auc" 5 --> 6' in chart


def test_where_it_is_put(report: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub Actions and CircleCI each say which pull request it is."""
    assert report.pull_request() is None
    monkeypatch.setenv("CIRCLE_PULL_REQUEST", "https://github.com/me/a.b/pull/12")
    assert report.pull_request() == ("me/a.b", "12")
    monkeypatch.setenv("GITHUB_REPOSITORY", "me/other")
    monkeypatch.setenv("PULL_REQUEST", "3")
    assert report.pull_request() == ("me/other", "3")


def test_the_last_report_is_replaced(
    report: ModuleType, server: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one report on a pull request, however many comments there are."""
    monkeypatch.setenv("GITHUB_REPOSITORY", "me/it")
    monkeypatch.setenv("PULL_REQUEST", "3")
    server.comments += [{"id": i + 1, "body": None if i % 2 else "hello"} for i in range(130)]
    for text in ("first", "second"):
        report.FOLDER.mkdir(exist_ok=True)
        report.REPORT.write_text(f"{report.MARK}\n{text} ü\n", "utf-8")
        assert report.send() == 0
    assert len(server.comments) == 131
    assert server.comments[-1]["body"] == f"{report.MARK}\nsecond ü\n"
    assert server.asked[-1] == "PATCH /repos/me/it/issues/comments/131"


def test_what_cannot_be_sent(
    report: ModuleType,
    server: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No pull request and no token are no failure; a refusal is, in one line."""
    assert report.send() == 0
    assert capsys.readouterr().out == "This is no pull request.\n"
    monkeypatch.setenv("CIRCLE_PULL_REQUEST", "https://github.com/me/it/pull/12")
    report.FOLDER.mkdir()
    report.REPORT.write_text("x", "utf-8")
    monkeypatch.setenv("GITHUB_TOKEN", "another")
    assert report.send() == 1
    assert capsys.readouterr().err == "Not sent: GitHub answers 403 Forbidden.\n"
    monkeypatch.delenv("GITHUB_TOKEN")
    assert report.send() == 0
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    assert report.send() == 1
    assert "refused" in capsys.readouterr().err
    assert not server.comments


def test_a_long_report_is_cut(report: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub takes no more than so much; what is cut is cut between parts, and said."""
    monkeypatch.setattr(report, "git", lambda *_: "abc")
    monkeypatch.setattr(report, "dvc", lambda kind, *_: "x" * 50_000 if kind != "plots" else "")
    report.write("HEAD")
    text = report.REPORT.read_text("utf-8")
    assert len(text) < 60_000
    assert text.endswith("### Parameters\n\nThe rest is left out.\n")
