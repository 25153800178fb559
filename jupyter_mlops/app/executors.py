"""Where attempts may run: the executors that are installed, and those that the settings name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType
from typing import Any

import msgspec

from ..core import formats
from ..core.exceptions import ExecutorUnavailable, InvalidInput, MlopsError
from ..core.executors import Executor, Site
from ..core.pipelines import StageSettings
from ..core.resources import check_request
from ..execution.executors.local import LocalExecutor
from . import executor_views
from . import messages as m
from .projects import Project

#: The executor that each project has.
LOCAL = LocalExecutor.name

#: Where packages offer executors.
GROUP = "jupyter_mlops.executors"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """An executor that a package offers."""

    name: str
    package: str
    version: str
    entry: metadata.EntryPoint


def installed() -> dict[str, Installed]:
    """Return the executors that packages offer, by name."""
    found = {}
    for entry in metadata.entry_points(group=GROUP):
        package = entry.dist.name if entry.dist is not None else "?"
        version = entry.dist.version if entry.dist is not None else "?"
        found[entry.name] = Installed(
            name=entry.name, package=package, version=version, entry=entry
        )
    return found


def check_room(executor: Executor, request: m.SpaceRequest | StageSettings) -> None:
    """Raise `TooManyResources` if a run asks for more than an executor has, as far as is known."""
    most = executor.ledger.largest
    if most is not None:
        check_request(
            most,
            cpus=request.cpus,
            memory=request.memory,
            gpus=request.gpus,
            place="the cluster" if executor.remote else "this machine",
        )


def shared_cores(executor: Executor | None, here: int) -> int | None:
    """Return the cores that runs share at an executor; None as long as that is not known.

    ``here`` are those of this machine.
    """
    if executor is None:
        return None
    if not executor.remote:
        return here
    return executor_views.load(executor).cores or None


def check_place(executor: Executor, request: m.SubmitRequest, kernel: str) -> None:
    """Raise `TooManyResources` or `InvalidInput` if a run would find no place at an executor."""
    check_room(executor, request)
    for each in executor.state().nodes:
        if kernel not in each.kernels:
            known = ", ".join(each.kernels) or "none"
            raise InvalidInput(
                f"kernel: {each.name} has no kernel {kernel} (it has: {known}). Install it there, "
                "or choose another.",
                field="kernel",
            )


class Executors(Mapping[str, Executor]):
    """The executors of a project, by name, the local one first.

    One that cannot be opened does not keep the worker from its other work: whoever asks for it is
    told why.
    """

    def __init__(self, project: Project, local: LocalExecutor, mark: Mapping[str, str]) -> None:
        self._project = project
        self._mark = mark
        self._opened: dict[str, Executor] = {local.name: local}
        #: Those that cannot be opened, and why.
        self._failures: dict[str, str] = {}
        #: Those for which runs waited when the worker started.
        self._awaited: set[str] = set()
        settings = project.settings
        self._tables: dict[str, Any] = {**settings.executors}
        if settings.dask is not None:
            self._tables["dask"] = msgspec.to_builtins(settings.dask)
        for name in dict.fromkeys((*self._tables, settings.executor)):
            if name != local.name:
                self._open(name)

    def __getitem__(self, name: str) -> Executor:
        """Return an executor; KeyError if there is none."""
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._opened)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._opened)

    def chosen(self, name: str | None) -> Executor:
        """Return the executor that was asked for, which is that of the settings if none was.

        Raises `ExecutorUnavailable`, `InvalidInput`.
        """
        name = name or self._project.settings.executor
        if name in self._failures:
            raise ExecutorUnavailable(self._failures[name])
        if name not in self._opened:
            raise InvalidInput(
                f"There is no executor {name} (there is: {', '.join(self._opened)}). "
                f"Others are named in mlops.toml, as [executors.{name}].",
                field="executor",
            )
        return self._opened[name]

    async def ready(self, name: str | None) -> None:
        """See that an executor can be given work. Raises `ExecutorUnavailable`, `InvalidInput`."""
        executor = self.chosen(name)
        if executor.name != LOCAL:
            await executor.prepare()

    async def go_on(self, names: set[str]) -> None:
        """Have those get ready for which work waits already; their problems are told later."""
        self._awaited = names
        for name in names - self._opened.keys():
            self._failures.setdefault(
                name,
                f"Runs wait for the executor {name}, which mlops.toml no longer names. Name it "
                "again, or cancel them.",
            )
        waiting = [self._opened[each].prepare() for each in names & self._opened.keys()]
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(error, BaseException):
                log.warning("%s", error)

    @property
    def failures(self) -> Mapping[str, str]:
        """Those that the settings name and that cannot be opened, and why."""
        return MappingProxyType(self._failures)

    @property
    def problem(self) -> str | None:
        """What keeps one of them from executing, in one line; None while nothing does.

        One that cannot be opened is a problem only if runs go there by themselves, or wait for it.
        """
        found = (each.problem for each in self.values() if each.problem)
        needed = (self._project.settings.executor, *sorted(self._awaited))
        missing = (self._failures[each] for each in needed if each in self._failures)
        return next(found, None) or next(missing, None)

    async def list_executors(self) -> list[m.ExecutorView]:
        """Say how each of them stands, by what is known already."""
        default = self._project.settings.executor
        return [
            *(executor_views.opened(each, default=each.name == default) for each in self.values()),
            *(
                executor_views.not_opened(name, problem, default=name == default)
                for name, problem in self._failures.items()
            ),
        ]

    async def findings(self) -> list[m.Finding]:
        """Say which are installed, and whether those that the settings name can be reached."""
        findings = []
        offered = installed()
        for name in dict.fromkeys((*offered, *self._failures)):
            title = f"executor {name}"
            if name in self._opened:
                findings.append(await self._reach(title, self._opened[name]))
            elif name in self._failures:
                findings.append(m.Finding(name=title, ok=False, message=self._failures[name]))
            else:
                findings.append(_loaded(title, offered[name]))
        return findings

    async def _reach(self, title: str, executor: Executor) -> m.Finding:
        try:
            await executor.prepare()
        except MlopsError as error:
            return m.Finding(name=title, ok=False, message=error.message)
        if executor.problem is not None:
            return m.Finding(name=title, ok=False, message=executor.problem)
        state = executor.state()
        cores = sum(each.has.cores for each in state.nodes)
        nodes = formats.counted(len(state.nodes), "node")
        line = f"{state.runs_on}: {nodes}, {formats.counted(cores, 'core')}."
        return m.Finding(name=title, ok=True, message=line)

    def _open(self, name: str) -> None:
        offered = installed().get(name)
        if offered is None:
            self._failures[name] = (
                f"There is no executor {name} among the installed packages. Install the one that "
                "offers it, or mend mlops.toml."
            )
            return
        site = Site(
            project=self._project.id,
            root=self._project.root,
            state=self._project.state,
            settings=self._tables.get(name, {}),
            warm=self._project.settings.warm_kernels,
            preload=self._project.settings.preload,
            mark=self._mark,
        )
        try:
            self._opened[name] = offered.entry.load()(site)
        except InvalidInput as error:
            self._failures[name] = error.message
        except Exception as error:  # whatever a package of somebody else's does
            log.exception("The executor %s could not be opened.", name)
            self._failures[name] = _not_loaded(offered, error)


def _not_loaded(offered: Installed, error: Exception) -> str:
    line = str(error).split("\n", 1)[0]
    advice = ""
    if offered.package == "jupyter-mlops" and isinstance(error, ImportError):
        advice = f" Install it: pip install 'jupyter-mlops[{offered.name}]'"
    return (
        f"The executor {offered.name} of {offered.package} {offered.version} does not load: "
        f"{line}.{advice}"
    )


def _loaded(title: str, offered: Installed) -> m.Finding:
    where = f"{offered.package} {offered.version}"
    try:
        offered.entry.load()
    except Exception as error:  # noqa: BLE001 - whatever a package of somebody else's does
        # Not an error of the project, which does not name it.
        return m.Finding(name=title, ok=True, message=_not_loaded(offered, error))
    return m.Finding(name=title, ok=True, message=f"{where}, not used by this project.")
