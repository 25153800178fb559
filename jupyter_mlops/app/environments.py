"""Environments in which models are served: the one that is here, or their own, made by uv."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..core.exceptions import MlopsError
from ..core.runs import new_id
from ..registry.model_files import ModelFacts
from .projects import Project

#: A requirement of one exact version, as MLflow writes them.
_EXACT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[.*\])?==([^\s;]+)$")
#: What uv draws around its messages.
_FRAME = re.compile("[\u00d7\u2570\u2500\u25b6\u2502]")


class NoEnvironment(MlopsError):
    """The model's environment could not be made. See the endpoint's log."""

    code = "no_environment"


class Environments:
    """Makes the environments of models below the project's state, once for each."""

    def __init__(self, project: Project) -> None:
        self._folder = project.state / "environments"
        self._lock = asyncio.Lock()

    async def python_for(self, facts: ModelFacts, log: Path, variables: Mapping[str, str]) -> str:
        """Return the Python of a model's own environment; ours if that has all that it names.

        Raises `NoEnvironment`.
        """
        if is_present(facts):
            return sys.executable
        async with self._lock:
            return await asyncio.to_thread(self._make, facts, log, variables)

    def _make(self, facts: ModelFacts, log: Path, variables: Mapping[str, str]) -> str:
        wanted = "\n".join((facts.python or "", *facts.requirements))
        place = self._folder / hashlib.sha256(wanted.encode()).hexdigest()[:16]
        python = place / "bin" / "python"
        if python.exists():
            return str(python)
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv is None:
            raise NoEnvironment("uv is not here. Install it with: pip install uv")
        aside = place.with_name(f".{place.name}.{new_id()}")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        listed = self._folder / f"{place.name}.txt"
        listed.write_text("\n".join(facts.requirements) + "\n", "utf-8")
        made = facts.python or ".".join(map(str, sys.version_info[:3]))
        try:
            _run(log, variables, uv, "venv", "--relocatable", "--python", made, str(aside))
            inside = ("--python", str(aside / "bin" / "python"))
            _run(log, variables, uv, "pip", "install", *inside, "--requirement", str(listed))
            aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return str(python)


def is_present(facts: ModelFacts) -> bool:
    """Whether this environment has the Python and the exact versions that a model names."""
    ours = [str(each) for each in sys.version_info[:2]]
    if facts.python is not None and facts.python.split(".")[:2] != ours:
        return False
    return all(map(_is_installed, facts.requirements))


def _is_installed(requirement: str) -> bool:
    found = _EXACT.match(requirement)
    if found is None:
        return False
    try:
        return version(found[1]) == found[2]
    except PackageNotFoundError:
        return False


def _run(log: Path, variables: Mapping[str, str], *command: str) -> None:
    """Run a program, whose output goes to a log. Raises `NoEnvironment` with its last lines."""
    done = subprocess.run(  # noqa: S603 - our own words and paths, no shell
        command,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(done.stdout)
    if done.returncode:
        words = " ".join(_FRAME.sub(" ", done.stdout).split())
        raise NoEnvironment(f"Its environment could not be made: {words[-500:]}")
