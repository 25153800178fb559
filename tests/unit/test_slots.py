"""Cores, memory and GPUs: what the machine grants, and how projects share it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.core.exceptions import InvalidInput, TooManyResources
from jupyter_mlops.core.resources import (
    Hold,
    Request,
    Shortage,
    check_request,
    expected_memory,
    most_memory,
    parse_memory,
    share_of_cores,
    thread_limits,
)
from jupyter_mlops.execution.machine import (
    available_memory,
    gpu_devices,
    granted_cores,
    granted_memory,
    total_memory,
)
from jupyter_mlops.execution.slots import PATIENCE, Slots
from tests.support.records import a_machine


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


@pytest.mark.parametrize(
    ("own", "files", "memory"),
    [
        ("0::/\n", {"memory.max": "2000000000\n"}, 2_000_000_000),
        ("0::/a/b\n", {"a/memory.max": "3000000000\n", "a/b/memory.max": "max\n"}, 3_000_000_000),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "1000000000\n"}, 1_000_000_000),
        ("4:memory:/x\n", {"memory/memory.limit_in_bytes": "1000000000\n"}, 1_000_000_000),
    ],
)
def test_a_cgroup_limits_the_memory(
    tmp_path: Path, own: str, files: dict[str, str], memory: int
) -> None:
    """The tightest enclosing group counts, in both versions, less a tenth for the rest."""
    place = _cgroup(tmp_path, own, files)
    assert total_memory(*place) == memory
    assert granted_memory(*place) == memory * 0.9


@pytest.mark.parametrize("limit", ["max\n", "9223372036854771712\n"])
def test_without_limit_the_machine_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A group that grants everything grants what is installed; a variable can lower that."""
    installed = psutil.virtual_memory().total
    place = _cgroup(tmp_path, "0::/\n", {"memory.max": limit})
    assert total_memory(*place) == installed
    assert installed - 2_000_000_000 <= granted_memory(*place) < installed
    monkeypatch.setenv("JUPYTER_MLOPS_MEMORY", "300MB")
    assert granted_memory(*place) == 300_000_000
    monkeypatch.setenv("JUPYTER_MLOPS_MEMORY", "much")
    with pytest.raises(InvalidInput, match="JUPYTER_MLOPS_MEMORY: memory: 'much' is not a size"):
        granted_memory(*place)


@pytest.mark.parametrize(
    ("own", "folder", "files"),
    [
        ("0::/\n", "", {"memory.max": "1000000000", "memory.current": "900000000"}),
        (
            "4:memory:/\n",
            "memory/",
            {"memory.limit_in_bytes": "1000000000", "memory.usage_in_bytes": "900000000"},
        ),
    ],
)
def test_what_is_left_of_a_cgroup(
    tmp_path: Path, own: str, folder: str, files: dict[str, str]
) -> None:
    """Cached files that the system gives back when asked do not count as used."""
    files = {f"{folder}{name}": text for name, text in files.items()}
    assert available_memory(*_cgroup(tmp_path, own, files)) == 100_000_000
    stat = "anon 1\ninactive_file 5\ntotal_inactive_file 300000000\n"
    files[f"{folder}memory.stat"] = stat if folder else "inactive_file 300000000\n"
    assert available_memory(*_cgroup(tmp_path, own, files)) == 400_000_000


def test_gpus_are_those_that_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system shows, unless CUDA or our own variable was told less."""
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("JUPYTER_MLOPS_GPUS", raising=False)
    assert gpu_devices(tmp_path) == ("0", "1", "10")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-8932, 1,-1,0")
    assert gpu_devices(tmp_path) == ("GPU-8932", "1")
    monkeypatch.setenv("JUPYTER_MLOPS_GPUS", "")
    assert gpu_devices(tmp_path) == ()


def _take(slots: Slots, cpus: int = 1, **more: int) -> Hold:
    hold = slots.acquire(Request(cpus=cpus, **more))
    assert isinstance(hold, Hold)
    return hold


def test_two_projects_never_hold_more_than_there_is(tmp_path: Path) -> None:
    """A core that one project holds is not given to another."""
    a, b = (Slots(tmp_path, name, machine=a_machine(3)) for name in "ab")
    held = _take(a, 2)
    assert b.acquire(Request(cpus=2)) is Shortage.CORES
    assert b.waiting
    _take(b, 1)
    assert not b.waiting
    assert a.held_by_all() == b.held_by_all() == 3
    a.release(held)
    assert a.held_by_all() == 1
    _take(b, 2)


def test_a_project_that_waits_gets_its_share(tmp_path: Path) -> None:
    """Where another waits, nobody takes more than an equal part."""
    a, b = (Slots(tmp_path, name, machine=a_machine(4)) for name in "ab")
    held = [_take(a) for _ in range(4)]
    assert b.acquire(Request(cpus=1)) is Shortage.CORES
    for each in held[:2]:
        a.release(each)
    assert a.acquire(Request(cpus=1)) is Shortage.CORES
    _take(b)
    _take(b)


def test_who_waits_long_for_many_cores_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wide run is not put off for ever by another project's narrow ones."""
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    a, b = (Slots(tmp_path, name, machine=a_machine(2)) for name in "ab")
    held = _take(a)
    assert b.acquire(Request(cpus=2)) is Shortage.CORES
    a.release(held)
    held = _take(a)
    now += PATIENCE + 1
    assert b.acquire(Request(cpus=2)) is Shortage.CORES
    a.release(held)
    assert a.acquire(Request(cpus=1)) is Shortage.CORES
    _take(b, 2)
    now += 6
    assert not b.waiting


def test_a_wish_that_nobody_renews_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was suspended does not keep the others waiting."""
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    a, b = (Slots(tmp_path, name, machine=a_machine(2)) for name in "ab")
    held = [_take(a), _take(a)]
    assert b.acquire(Request(cpus=2)) is Shortage.CORES
    a.release(held[0])
    now += PATIENCE + 1
    _take(a)


def test_a_project_keeps_to_its_own_limits(tmp_path: Path) -> None:
    """What the settings allow bounds a project although more is free."""
    own = a_machine(1, memory=1_000_000_000)
    slots = Slots(tmp_path, "a", machine=a_machine(4), own=own)
    held = _take(slots, memory=500_000_000)
    assert slots.acquire(Request(cpus=1)) is Shortage.CORES
    assert not slots.waiting
    slots.release(held)
    assert slots.acquire(Request(cpus=1, memory=1_500_000_000)) is Shortage.MEMORY


def test_memory_is_held_across_projects(tmp_path: Path) -> None:
    """What one project's attempts were promised is not promised to another's."""
    a, b = (Slots(tmp_path, name, machine=a_machine(4)) for name in "ab")
    held = _take(a, memory=6_000_000_000)
    assert b.acquire(Request(cpus=1, memory=3_000_000_000)) is Shortage.MEMORY
    assert b.waiting
    _take(b, memory=2_000_000_000)
    a.release(held)
    _take(b, memory=6_000_000_000)


def test_no_gpu_is_given_away_twice(tmp_path: Path) -> None:
    """Each attempt gets devices of its own, in whichever project it runs."""
    gpus = ("0", "GPU-1", "7")
    a, b = (Slots(tmp_path, name, machine=a_machine(8, gpus=gpus)) for name in "ab")
    held = _take(a, gpus=2)
    assert held.gpus == ("0", "GPU-1")
    assert b.acquire(Request(cpus=1, gpus=2)) is Shortage.GPUS
    assert _take(b, gpus=1).gpus == ("7",)
    assert _take(b).gpus == ()
    a.release(held)
    assert _take(b, gpus=2).gpus == ("0", "GPU-1")


def test_nothing_starts_while_memory_is_nearly_gone(tmp_path: Path) -> None:
    """Also what asked for no memory waits; a request waits until so much is free in fact."""
    left = 100_000_000
    slots = Slots(tmp_path, "a", machine=a_machine(4), available=lambda: left, reserve=400_000_000)
    assert slots.acquire(Request(cpus=1)) is Shortage.MEMORY
    assert slots.waiting
    left = 1_000_000_000
    _take(slots)
    assert slots.acquire(Request(cpus=1, memory=2_000_000_000)) is Shortage.MEMORY
    left = 3_000_000_000
    _take(slots, memory=2_000_000_000)


def test_a_user_may_bound_the_attempts_of_all_projects(tmp_path: Path) -> None:
    """One that only waits for runs of its own does not count, or nothing could go on."""
    a, b = (Slots(tmp_path, name, machine=a_machine(8), most=2) for name in "ab")
    first = _take(a)
    _take(b)
    assert a.acquire(Request(cpus=1)) is Shortage.ATTEMPTS
    a.suspend(first)
    _take(b)
    assert a.acquire(Request(cpus=1)) is Shortage.ATTEMPTS


def test_one_that_only_waits_keeps_its_memory_and_gpus(tmp_path: Path) -> None:
    """Its cores are free for others until it goes on, the rest is still in use."""
    machine = a_machine(2, gpus=("0",))
    a, b = (Slots(tmp_path, name, machine=machine) for name in "ab")
    held = _take(a, 2, memory=6_000_000_000, gpus=1)
    a.suspend(held)
    assert a.held_by_all() == 0
    assert b.acquire(Request(cpus=1, memory=3_000_000_000)) is Shortage.MEMORY
    assert b.acquire(Request(cpus=1, gpus=1)) is Shortage.GPUS
    other = _take(b)
    assert not a.resume(held, 2)
    assert a.waiting
    b.release(other)
    assert a.resume(held, 2)
    assert a.held_by_all() == 2


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """The system frees what a process held that was killed."""
    code = (
        "import sys, pathlib; from jupyter_mlops.execution.slots import Slots\n"
        "from jupyter_mlops.core.resources import Capacity, Request\n"
        "machine = Capacity(cores=2, memory=10**9, gpus=('0',))\n"
        "slots = Slots(pathlib.Path(sys.argv[1]), 'x', machine=machine)\n"
        "slots.acquire(Request(cpus=2, memory=10**9, gpus=1)); print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        machine = a_machine(2, memory=10**9, gpus=("0",))
        slots = Slots(tmp_path, "y", machine=machine)
        assert slots.acquire(Request(cpus=1)) is Shortage.CORES
        process.kill()
        process.wait()
        assert _take(slots, 2, memory=10**9, gpus=1).gpus == ("0",)
        assert len(list(tmp_path.glob("hold-*"))) == 1


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
    assert thread_limits(2)["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"cpus": 5}, "cpus: 5 cores were asked for, this machine grants 4."),
        ({"memory": 9_000_000_000}, "memory: 9.0 GB were asked for, this machine grants 8.0 GB."),
        ({"gpus": 1}, "gpus: 1 were asked for, this machine has none."),
    ],
)
def test_what_never_fits_is_refused(request_: dict[str, int], message: str) -> None:
    """The message says what was asked for and what there is, and names the field."""
    with pytest.raises(TooManyResources) as refused:
        check_request(a_machine(4), **request_)
    assert refused.value.message.startswith(message)
    assert refused.value.field in request_


def test_what_earlier_runs_used_is_expected() -> None:
    """The most that one of them used, and a fifth more; nothing is expected without any."""
    assert expected_memory([]) is None
    assert expected_memory([500_000_000, 1_000_000_000]) == 1_200_000_000
    assert expected_memory([10_000_000]) == 30_000_000
    assert most_memory(2_000_000_000) == 2_100_000_000
    assert most_memory(100_000_000) == 150_000_000
