"""The processes that serve models: started, asked how they are, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import psutil

from .. import __version__
from ..core.endpoints import Monitoring, Scorer
from ..core.exceptions import MlopsError
from ..core.runs import (
    ATTEMPT_VARIABLE,
    ENGINE_VARIABLE,
    PROJECT_VARIABLE,
    READS_VARIABLE,
    ProcessIdentity,
    new_id,
)
from ..execution.commands import last_lines
from ..execution.processes import end, identify, is_alive, with_variables
from ..registry import mlops_scoring
from .model_copies import ModelCopy
from .runtime import runtime_dir
from .unix import UnixConnection

_SCRIPT = Path(mlops_scoring.__file__).with_name("__main__.py")
#: Variable of these processes that names the folder of their project.
_VARIABLE = "JUPYTER_MLOPS_ENDPOINT"
#: Seconds that a model may take until it answers for the first time, and between two looks.
_LOADING = 600.0
_LOOK_EVERY = 0.2
#: Seconds that a living process may take to tell how it is.
ANSWER = 10.0
#: Bytes of a request's body.
LIMIT = 64 * 2**20
#: Bytes of a log that is begun anew.
_LONG_LOG = 20_000_000


class NotLoaded(MlopsError):
    """The model could not be loaded. See the endpoint's log."""

    code = "not_loaded"


class ScorerState(msgspec.Struct):
    """What a process tells of itself."""

    name: str
    version: int
    #: Version of the package that started it.
    build: str
    requests: int
    failures: int
    active: int
    p50: float | None
    p95: float | None


class Process:
    """A process that serves a version of a model."""

    def __init__(self, scorer: Scorer, child: subprocess.Popen[bytes] | None = None) -> None:
        """One that an earlier worker has started is no ``child`` of ours."""
        self.scorer = scorer
        self.socket = runtime_dir() / scorer.socket
        self._child = child
        #: What it told last.
        self.state: ScorerState | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        if self._child is not None:
            return self._child.poll() is None
        return is_alive(self.scorer.identity) is not False

    async def look(self, patience: float = ANSWER) -> ScorerState | None:
        """Ask how it is; None if it does not answer."""
        try:
            self.state = await asyncio.to_thread(self._ask, patience)
        except (OSError, http.client.HTTPException, msgspec.DecodeError):
            return None
        return self.state

    def _ask(self, patience: float) -> ScorerState:
        with contextlib.closing(UnixConnection(self.socket, patience)) as connection:
            connection.request("GET", "/mlops/state")
            return msgspec.json.decode(connection.getresponse().read(), type=ScorerState)

    async def wait_until_ready(self, log: Path) -> None:
        """Return when the model answers. Raises `NotLoaded` with what the process said last."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LOADING
        while await self.look() is None:
            if not self.alive:
                last = await asyncio.to_thread(last_lines, log, 1)
                raise NotLoaded(last.strip() or "It ended without a word.")
            if loop.time() > deadline:
                raise NotLoaded(f"It did not answer within {_LOADING:.0f} seconds.")
            await asyncio.sleep(_LOOK_EVERY)

    async def drain(self, patience: float) -> None:
        """Return when nobody waits for an answer any more, and nobody has asked for a while."""
        deadline = asyncio.get_running_loop().time() + patience
        before = -1
        while asyncio.get_running_loop().time() < deadline:
            state = await self.look()
            if state is None or (not state.active and state.requests == before):
                return
            before = state.requests
            await asyncio.sleep(0.5)

    async def stop(self, grace: float = 10.0) -> None:
        """End it, letting it answer what it has begun to."""
        await asyncio.to_thread(end, [self.scorer.identity], grace=grace)
        if self._child is not None:
            await asyncio.to_thread(self._child.wait)
        self.socket.unlink(missing_ok=True)


def start(  # noqa: PLR0913 - by name
    name: str,
    version: int,
    copy: ModelCopy,
    *,
    folder: Path,
    log: Path,
    prefix: str,
    variables: Mapping[str, str],
    samples: Path,
    monitoring: Monitoring,
    challenger: ModelCopy | None,
    python: str = sys.executable,
    challenger_python: str = sys.executable,
) -> Process:
    """Start a process for a version of a model, by some Python; it answers later.

    ``prefix`` begins the name of its socket, ``samples`` is where it keeps requests. It lives on if
    we end without ending it.
    """
    socket = f"{prefix}.{new_id()}"
    config = _config(name, version, copy, socket)
    if copy.facts.features and python == sys.executable:
        config["features"] = {"project": str(folder), "columns": dict(copy.facts.features)}
    if monitoring.share:
        config["samples"] = {
            "folder": str(samples),
            "columns": list(monitoring.columns),
            "share": monitoring.share,
        }
        if challenger is not None:
            number = monitoring.challenger or 0
            config["challenger"] = {
                **_config(name, number, challenger, f"{prefix}.{new_id()}"),
                "python": challenger_python,
            }
    child = _spawn(python, config, folder, log, variables)
    return Process(Scorer(version=version, socket=socket, identity=_identity(child)), child)


def _config(name: str, version: int, copy: ModelCopy, socket: str) -> dict[str, object]:
    """Return what a process is told."""
    return {
        "name": name,
        "version": version,
        "folder": str(copy.folder),
        "hashes": copy.hashes,
        "socket": str(runtime_dir() / socket),
        "build": __version__,
        "limit": LIMIT,
    }


def end_others(folder: Path, known: Iterable[Process]) -> None:
    """End the processes of a project that nobody knows any more: a killed worker has left them."""
    spared = {each.scorer.identity for each in known}
    found = with_variables(lambda variables: variables.get(_VARIABLE) == str(folder))
    end([each for each in found if each not in spared])


def _spawn(
    python: str, config: dict[str, object], folder: Path, log: Path, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LONG_LOG:
        log.replace(log.with_suffix(".old.log"))
    ours = {ATTEMPT_VARIABLE, PROJECT_VARIABLE, ENGINE_VARIABLE, READS_VARIABLE}
    environment = {k: v for k, v in {**os.environ, **variables}.items() if k not in ours}
    environment[_VARIABLE] = str(folder)
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - an interpreter of ours, an argv list
            [python, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    if child.stdin is not None:
        # One that ends at once has said why in its log.
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(json.dumps(config).encode())
    return child


def _identity(child: subprocess.Popen[bytes]) -> ProcessIdentity:
    """Identify a child, which cannot be taken for another one before we have waited for it."""
    try:
        return identify(child.pid)
    except psutil.NoSuchProcess:
        raise NotLoaded("It ended at once.") from None
