"""What results tell a person."""

from __future__ import annotations

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.core.runs import Environment, Reason, Status, SweepKind
from jupyter_mlops.core.search import PruningRule, Sampler
from jupyter_mlops.reports import Column, Report, Table, as_html, as_text, hint_lines, models, runs
from jupyter_mlops.reports.resources import busy
from jupyter_mlops.reports.run_list import runs_report
from tests.support.views import TIME, run_view, sweep_view


def failed(index: int, **changes: object) -> m.RunView:
    """A run that failed at its second cell."""
    return run_view(
        index,
        status=Status.FAILED,
        reason=Reason.ERROR,
        error="ValueError: bad lr",
        cell=2,
        **changes,
    )


def test_best_run_first() -> None:
    """Succeeded runs stand by their value in the metric's direction; all others follow."""
    found = [
        run_view(1, value=0.5),
        run_view(2, value=0.9),
        run_view(3, value={"$float": "nan"}),
        failed(4, value=1.0),
        run_view(5, value=None, status=Status.RUNNING),
    ]
    assert [run.index for run in runs.ranked(found)] == [2, 1, 3, 5, 4]
    minimised = [run_view(1, value=2, maximize=False), run_view(2, value=1, maximize=False)]
    assert [run.index for run in runs.ranked(minimised)] == [2, 1]


def test_headline_of_a_sweep() -> None:
    """One line says how far a sweep is, how good, and how long it takes."""
    view = sweep_view(
        counts=m.Counts(running=1, succeeded=1, failed=1), remaining=22.0, duration=None
    )
    assert runs.sweep_headline(view) == (
        "train.ipynb · 3 runs · ✓ 1  ◐ 1  ✗ 1 · best auc 0.731 at depth=2 seed=0 · ~20 s left"
    )


def test_report_of_a_sweep() -> None:
    """The ranking shows what varies and tells once what does not; failures come first."""
    views = [run_view(1), run_view(2, value=0.7, metrics={"auc": 0.7, "loss": 0.2}), failed(3)]
    report = runs.sweep_report(sweep_view(counts=m.Counts(succeeded=2, failed=1)), views)
    assert report.details == (
        "✗ k3m9x2ab-3 · depth=3 seed=0 · cell 2 · ValueError: bad lr",
        "The same in all: seed=0",
    )
    assert report.table is not None
    titles = [column.title for column in report.table.columns]
    assert titles == ["run", "status", "depth", "auc", "loss", "duration"]
    assert report.table.rows[0] == ("k3m9x2ab-2", "✓ succeeded", "2", "0.7", "0.2", "4.2 s")
    assert ("Run again what did not succeed", "mlops runs retry k3m9x2ab") in report.hints


def test_other_packages_are_marked() -> None:
    """Lists mark the runs whose packages are not the lock's, and say once what is different."""
    line = "requirements.txt: numpy 2.1 instead of 2.0"
    others = [
        run_view(index, environment=Environment.DIFFERS, differences=line) for index in (1, 2)
    ]
    views = [*others, run_view(3, environment=Environment.SAME), run_view(4)]
    told = f"≠ lock: the packages of 2 runs differ from {line}."
    for report in (runs_report(views), runs.sweep_report(sweep_view(), views)):
        assert told in report.details
        assert report.table is not None
        states = {row[0]: row[1] for row in report.table.rows}
        assert [states[each.id] for each in views] == [
            *["✓ succeeded · ≠ lock"] * 2,
            *["✓ succeeded"] * 2,
        ]
    assert not any("lock" in line for line in runs_report(views[2:]).details)


def test_report_of_a_search() -> None:
    """It says who chose the points and which runs are stopped; pruned ones are no failures."""
    view = sweep_view(
        total=3,
        counts=m.Counts(succeeded=1, cancelled=2, pruned=1),
        search=m.SearchView(sampler=Sampler.TPE, seed=7, trials=50, exhaustive=False),
        pruning=m.PruningView(rule=PruningRule.ASHA, steps=9, factor=3),
    )
    assert "✓ 1  ⊘ 1  ⊘ 1 pruned" in runs.sweep_headline(view)
    stopped = run_view(
        2,
        status=Status.CANCELLED,
        reason=Reason.PRUNED,
        error="Pruned at step 9: auc 0.4 ranked 2 of 2.",
    )
    report = runs.sweep_report(view, [run_view(1), stopped])
    assert "Sampler tpe · seed 7 · 50 trials" in report.details
    assert "Pruning asha by auc · first look: step 9 · 1 in 3 goes on" in report.details
    assert report.table is not None
    assert [row[1] for row in report.table.rows] == ["✓ succeeded", "⊘ pruned"]
    assert not [line for line in report.details if "✗" in line]
    assert "Run again what did not succeed" in dict(report.hints)
    line = runs.progress_line(stopped)
    assert line.startswith("⊘ k3m9x2ab-2 · depth=2 seed=0 · Pruned at step 9: auc 0.4 ranked 2 of")

    whole = sweep_view(
        counts=m.Counts(succeeded=2, cancelled=1, pruned=1),
        search=m.SearchView(sampler=Sampler.RANDOM, seed=0, trials=50, exhaustive=True),
        pruning=m.PruningView(rule=PruningRule.ASHA, steps=None, factor=4),
    )
    first, second = runs.search_lines(whole)
    assert first.endswith("all points of the space, which are no more than 50 trials")
    assert "first look: learned from the first run that succeeds · 1 in 4" in second
    assert "Run again what did not succeed" not in dict(runs.sweep_report(whole, []).hints)


def test_report_of_a_sweep_that_goes_on() -> None:
    """While it goes on, the hints are how to come back and how to cancel."""
    view = sweep_view(status=Status.RUNNING)
    commands = [command for _, command in runs.sweep_report(view, [run_view()]).hints]
    assert commands == ["mlops runs show k3m9x2ab --follow", "mlops runs cancel k3m9x2ab"]


def test_long_sweeps_are_cut() -> None:
    """A long ranking is cut, and the report says so and where the rest is."""
    views = [run_view(index, value=index) for index in range(1, 31)]
    report = runs.sweep_report(sweep_view(total=30), views)
    assert report.table is not None
    assert len(report.table.rows) == runs.MAX_ROWS
    assert report.details[-1] == "The first 20 of 30 runs:"
    assert report.hints[0] == ("All runs", "mlops runs list --sweep k3m9x2ab")


def test_many_failures_are_cut() -> None:
    """Three failures are told one by one; the rest are counted."""
    report = runs.sweep_report(sweep_view(), [failed(index) for index in range(1, 8)])
    assert report.details[3] == "✗ and 4 more"


def test_report_of_a_run() -> None:
    """A run tells its error, its facts and, if there were several, its attempts."""
    attempt = m.AttemptView(
        id="k3m9x2ab-1.1",
        number=1,
        status=Status.FAILED,
        reason=Reason.LOST,
        error=None,
        executor="local",
        start="cold",
        mlflow_run_id=None,
        started_at=TIME,
        finished_at=TIME,
        duration=1.0,
        failed_cell=None,
        peak_memory=1_100_000_000,
        cpu_time=1.9,
    )
    detail = m.RunDetail(
        run=failed(1),
        attempts=[attempt, attempt],
        sweep=sweep_view(memory=2_000_000_000, gpus=1),
        notebook_hash="abc",
        context={
            "git_dirty": True,
            "git_commit": "4e1a2f",
            "nested": {"left": "out"},
            "shared": [1, 2],
        },
    )
    report = runs.run_report(detail)
    assert report.headline.startswith("k3m9x2ab-1 · ✗ failed · train.ipynb · depth=1 seed=0")
    assert "Error: ValueError: bad lr" in report.details
    assert "Reserved: 1 core, 2.0 GB of memory, 1 GPU" in report.details
    used = "1.9 s of CPU time (1.9 cores on average), 1.1 GB of memory at most"
    assert f"Used: {used}" in report.details
    assert "Kernel start: cold" in report.details
    assert "Shared cells: 2, 3" in report.details
    assert "Git dirty: yes" in report.details
    assert "Git commit: 4e1a2f" in report.details
    assert "Attempt 1: ✗ failed · lost · 1.0 s" in report.details
    assert not any("left" in line for line in report.details)


def test_lists() -> None:
    """A list has a row per run, says when it was cut, and an empty one says how to begin."""
    session = run_view(2, kind=SweepKind.SESSION, notebook="", metric=None, value=None)
    stage = run_view(3, stage="train@a", pipeline_id="p1")
    report = runs_report([run_view(1), session, stage], total=30)
    assert report.headline == "The newest 3 of 30 runs"
    assert report.table is not None
    shown = ["train.ipynb", "(session)", "train.ipynb (stage train@a)"]
    assert [row[2] for row in report.table.rows] == shown
    assert runs_report([]).headline == "There are no such runs."


def test_a_searched_list() -> None:
    """It has a column for each parameter and metric that was asked for, and names the next page."""
    query = m.SearchQuery(
        where='metrics.loss < 0.5 and status = succeeded and metrics["val loss"] < 1',
        sort="-params.depth",
        limit=2,
        offset=2,
    )
    report = runs_report([run_view(3), run_view(4)], total=9, query=query, notes=["A note."])
    assert report.headline == "Runs 3 to 4 of 9, sorted by -params.depth"
    assert report.details == ("A note.",)
    assert report.table is not None
    titles = [column.title for column in report.table.columns]
    assert titles[-4:-2] == ["metrics.loss", "params.depth"]
    assert [row[-3] for row in report.table.rows] == ["3", "4"]
    assert report.hints[0] == (
        "More",
        f"mlops runs list --where '{query.where}' --sort -params.depth --limit 2 --offset 4",
    )
    last = runs_report([run_view(3)], total=9, query=m.SearchQuery(offset=8))
    assert [purpose for purpose, _ in last.hints] == ["Look closer"]
    beyond = runs_report([], total=9, query=m.SearchQuery(offset=10))
    assert beyond.headline == "There are no more than 9 runs."


def test_models() -> None:
    """A version is told by name, number and aliases."""
    version = m.ModelVersionView(
        name="late-flights",
        version=3,
        aliases=["champion"],
        description="",
        tags={},
        created_at=TIME,
        run_id="k3m9x2ab-1",
        mlflow_run_id=None,
        metrics={"auc": 0.731},
        parameters={},
    )
    assert models.model_report(version).headline == "late-flights v3 @champion"
    table = models.models_report([version]).table
    assert table is not None
    assert table.rows[0][:3] == ("late-flights", "v3", "@champion")
    assert models.models_report([]).hints


def test_text_of_a_report() -> None:
    """Plain text has aligned columns, numbers to the right."""
    table = Table.of((Column("name"), Column("n", right=True)), [("a", "1"), ("bb", "100")])
    text = as_text(Report(headline="Title", details=("Detail",), table=table))
    assert text.splitlines() == ["Title", "Detail", "name    n", "a       1", "bb    100"]


def test_html_is_escaped() -> None:
    """No text reaches the page as markup."""
    attack = "<img src=x onerror=alert(1)>"
    table = Table.of((Column(attack),), [(attack,)])
    page = as_html(Report(headline=attack, details=(attack,), table=table))
    assert "<img" not in page
    assert page.count("&lt;img src=x") == 4


@pytest.mark.parametrize(("width", "titles"), [(80, "abc"), (28, "ab"), (3, "a")])
def test_tables_fit(width: int, titles: str) -> None:
    """Spare columns go, the last one first, until what is left fits."""
    columns = (Column("a"), Column("b", spare=True), Column("c", spare=True))
    table = Table(columns, (("xxxx", "y" * 20, "zzzz"),))
    assert [column.title for column in table.fitting(width).columns] == list(titles)


def test_empty_columns_are_left_out() -> None:
    """A column in which nothing stands takes no room."""
    table = Table.of((Column("a"), Column("b")), [("1", ""), ("2", "")])
    assert [column.title for column in table.columns] == ["a"]


def test_hints_name_the_command_as_it_is_called() -> None:
    """In a cell a hint begins with %mlops, in a shell with jupyter mlops."""
    report = Report(headline="", hints=(("See", "mlops runs list"), ("Open", "jupyter lab")))
    assert hint_lines(report, "%") == ["See: %mlops runs list", "Open: jupyter lab"]
    assert hint_lines(report, "jupyter ")[0] == "See: jupyter mlops runs list"


def test_progress_counts_one_by_one() -> None:
    """Runs that finish between two looks are counted one by one, and a second time not at all."""
    lines = runs.ProgressLines(sweep_view(total=4, counts=m.Counts(queued=3, succeeded=1)))
    first, second = lines.of([run_view(2), run_view(3)])
    assert first.startswith("2/4  ✓ k3m9x2ab-2 · ")
    assert second.startswith("3/4  ✓ k3m9x2ab-3 · ")
    assert [line[:3] for line in lines.of([run_view(3), run_view(4)])] == ["3/4", "4/4"]


@pytest.mark.parametrize(
    ("used", "clusters", "text"),
    [
        (0, [], "0 of 2 cores"),
        (0, [m.ClusterLoad("dask", 3, 16)], "3 of 16 cores of dask"),
        (1, [m.ClusterLoad("dask", 1, 1)], "1 of 2 cores · 1 of 1 core of dask"),
    ],
)
def test_busy_cores(used: int, clusters: list[m.ClusterLoad], text: str) -> None:
    """Cores are counted where runs are."""
    state = m.StatusView(
        queued=0,
        running=3,
        cores_used=used,
        cores_held=used,
        cores=2,
        problem=None,
        unsynced=0,
        seq=0,
        clusters=clusters,
    )
    assert busy(state) == text
