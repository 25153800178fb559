"""The systemd unit that keeps a worker running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import service
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.app.runtime import SUCCESSOR
from jupyter_mlops.cli import main
from jupyter_mlops.core.occasions import TriggerKind
from tests.support import workers

#: Names of folders that a careless unit would get wrong.
NAMES = [
    "plain",
    "with space",
    "50%h of $HOME",
    "quote\"d 'path'",
    "back\\slash\\n",
    "semi;colon && more",
    "Zürich 🚲",
    "tab\tand\nline",
    "-dash",
    "trailing space ",
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's configuration."""
    folder = tmp_path / "config home"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


def without_systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take systemctl away."""
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("name", NAMES)
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    """Whatever the project's folder is called, systemd finds nothing wrong, and its path."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (apt install systemd).")
    project = find_project(workers.make_project(tmp_path / name))
    secret = {"MLFLOW_TRACKING_PASSWORD": "hunter2"}
    unit = service.unit_of(project, {**os.environ, **secret, "XDG_CONFIG_HOME": str(tmp_path)})
    assert "hunter2" not in unit.text
    service.install(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(unit.path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr, done.stderr
    assert unquoted(unit.text) == [
        sys.executable,
        *("-P", "-m", "jupyter_mlops.app.worker", str(project.root), "--stay"),
    ]


def unquoted(text: str) -> list[str]:
    """Read the command as systemd does: C escapes in quotes, then specifiers and variables."""
    (line,) = [each for each in text.splitlines() if each.startswith("ExecStart=")]
    words = line.removeprefix('ExecStart="').removesuffix('"').split('" "')
    escapes = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\t": "\t"}
    found = []
    for word in words:
        plain, rest = "", word
        while rest:
            pair = rest[:2]
            if pair in escapes:
                plain, rest = plain + escapes[pair], rest[2:]
            elif pair in ("%%", "$$"):
                plain, rest = plain + pair[0], rest[2:]
            else:
                assert rest[0] not in '%$"\\', word
                plain, rest = plain + rest[0], rest[1:]
        found.append(plain)
    return found


def test_dry(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``--dry`` prints the unit and writes nothing."""
    monkeypatch.chdir(workers.make_project(tmp_path / "project"))
    assert main(["worker", "--install", "--dry"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("[Unit]\n")
    assert "Restart=on-failure" in shown
    assert not config.exists()


def test_without_systemd(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where no systemd answers, the unit is written and the commands are named; then removed."""
    without_systemd(tmp_path / "empty", monkeypatch)
    monkeypatch.chdir(workers.make_project(tmp_path / "project"))
    assert main(["worker", "--install"]) == 0
    shown = capsys.readouterr().out
    (unit,) = (config / "systemd" / "user").iterdir()
    assert f"systemctl --user enable --now {unit.name}" in shown
    assert unit.name.startswith("jupyter-mlops-project-")
    assert main(["worker", "--uninstall"]) == 0
    assert not unit.exists()
    assert main(["worker", "--uninstall"]) == 0
    assert "There is no" in capsys.readouterr().out


def test_with_systemd(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What systemctl is told, by a program in its place that writes it down."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(workers.make_project(tmp_path / "project"))
    assert main(["worker", "--install"]) == 0
    (unit,) = (config / "systemd" / "user").iterdir()
    assert main(["worker", "--uninstall"]) == 0
    assert [line.removeprefix("--user --no-pager ") for line in told.read_text().splitlines()] == [
        "show-environment",
        "show-environment",
        "daemon-reload",
        f"enable --now {unit.name}",
        "show-environment",
        f"disable --now {unit.name}",
        "daemon-reload",
    ]


@pytest.mark.parametrize(
    "options", [["--install", "--stop"], ["--dry"], ["--install", "--uninstall"]]
)
def test_usage(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options that do not go together are refused."""
    monkeypatch.chdir(workers.make_project(tmp_path / "project"))
    assert main(["worker", *options]) == 2


def stay(folder: Path) -> subprocess.Popen[bytes]:
    """Start a worker as the unit does, and wait until it answers."""
    reader, writer = os.pipe()
    command = [sys.executable, "-P", "-m", "jupyter_mlops.app.worker", str(folder), "--stay"]
    process = subprocess.Popen(
        [*command, "--ready-fd", str(writer)], pass_fds=[writer], stderr=subprocess.DEVNULL
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as ready:
        assert ready.read(1) == b"1"
    return process


def test_a_worker_that_stays(tmp_path: Path) -> None:
    """It does not end when idle, ends by a signal, and asks for a successor when it is drained."""
    folder = workers.make_project(tmp_path / "project", "idle_minutes = 0.001\n")
    client = Client(find_project(folder))
    process = stay(folder)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process = stay(folder)
        workers.write(client, "x = 1")
        trigger = m.TriggerRequest(
            kind=TriggerKind.HTTP,
            action=m.ActionRequest(submit=m.SubmitRequest(notebook="train.ipynb")),
        )
        client.call(ops.ADD_TRIGGER, body=trigger)
        client.call(ops.DRAIN, body=m.DrainRequest())
        assert process.wait(60) == SUCCESSOR
    finally:
        process.kill()
        process.wait()
