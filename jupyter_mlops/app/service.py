"""A systemd user unit that keeps the project's worker running."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.exceptions import Conflict, InvalidInput
from ..core.files import write_atomically
from .projects import STATE_VARIABLE, Project
from .runtime import RUNTIME_VARIABLE, recorded_python

#: Variables that decide where the worker is found, and which programs its runs find.
_KEPT = ("PATH", RUNTIME_VARIABLE, STATE_VARIABLE)

#: Seconds that systemctl may take: enabling waits until the worker has been started.
_PATIENCE = 60.0

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit file: where it belongs, and what it says."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """What systemctl calls it."""
        return self.path.name


def unit_of(project: Project, variables: Mapping[str, str]) -> Unit:
    """Make the unit of a project's worker. Raises `InvalidInput` if its path cannot be written."""
    base = Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", project.root.name).strip("-.")[:40] or "project"
    name = f"jupyter-mlops-{slug}-{project.id}.service"
    python = recorded_python(project) or sys.executable
    command = [
        *(python, "-P", "-m", "jupyter_mlops.app.worker"),
        *(str(project.root), "--stay"),
    ]
    kept = [f"{each}={variables[each]}" for each in _KEPT if variables.get(each)]
    lines = [
        "[Unit]",
        f"Description=jupyter-mlops worker of {_specifiers(_visible(project.root.name))}",
        "",
        "[Service]",
        f"ExecStart={' '.join(quoted(each, in_command=True) for each in command)}",
        *(f"Environment={quoted(each)}" for each in kept),
        "Restart=on-failure",
        "RestartSec=10",
        "# The worker itself ends what it has started, and notes that.",
        "KillMode=mixed",
        "TimeoutStopSec=60",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    text = "\n".join(lines) + "\n"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{project.root!s:.200} is no UTF-8 text, which a unit must be. Rename the folder."
        ) from error
    return Unit(base / "systemd" / "user" / name, text)


def quoted(word: str, *, in_command: bool = False) -> str:
    """Write a word by systemd's rules, so that it is taken as it is."""
    escaped = "".join(
        _ESCAPES.get(c, c if c.isprintable() or ord(c) > 0x7F else f"\\x{ord(c):02x}") for c in word
    )
    text = _specifiers(escaped)
    return f'"{text.replace("$", "$$") if in_command else text}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() and c != "\\" else " " for c in text)


def install(unit: Unit) -> None:
    """Write the unit file."""
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(unit.path, unit.text.encode())
    except OSError as error:
        raise Conflict(f"{unit.path} cannot be written: {error.strerror}.") from error


def start(unit: Unit) -> bool:
    """Have the user's systemd start the unit now and always; False if none answers.

    Raises `Conflict` with what it says if it refuses.
    """
    if not answers():
        return False
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", unit.name)
    return True


def uninstall(unit: Unit) -> bool:
    """Stop and remove the unit; False if there is none."""
    if not unit.path.exists():
        return False
    systemd = answers()
    if systemd:
        _systemctl("disable", "--now", unit.name)
    unit.path.unlink(missing_ok=True)
    if systemd:
        _systemctl("daemon-reload")
    return True


def answers() -> bool:
    """Whether the user's systemd answers."""
    if shutil.which("systemctl") is None:
        return False
    return _call("show-environment").returncode == 0


def _systemctl(*arguments: str) -> None:
    done = _call(*arguments)
    if done.returncode:
        line = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise Conflict(f"systemctl --user {' '.join(arguments)} failed: {line}")


def _call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - an argv list
        ["systemctl", "--user", "--no-pager", *arguments],  # noqa: S607 - the system's own
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
