"""What is said of a plan."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops.core.scaffolds import Action, Plan, PlannedFile, Version
from jupyter_mlops.reports import as_text
from jupyter_mlops.reports.scaffolds import scaffold_record, scaffold_report


def plan(*files: PlannedFile, git: Version = Version.THERE, **changes: object) -> Plan:
    """Make a plan for an existing folder."""
    facts = {"fresh": False, "dvc": False, "settings": (), "remarks": ()} | changes
    return Plan(folder=Path("/a b"), files=files, git=git, **facts)  # type: ignore[arg-type]


def test_only_what_matters_is_listed() -> None:
    """What is written comes first, and what stays only where it is another one."""
    made = plan(
        PlannedFile("same", Action.KEEP, "has it all", b"1", b"1"),
        PlannedFile("other", Action.KEEP, "is another one", b"1", b"2"),
        PlannedFile("new", Action.CREATE, content=b"1"),
        PlannedFile("gone", Action.LEAVE_OUT, "goes with other", b"1"),
    )
    shown = as_text(scaffold_report(made, "would")).splitlines()
    assert shown[0] == "Would make /a b a project: 1 file."
    assert [line.split()[0] for line in shown[2:]] == ["new", "other", "gone"]
    assert [each["path"] for each in scaffold_record(made, written=False)["files"]] == [
        *("same", "other", "new", "gone")
    ]


def test_git_alone() -> None:
    """In a clone there may be nothing to do but git's settings."""
    made = plan(settings=(("filter.nbstripout.smudge", "cat"),))
    report = scaffold_report(made, "done")
    assert report.headline == "Made /a b a project: git's settings for notebooks."
    assert report.hints[-1] == ("Open it", "cd '/a b' && jupyter lab")


def test_nothing_to_do() -> None:
    """Then that is all there is to say."""
    report = scaffold_report(plan(), "would")
    assert (report.headline, report.table) == ("/a b has all of it already.", None)
