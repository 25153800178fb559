"""Cores: what the machine grants, and how projects share them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import InvalidInput, TooManyResources
from jupyter_mlops.core.resources import parse_memory, share_of_cores, thread_limits
from jupyter_mlops.execution.machine import granted_cores
from jupyter_mlops.execution.slots import Slots


def _cgroup(tmp_path: Path, own: str, files: dict[str, str]) -> tuple[Path, Path]:
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    membership = tmp_path / "own"
    membership.write_text(own)
    return tmp_path / "cgroup", membership


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/a/b\n", {"a/cpu.max": "150000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        (
            "4:cpu,cpuacct:/x\n",
            {
                "cpu,cpuacct/x/cpu.cfs_quota_us": "100000\n",
                "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
    ],
)
def test_a_cgroup_limits_the_cores(
    tmp_path: Path, own: str, files: dict[str, str], cores: int
) -> None:
    """Quotas of every enclosing group count, in both versions of cgroups, never below one core."""
    assert granted_cores(*_cgroup(tmp_path, own, files)) == cores


def test_without_quota_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No limit means the CPUs that the scheduler allows; a setting of the user can lower that."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)), raising=False)
    place = _cgroup(tmp_path, "0::/\n", {"cpu.max": "max 100000\n"})
    assert granted_cores(*place) == 6
    monkeypatch.setenv("JUPYTER_MLOPS_CORES", "3")
    assert granted_cores(*place) == 3


def test_two_projects_never_hold_more_than_there_is(tmp_path: Path) -> None:
    """A core that one project holds is not given to another."""
    a, b = (Slots(tmp_path, name, cores=3) for name in "ab")
    held = a.acquire(2)
    assert held is not None
    assert b.acquire(2) is None
    assert b.waiting
    assert b.acquire(1) is not None
    assert not b.waiting
    assert a.held_by_all() == b.held_by_all() == 3
    a.release(held)
    assert a.held_by_all() == 1
    assert b.acquire(2) is not None


def test_a_project_that_waits_gets_its_share(tmp_path: Path) -> None:
    """Where another waits, nobody takes more than an equal part."""
    a, b = (Slots(tmp_path, name, cores=4) for name in "ab")
    held = [a.acquire(1) for _ in range(4)]
    assert b.acquire(1) is None
    for each in held[:2]:
        assert each is not None
        a.release(each)
    assert a.acquire(1) is None
    assert b.acquire(1) is not None
    assert b.acquire(1) is not None


def test_a_project_keeps_to_its_own_limit(tmp_path: Path) -> None:
    """``cores`` in the settings bounds a project although more are free."""
    slots = Slots(tmp_path, "a", cores=4, limit=1)
    assert slots.acquire(1) is not None
    assert slots.acquire(1) is None
    assert not slots.waiting


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """The system frees the cores of a process that was killed."""
    code = (
        "import sys, pathlib; from jupyter_mlops.execution.slots import Slots\n"
        "Slots(pathlib.Path(sys.argv[1]), 'x', cores=2).acquire(2); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        slots = Slots(tmp_path, "y", cores=2)
        assert slots.acquire(1) is None
        process.kill()
        process.wait()
        assert slots.acquire(2) is not None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2_000_000_000),
        ("512 MiB", 512 * 1024**2),
        ("1.5k", 1500),
        ("7", 7),
        ("1tib", 1024**4),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    """Decimal and binary units, in any case."""
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2XB", "-1GB", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """The message shows how to write it."""
    with pytest.raises(InvalidInput, match="2GB"):
        parse_memory(text)


def test_runs_share_the_cores() -> None:
    """Many runs get a core each, a single one gets the machine, a request is taken at its word."""
    assert share_of_cores(None, runs=12, cores=4) == 1
    assert share_of_cores(None, runs=1, cores=4) == 4
    assert share_of_cores(2, runs=12, cores=4) == 2
    with pytest.raises(TooManyResources, match="grants 4"):
        share_of_cores(5, runs=1, cores=4)
    assert thread_limits(2)["OMP_NUM_THREADS"] == "2"
