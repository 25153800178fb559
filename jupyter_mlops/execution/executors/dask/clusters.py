"""The cluster: one whose address is known, or one that is made, and maybe scaled, by us."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from distributed import Client, Security, SpecCluster
from distributed.deploy.adaptive import Adaptive

from ....core.exceptions import InvalidInput
from .settings import DaskSettings

#: Seconds that a scheduler may take to answer.
PATIENCE = 10.0
#: Looks, one every second or two, after which workers that could not be started are tried again.
_TRY_AGAIN = 15
#: Where a dashboard of a cluster that we make is served: on this machine, by any port.
_HERE = "127.0.0.1:0"
#: Looks, one every second or two, at which a worker must be idle before it is given back.
_IDLE_LOOKS = 30


class Cluster(Protocol):
    """Where attempts are executed."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def elastic(self) -> bool:
        """Whether it may get more workers when it is told of work."""
        ...

    @property
    def problem(self) -> str | None:
        """What keeps it from getting workers, in one line; None while nothing does."""
        ...

    async def connect(self) -> Client:
        """Return a client in our event loop. Raises OSError, `InvalidInput`."""
        ...

    @property
    def cores_of_a_node(self) -> int | None:
        """How many cores its workers will have, if it is known before there is one."""
        ...

    async def follow(self) -> None:
        """Have as many workers as are wanted, if that is ours to decide. Called now and then."""
        ...

    async def close(self) -> None:
        """End what was made."""
        ...


def open_cluster(settings: DaskSettings, logs: Path, wanted: Callable[[], int]) -> Cluster:
    """Return the cluster that the settings name, to which nobody is connected yet.

    Jobs of a batch system print to files in ``logs``. ``wanted`` tells how many nodes the work
    needs just now.
    """
    if settings.address is not None:
        return Addressed(settings.address, _security(settings))
    return Made(settings, logs, wanted)


class Addressed:
    """A cluster that is there."""

    elastic = False
    cores_of_a_node = None
    problem = None

    def __init__(self, address: str, security: Security | None = None) -> None:
        self.name = address
        self._security = security

    async def connect(self) -> Client:
        """Return a client in our event loop. Raises OSError."""
        try:
            return await _connected(self.name, security=self._security)
        except (TypeError, ValueError) as error:
            raise OSError(f"{self.name}: {error}") from error

    async def follow(self) -> None:
        """Whoever started it decides how large it is."""

    async def close(self) -> None:
        """It stays."""


class Made:
    """A cluster of a class that the settings name."""

    def __init__(self, settings: DaskSettings, logs: Path, wanted: Callable[[], int]) -> None:
        self._settings = settings
        self._logs = logs
        self._wanted = wanted
        self._cluster: Any = None
        self.problem: str | None = None
        #: Waits until the workers that were asked for have been started, or could not be.
        self._settling: asyncio.Task[None] | None = None
        #: Looks that pass before workers which could not be started are tried again.
        self._pause = 0
        #: Workers that it was last asked for, and for how many looks it has needed none.
        self._asked = 0
        self._idle = 0
        self.name = settings.cluster or ""
        self.elastic = settings.maximum is not None

    async def connect(self) -> Client:
        """Make it, unless that is done, and return a client. Raises OSError, `InvalidInput`."""
        if self._cluster is None or _status(self._cluster) not in ("running", "created"):
            await self.close()
            self._cluster = await self._make()
        try:
            return await _connected(self._cluster)
        except (OSError, TimeoutError):
            # Its scheduler has ended, which it may not know; another one is made next time.
            await self.close()
            raise

    @property
    def cores_of_a_node(self) -> int | None:
        """What its class was told of that."""
        options = (getattr(self._cluster, "new_spec", None) or {}).get("options", {})
        cores = options.get("nthreads") or options.get("cores")
        return cores if isinstance(cores, int) else None

    async def follow(self) -> None:
        """Have as many workers as are wanted, where `_Follower` cannot see to it."""
        if self._cluster is None:
            return
        if self._adapts:
            await self._settle()
            return
        maximum = self._settings.maximum
        if maximum is None:
            return
        wanted = max(self._settings.minimum, min(self._wanted(), maximum))
        self._idle = self._idle + 1 if wanted < self._asked and not self._wanted() else 0
        if wanted > self._asked or self._idle > _IDLE_LOOKS:
            await self._scale(wanted)

    async def _settle(self) -> None:
        """See whether workers could be started, now and then again, and replace those that end."""
        self._pause = max(0, self._pause - 1)
        if self._settling is None and not self._pause:
            self._settling = asyncio.create_task(self._started())
        if self._settling is not None and self._settling.done():
            error, self._settling = self._settling.exception(), None
            self._pause = _TRY_AGAIN if error is not None else 0
            self.problem = (
                None if error is None else f"{self.name} cannot start workers: {_line(error)}."
            )
        number = self._settings.workers
        if number is not None and not self._pause and len(self._cluster.workers) < number:
            # One that has ended is taken off by Dask, and replaced only when it is asked again.
            await self._scale(number)

    async def _started(self) -> None:
        # Awaited, a worker that could not be started is tried again, and raises why.
        for each in list(self._cluster.workers.values()):
            await each

    async def close(self) -> None:
        """End it, with its workers."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)
            self._settling = None
        cluster, self._cluster = self._cluster, None
        self._asked = self._idle = 0
        if cluster is not None:
            with contextlib.suppress(Exception):
                await cluster.close()

    async def _make(self) -> Any:
        settings = self._settings
        try:
            self._cluster = cluster = await _class(self.name)(
                **self._arguments(), asynchronous=True
            )
            if settings.workers is not None:
                await self._scale(settings.workers)
                await cluster
        except Exception as error:  # the class may be anybody's
            await self.close()
            raise InvalidInput(
                f"mlops.toml: [dask]: {self.name} cannot be made: {_line(error)}."
            ) from error
        if settings.maximum is not None and self._adapts:
            cluster.adapt(
                Adaptive=partial(_Follower, self._wanted),
                minimum=settings.minimum,
                maximum=settings.maximum,
                interval="1s",
                wait_count=_IDLE_LOOKS,
            )
        return cluster

    def _arguments(self) -> dict[str, Any]:
        """Return what the settings say, with what is safer or tidier than Dask's own defaults."""
        given = self._settings.arguments
        # Whoever reaches a dashboard may look at it.
        if self.name.rpartition(".")[2] == "LocalCluster":
            return {"dashboard_address": _HERE, **given}
        if self.name.startswith("dask_jobqueue."):
            options = {"dashboard_address": _HERE, **given.get("scheduler_options", {})}
            return {"log_directory": str(self._logs), **given, "scheduler_options": options}
        return given

    async def _scale(self, number: int) -> None:
        self._asked, self._idle = number, 0
        result = self._cluster.scale(number)
        if hasattr(result, "__await__"):
            await result

    @property
    def _adapts(self) -> bool:
        """Whether it may be told by us how many workers it needs, and ends those that are idle.

        Others decide that by the tasks that their scheduler has, where ours come one at a time.
        """
        return isinstance(self._cluster, SpecCluster)


class _Follower(Adaptive):
    """Keeps as many workers as are wanted, and never ends one that executes."""

    def __init__(self, wanted: Callable[[], int], *args: Any, **kwargs: Any) -> None:
        self._wanted = wanted
        super().__init__(*args, **kwargs)

    async def target(self) -> int:
        """Return how many workers there should be."""
        return self._wanted()


async def _connected(cluster: Any, **options: Any) -> Client:
    client = Client(cluster, asynchronous=True, timeout=PATIENCE, set_as_default=False, **options)
    try:
        await client
    except BaseException:
        await disconnect(client)
        raise
    return client


async def disconnect(client: Client) -> None:
    """Close a client, whatever state it is in."""
    try:
        await client.close()
    except (OSError, TimeoutError):
        pass
    finally:
        # One that could not be closed would try it again when it is collected, and not be awaited.
        client.status = "closed"


def _status(cluster: Any) -> str:
    """Return how a cluster stands: dask-gateway says it in a word of its own."""
    return str(getattr(cluster.status, "name", cluster.status))


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInput(
            f"mlops.toml: [dask]: there is no class {name}: {_line(error)}. Install its "
            "package beside jupyter-mlops, or mend the name."
        ) from error


def _security(settings: DaskSettings) -> Security | None:
    files = settings.tls_ca, settings.tls_cert, settings.tls_key
    if not any(files):
        return None
    ca, cert, key = files
    return Security(
        tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key, require_encryption=True
    )


def _line(error: BaseException) -> str:
    """Return the line of an error that tells most: of a program that failed, what it said."""
    said = str(error).strip()
    line = (said.partition("stderr:\n")[2].strip() or said).split("\n", 1)[0]
    return line.rstrip(".")
