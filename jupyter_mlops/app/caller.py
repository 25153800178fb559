"""Hand a notebook and its parameter space to the worker, from a kernel, a script or a shell."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from ..core.exceptions import InvalidInput, MlopsError
from ..core.parameters import Parameter
from ..core.runs import ATTEMPT_VARIABLE
from ..notebooks.files import read_notebook
from ..notebooks.parameters import read_parameters
from . import messages as m
from . import operations as ops
from .client import Client, connect
from .projects import Project, find_project

#: Larger notebooks are not read in order to complete a name.
_MAX_COMPLETED = 20_000_000

#: Prefixes of variables that belong to the calling kernel or shell, or to ourselves.
_OWN_PREFIXES = ("JPY_", "JUPYTER_MLOPS_", "_JUPYTER_MLOPS_", "PYDEVD_", "COMP_")
#: Variables that would break another interpreter, or another process's run.
_OWN_NAMES = frozenset(
    [
        "_",
        "SHLVL",
        "PWD",
        "OLDPWD",
        "COLUMNS",
        "LINES",
        "__PYVENV_LAUNCHER__",
        "PYTHONHOME",
        "PYTHONEXECUTABLE",
        "PYTHONPLATLIBDIR",
        "PYTHONSTARTUP",
        "PYTHONINSPECT",
        "PYTHONSAFEPATH",
        "MLFLOW_RUN_ID",
        "MLFLOW_RUN_CONTEXT",
        "MLFLOW_EXPERIMENT_ID",
        "MLFLOW_EXPERIMENT_NAME",
    ]
)


def caller_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those of the caller's variables that the runs' kernels should have too."""
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith(_OWN_PREFIXES)
        and name not in _OWN_NAMES
        and not (name == "MPLBACKEND" and value.startswith("module://"))
    }


def locate(notebook: str | os.PathLike[str]) -> tuple[Project, str]:
    """Return a notebook's project and its path there. Raises `InvalidInput` if there is none."""
    try:
        path = Path(notebook).expanduser()
        folder = path.is_dir()
        if not folder and not path.suffix and path.with_suffix(".ipynb").is_file():
            path = path.with_suffix(".ipynb")
        if path.is_file():
            project = find_project(path)
            return project, project.relative(path.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(
            f"{_shown(notebook)} cannot be read: {error}.", field="notebook"
        ) from error
    if folder:
        raise InvalidInput(f"{_shown(path)} is a folder. Name a notebook.", field="notebook")
    raise InvalidInput(f"There is no notebook {_shown(path)}.{_meant(path)}", field="notebook")


def _shown(path: str | os.PathLike[str]) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in os.fspath(path))


def _meant(path: Path) -> str:
    """Say which notebook could be meant."""
    try:
        names = [each.stem for each in path.parent.glob("*.ipynb")]
    except OSError:
        names = []
    close = difflib.get_close_matches(path.stem, names, n=1)
    if close:
        return f" Did you mean {_shown(path.parent / close[0])}.ipynb?"
    return " Check its path; it is taken from the current folder."


def declared_parameters(notebook: str | os.PathLike[str]) -> tuple[Parameter, ...]:
    """Return what a notebook declares, for completion; nothing if it cannot be read at once."""
    try:
        path = Path(notebook).expanduser()
        return read_parameters(read_notebook(path, max_bytes=_MAX_COMPLETED)).parameters
    except (MlopsError, OSError, RuntimeError, ValueError):
        return ()


def submit(project: Project, request: m.SubmitRequest) -> tuple[Client, m.SweepView, int]:
    """Submit a request for the caller, whose environment goes along.

    Returns the client, the sweep, and the number of the last event before it.
    """
    request.environment = caller_environment(os.environ)
    request.parent_attempt = os.environ.get(ATTEMPT_VARIABLE)
    client = connect(project)
    seq = client.call(ops.STATUS).seq
    return client, client.call(ops.SUBMIT, body=request), seq
