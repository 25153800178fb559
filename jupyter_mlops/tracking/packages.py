"""The packages of the Pythons that kernels run on, each asked once while it is the same."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import interpreter
from ..core.files import write_atomically

#: Seconds that a Python may take to tell.
TIMEOUT = 60.0
#: Priority that it gets: runs go first.
_MODEST = 10


class Packages:
    """Keeps, by their hash in a folder, what Pythons have."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[float, ...], dict[str, Any]]] = {}

    def of(self, program: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the facts of a Python, without its packages but with their number and hash.

        ``environment`` is the kernel's, of which it needs PATH and PYTHONPATH alone. None if it
        is no Python, or does not tell.
        """
        python = shutil.which(interpreter.meant_by(program), path=environment.get("PATH"))
        if python is None or "python" not in Path(python).name.lower():
            return None
        key = f"{python}\0{environment.get('PYTHONPATH', '')}"
        with self._lock:
            if key in self._known and self._known[key][0] == _state(self._known[key][1]["paths"]):
                return dict(self._known[key][1])
            facts = _ask(python, environment)
            if facts is None:
                return None
            brief = self.keep(facts)
            self._known[key] = _state(facts["paths"]), brief
        return dict(brief)

    def keep(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write packages down; return the facts with their number and hash in place of them."""
        kept = {name: facts[name] for name in ("packages", "sources")}
        content = json.dumps(kept, indent=1, sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
        return {**facts, "packages": len(facts["packages"]), "packages_sha256": digest}

    def path(self, digest: str) -> Path:
        """Return where packages of that hash are written down."""
        return self._folder / f"{digest}.packages.json"


def _ask(python: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
    names = ("HOME", "PATH", "PYTHONPATH", "PYTHONNOUSERSITE", "LD_LIBRARY_PATH", "LANG")
    kept = {name: environment[name] for name in names if name in environment}
    kept |= {n: t for n, t in environment.items() if n.endswith(("_IMAGE", "IMAGE_SPEC"))}
    try:
        with subprocess.Popen(  # noqa: S603 - the kernel's own program, and our script
            (python, interpreter.__file__),
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.setpriority(os.PRIO_PROCESS, process.pid, _MODEST)
            try:
                printed, _ = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        found: dict[str, Any] = json.loads(printed)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return found


def _state(paths: list[str]) -> tuple[float, ...]:
    """Return what changes when packages are installed or removed."""
    found = []
    for each in paths:
        try:
            found.append(os.stat(each).st_mtime)  # noqa: PTH116 - many, and often
        except OSError:
            found.append(0.0)
    return tuple(found)
