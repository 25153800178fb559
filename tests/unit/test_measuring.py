"""A machine is measured by common workloads, kept, and compared with others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from jupyter_mlops.app import benching
from jupyter_mlops.app.messages import MachineView
from jupyter_mlops.app.projects import Project, find_project
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.machines import Measure, Skipped
from jupyter_mlops.measuring import rounds, workloads
from jupyter_mlops.measuring.rounds import ROUNDS, Round, Workload
from jupyter_mlops.reports import as_text
from jupyter_mlops.reports.machines import machine_report
from tests.support.commands import caller

EVERYWHERE = ["matrix product", "memory copy", "disk write", "disk read", "parquet scan"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose folder is its own."""
    (tmp_path / "mlops.toml").touch()
    return find_project(tmp_path)


@pytest.fixture
def view(project: Project) -> MachineView:
    """This machine, measured in little time."""
    return benching.bench(project, scale=0.02, told=lambda _: None)


def test_a_machine(project: Project, view: MachineView) -> None:
    """Each workload has a throughput, and a share of the cores; no file is left."""
    measures = {each.name: each for each in view.measures}
    assert [*measures][:7] == [*EVERYWHERE, "boosted trees", "kernel start"]
    assert all(each.value > 0 and each.seconds > 0 for each in measures.values())
    shares = [measures[name].utilisation for name in EVERYWHERE]
    assert all(each is not None and 0 <= each <= 1 for each in shares)
    assert {each.name for each in view.skipped} | set(measures) >= {"GPU matrix product"}
    assert not list(project.state.glob(".mlops-bench-*"))


def test_kept_and_compared(project: Project, view: MachineView, tmp_path: Path) -> None:
    """The last figures of each machine are kept, and shown beside those of others."""
    assert benching.measured(project) == [view]
    assert benching.others(project, view) == []
    file = tmp_path / "other.json"
    faster = [msgspec.structs.replace(each, value=2 * each.value) for each in view.measures]
    file.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(view, host="big", measures=faster))
    )
    text = as_text(machine_report(view, [benching.read(file)]), width=200)
    (line,) = (each for each in text.splitlines() if each.startswith("memory copy"))
    assert line.endswith("(2x)")


def test_by_the_command(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `doctor --bench --json` prints can be compared with."""
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(benching, "bench", partial(benching.bench, scale=0.01))
    mlops = caller(capsys)
    record = mlops("doctor", "--bench", "--json").record
    assert [each["name"] for each in record["measures"]][:5] == EVERYWHERE
    (project.root / "one.json").write_text(json.dumps(record))
    shown = mlops("doctor", "--bench", "--beside", "one.json").out
    assert shown.count("x)") == len(record["measures"])
    assert mlops("doctor", "--beside", "one.json").code == 2


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read: No such file or directory."),
        ("[]", "does not hold what a machine achieved"),
        ("{", "does not hold what a machine achieved"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: str | None, line: str) -> None:
    """What is wrong with it is said."""
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidInput, match=line):
        benching.read(file)


def test_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a kernel that is missing: the others are measured."""

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(workloads.shutil, "disk_usage", lambda _: Usage(1000))
    monkeypatch.setattr(workloads, "_KERNEL", "no-such-kernel")
    found = list(rounds.measure_all(tmp_path, 1, scale=0.02, told=lambda _: None))
    left_out = {each.name: each.line for each in found if isinstance(each, Skipped)}
    assert left_out["disk write"] == "There is too little room on the disk."
    assert "no-such-kernel" in left_out["kernel start"]
    assert {each.name for each in found if isinstance(each, Measure)} >= {"memory copy"}


def test_the_first_round_warms_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds are timed after one that is not, and what is done before each is not timed either."""
    done: list[str] = []

    @contextmanager
    def prepare(_place: Path, _cores: int) -> Iterator[Round]:
        done.append("prepared")
        yield Round(lambda: done.append("work"), 6.0, before=lambda: done.append("before"))
        done.append("tidied")

    only = Workload("nothing", "things/min", prepare, per=60.0)
    monkeypatch.setattr(workloads, "workloads", lambda _: [only])
    (found,) = rounds.measure_all(tmp_path, 2, told=done.append)
    assert isinstance(found, Measure)
    assert found.value == pytest.approx(360 / found.seconds)
    assert done == ["nothing", "prepared", *["before", "work"] * (1 + ROUNDS), "tidied"]
