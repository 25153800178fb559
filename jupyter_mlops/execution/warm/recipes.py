"""What a template is made of: attempts with equal recipes share one."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, NoSuchKernel

from ... import interpreter
from ...core.executors import Task
from ...core.resources import thread_limits
from ..kernelspecs import find_kernelspec
from .preloads import modules_to_preload

#: How a kernelspec starts ipykernel: Python with options, and options of the kernel.
_LAUNCH = re.compile(
    "(?P<python>.+?)\0-m\0ipykernel(_launcher)?\0-f\0{connection_file}(?P<arguments>(\0.+)?)"
)

#: Variables that differ between attempts or terminals, and that no library reads when it is
#: imported. All others have to be the same for a template to serve.
_NOT_AT_IMPORT = re.compile(
    r"JUPYTER_MLOPS_.*|MLFLOW_.*|JPY_.*|_|PWD|OLDPWD|SHLVL|TERM.*|COLUMNS|LINES|SSH_.*|WINDOWID"
    r"|XDG_SESSION_.*|DBUS_.*|COLORTERM|LS_COLORS|TMUX.*|STY|VSCODE_.*|GIT_.*|DVC_.*|HISTFILE"
)


class NoTemplate(Exception):
    """There is no template for an attempt, and this is why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What a template is made of."""

    #: Python and its options.
    command: tuple[str, ...]
    #: Options of the kernel.
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    #: Relative entries of PYTHONPATH lead from here, and files here hide packages.
    cwd: str
    preload: tuple[str, ...]
    #: Shared cells: their positions among the code cells, and their sources.
    shared: tuple[tuple[int, str], ...] = ()
    #: The sweep for which they are executed.
    sweep: str = ""

    def without_sharing(self) -> Recipe:
        """Return what serves if the shared cells cannot be shared."""
        return replace(self, shared=(), sweep="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What an attempt needs of a kernel."""

    #: Name of the kernelspec.
    kernel: str
    environment: Mapping[str, str]
    cwd: Path
    #: The code cells of the notebook.
    sources: Sequence[str]
    #: Positions of the shared ones, and the sweep for which they are executed.
    shared: Sequence[int] = ()
    sweep: str = ""

    @classmethod
    def of(cls, task: Task) -> Need:
        """Return what a task needs."""
        return cls(
            kernel=task.kernel,
            environment=task.environment,
            cwd=task.cwd,
            sources=_sources(task.snapshot, task.snapshot.stat().st_mtime_ns),
            shared=task.shared,
            sweep=task.attempt_id.partition("-")[0],
        )


def recipe_for(need: Need, allowed: frozenset[str], noisy: set[str]) -> Recipe:
    """Return the recipe of a template. Raises `NoTemplate`.

    ``allowed`` are the packages that may be preloaded, ``noisy`` the modules that must not.
    """
    if sys.platform != "linux":
        raise NoTemplate("kernels are forked on Linux only")
    try:
        spec = find_kernelspec(need.kernel)
    except NoSuchKernel as error:
        raise NoTemplate(str(error)) from None
    command, arguments = _launch(spec)
    shared = tuple((position, need.sources[position]) for position in need.shared)
    variables = {**need.environment, **spec.env}
    if shared:
        # A pool of OpenMP threads does not survive a fork.
        variables |= thread_limits(1)
    preload = modules_to_preload(need.sources, allowed)
    return Recipe(
        command=command,
        arguments=arguments,
        environment=tuple(
            sorted(each for each in variables.items() if not _NOT_AT_IMPORT.fullmatch(each[0]))
        ),
        cwd=str(need.cwd),
        preload=tuple(each for each in preload if each not in noisy),
        shared=shared,
        sweep=need.sweep if shared else "",
    )


@lru_cache(maxsize=64)
def _sources(snapshot: Path, _modified: int) -> tuple[str, ...]:
    """Return the code cells of a notebook."""
    notebook = json.loads(snapshot.read_bytes())
    return tuple(
        "".join(cell["source"])
        for cell in notebook.get("cells", ())
        if cell.get("cell_type") == "code"
    )


def _launch(spec: KernelSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a kernelspec's command into Python with its options, and the kernel's options."""
    provisioner = spec.metadata.get("kernel_provisioner", {}).get("provisioner_name")
    if provisioner not in (None, "local-provisioner", "mlops-template"):
        raise NoTemplate(f"its kernelspec asks for the provisioner {provisioner}")
    match = _LAUNCH.fullmatch("\0".join(spec.argv))
    if match is None:
        raise NoTemplate("its kernel is not started by ipykernel")
    python, *options = match["python"].split("\0")
    python = interpreter.meant_by(python)
    arguments = (each for each in match["arguments"].split("\0") if each)
    # nbclient adds the last one: the history is kept in memory.
    return (
        (shutil.which(python) or python, *options),
        (*arguments, "--HistoryManager.hist_file=:memory:"),
    )
