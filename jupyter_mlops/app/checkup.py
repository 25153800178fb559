"""What ``doctor`` looks at from outside the worker: this Python, JupyterLab, the folders."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import interpreter
from ..core import formats
from ..core.exceptions import InvalidInput, MlopsError
from ..store import network_file_system
from ..tracking.locks import lock_of, told
from . import disk
from . import messages as m
from . import operations as ops
from .client import connect
from .projects import Project
from .runtime import recorded_python, runtime_dir

#: Packages whose versions matter when something does not work.
_PACKAGES = ("jupyter-mlops", "jupyterlab", "jupyter-server", "mlflow", "papermill", "ipykernel")
_EXTENSION = "jupyter-mlops"
#: Free bytes below which there is something wrong.
LITTLE_SPACE = 1_000_000_000
_SERVER_EXTENSION = "jupyter_mlops"
#: What Jupyter takes for its own interpreter, whether or not PATH knows one of that name.
_OWN_PYTHON = {"python", "python3", "python{}.{}".format(*sys.version_info)}


def check_up(project: Project, *, notify: bool = False) -> list[m.Finding]:
    """Look at everything, the worker's own findings included.

    With ``notify`` each notification is tested by sending it.
    """
    findings = [
        _python(project),
        _versions(),
        *_locked(project),
        _server_extension(),
        _lab_extension(),
        *_folders(project),
        *_broken_kernels(),
    ]
    return findings + _worker(project, notify)


def _finding(name: str, message: str, *, ok: bool = True) -> m.Finding:
    return m.Finding(name=name, ok=ok, message=message)


def _python(project: Project) -> m.Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    line = f"Python {version}, {sys.executable}"
    recorded = recorded_python(project)
    if recorded is not None and Path(recorded) != Path(sys.executable):
        line += f"; the worker runs on {recorded}"
    return _finding("python", line)


def _versions() -> m.Finding:
    found = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        names = " ".join(missing)
        return _finding("packages", f"Missing: {names}. Run: pip install {names}", ok=False)
    return _finding("packages", ", ".join(f"{name} {version}" for name, version in found.items()))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _locked(project: Project) -> Iterator[m.Finding]:
    """Compare this Python's packages with the project's lock, if it has one."""
    try:
        lock = lock_of(project.root, project.settings.lock)
    except InvalidInput as error:
        yield _finding("environment", error.message, ok=False)
        return
    if lock is None:
        return
    differences = lock.differences(interpreter.describe()["packages"])
    if differences:
        line = f"Differs from {lock.path.name}: {told(differences)}. Run: {lock.mending}"
        yield _finding("environment", line, ok=False)
    else:
        yield _finding("environment", f"As {lock.path.name} says.")


def _server_extension() -> m.Finding:
    name = "server extension"
    switch: object = None
    for table in _configuration("jupyter_server_config"):
        extensions = table.get("ServerApp", {}).get("jpserver_extensions", {})
        switch = extensions.get(_SERVER_EXTENSION, switch)
    if switch is True:
        return _finding(name, "Enabled.")
    what = "disabled" if switch is False else "not known to Jupyter Server"
    line = f"It is {what}. Run: jupyter server extension enable {_SERVER_EXTENSION}"
    return _finding(name, line, ok=False)


def _configuration(name: str) -> Iterator[dict[str, Any]]:
    """Yield the tables of a Jupyter configuration, the ones that win last."""
    from jupyter_core.paths import jupyter_config_path

    for folder in map(Path, reversed(jupyter_config_path())):
        for path in (*sorted((folder / f"{name}.d").glob("*.json")), folder / f"{name}.json"):
            try:
                table = json.loads(path.read_text("utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(table, dict):
                yield table


def _lab_extension() -> m.Finding:
    from jupyter_core.paths import jupyter_path

    name = "lab extension"
    if not any(
        (Path(folder) / _EXTENSION / "package.json").is_file()
        for folder in jupyter_path("labextensions")
    ):
        line = "JupyterLab does not find it. Run: pip install --force-reinstall jupyter-mlops"
        return _finding(name, line, ok=False)
    disabled: object = False
    for table in _configuration("labconfig/page_config"):
        switches = table.get("disabledExtensions", {})
        if isinstance(switches, dict):
            disabled = switches.get(_EXTENSION, disabled)
        elif _EXTENSION in switches:
            disabled = True
    if disabled:
        line = f"It is disabled. Run: jupyter labextension enable {_EXTENSION}"
        return _finding(name, line, ok=False)
    return _finding(name, "Installed and enabled.")


def _folders(project: Project) -> Iterator[m.Finding]:
    yield _finding("project", f"{project.root} (by its {project.marker})")
    try:
        folder = runtime_dir()
    except (OSError, MlopsError) as error:
        message = error.message if isinstance(error, MlopsError) else f"{error}."
        yield _finding("runtime folder", message, ok=False)
        return
    kind = network_file_system(folder)
    line = f"{folder} lies on a network file system ({kind}). Set JUPYTER_MLOPS_RUNTIME_DIR."
    yield _finding("runtime folder", line if kind else str(folder), ok=kind is None)
    if not os.access(project.root, os.W_OK):
        line = f"{project.root} cannot be written. Mend its permissions."
        yield _finding("permissions", line, ok=False)


def _broken_kernels() -> Iterator[m.Finding]:
    """Name the kernels whose program is gone, as after an environment was deleted."""
    from jupyter_client.kernelspec import KernelSpecManager

    for name, found in sorted(KernelSpecManager().get_all_specs().items()):
        argv = found["spec"].get("argv") or [""]
        if argv[0] not in _OWN_PYTHON and shutil.which(argv[0]) is None:
            line = f"{argv[0] or 'its program'} is gone. Run: jupyter kernelspec remove {name}"
            yield _finding(f"kernel {name}", line, ok=False)


def _disk(project: Project) -> m.Finding:
    """Tell the free space, and what takes it, where the worker could not."""
    free = shutil.disk_usage(project.root).free
    line = f"{formats.size(free)} free; used here: {disk.told(project)}."
    if free < LITTLE_SPACE:
        line += " The worker needs some: free some space."
    return _finding("disk", line, ok=free >= LITTLE_SPACE)


def _worker(project: Project, notify: bool) -> list[m.Finding]:
    try:
        client = connect(project)
        health = client.call(ops.HEALTH)
        found = client.call(ops.DOCTOR, timeout=120.0)
        if notify:
            found = [*found, *client.call(ops.TEST_NOTIFICATIONS, timeout=120.0)]
    except (MlopsError, OSError) as error:
        message = error.message if isinstance(error, MlopsError) else f"{error}."
        return [_finding("worker", message, ok=False), _disk(project)]
    line = f"Process {health.pid} answers, version {health.version}."
    return [_finding("worker", line), *found]
