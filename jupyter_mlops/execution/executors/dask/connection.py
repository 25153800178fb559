"""The connection to a cluster: kept up, and told of workers that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.comm.core import CommClosedError

from ....core.exceptions import InvalidInput
from ....core.files import write_atomically
from ....core.resources import Capacity
from . import calls
from .clusters import PATIENCE, Cluster, disconnect
from .fitness import QUESTION, lacking
from .node import NodeConfig
from .nodes import Node, Nodes

log = logging.getLogger(__name__)

#: Seconds between two tries to reach the scheduler, and two looks whether it is there.
_PAUSE = 2.0
#: Seconds before a cluster that could not be made is tried to be made again.
_LONG_PAUSE = 15.0
#: Seconds between two looks at a worker that has come and is not ready yet.
_LOOK_EVERY = 0.2
#: Seconds after which a worker that was asked something will not answer any more.
_LONGEST = 60.0


class Connection:
    """Keeps the ledger of a cluster true. For one event loop."""

    def __init__(
        self,
        config: NodeConfig,
        nodes: Nodes,
        cluster: Cluster,
        *,
        told: Callable[[Mapping[str, Any]], None],
        gone: Callable[[str], None],
    ) -> None:
        """``told`` is given what nodes tell, ``gone`` the addresses of those that go."""
        self.config = config
        self.cluster = cluster
        self.client: Client | None = None
        #: Where the scheduler shows its own view, as a URL, if it does.
        self.dashboard: str | None = None
        #: Why we are not connected, if we should be, in one line.
        self.failure: str | None = None
        #: Workers that cannot execute attempts, and why.
        self.unfit: dict[str, str] = {}
        self._nodes = nodes
        self._told = told
        self._gone = gone
        #: The workers that the scheduler has, by address, each with what sees whether it is fit.
        self._there: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._ends = False
        #: Set when there is reason to look whether the connection is still there.
        self._look = asyncio.Event()

    def look(self) -> None:
        """Look soon whether the connection is still there."""
        self._look.set()

    async def open(self) -> None:
        """Connect, and stay connected from then on; return when that was tried."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * PATIENCE):
                await self._tried.wait()

    async def ask(self, address: str, question: Callable[..., Any], *arguments: Any) -> Any:
        """Have a function called on a worker; None if it is gone, or refuses.

        Raises OSError if that comes of the function, as of a full disk.
        """
        if self.client is None:
            return None
        try:
            async with asyncio.timeout(_LONGEST):
                answers = await self.client.run(
                    question, *arguments, workers=[address], on_error="return"
                )
        except (OSError, TimeoutError):
            return None
        answer = answers.get(address)
        if isinstance(answer, OSError) and not _is_of_network(answer):
            raise answer
        return None if isinstance(answer, BaseException) else answer

    async def close(self) -> None:
        """End it: the nodes end what they execute when our plugin goes."""
        self._ends = True
        leaving = []
        if self.client is not None and self.client.status == "running":
            for address in self._there.keys() - self.unfit.keys():
                left = self.ask(address, calls.leave, self.config.name)
                leaving.append(asyncio.create_task(left))
        if leaving:
            await asyncio.wait(leaving, timeout=PATIENCE)
        tasks = [*leaving, *([self._watching] if self._watching else [])]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.cluster.close()

    async def _watch(self) -> None:
        # Dask may swallow that we are cancelled.
        while not self._ends:
            pause = _PAUSE
            try:
                await self._connected()
            except (OSError, TimeoutError) as error:
                why = str(error) or "it takes too long"
                self.failure = f"The Dask scheduler does not answer: {why}."
            except InvalidInput as error:
                self.failure, pause = error.message, _LONG_PAUSE
            except Exception as error:  # what the class of a cluster raises nobody can foresee
                log.exception("The connection to the cluster failed.")
                self.failure = f"The Dask cluster failed: {type(error).__name__}: {error}."
                pause = _LONG_PAUSE
            log.warning("%s", self.failure)
            self._tried.set()
            await asyncio.sleep(pause)

    async def _connected(self) -> None:
        """Connect, and return when the connection is lost."""
        probe, token = Path(self.config.probe), self.config.token
        await asyncio.to_thread(write_atomically, probe, token.encode())
        client = await self.cluster.connect()
        link = client.scheduler_comm
        self._nodes.expected_cores = self.cluster.cores_of_a_node
        try:
            client.subscribe_topic(self.config.name, lambda event: self._told(event[1]))
            client.subscribe_topic("all", self._changed)
            self.client, self.failure = client, None
            self.dashboard = _dashboard(client)
            await self._look_around(client)
            if self._there:
                await asyncio.wait(self._there.values(), timeout=PATIENCE)
            self._tried.set()
            await self._until_lost(client, link)
            self.failure = "The connection to the Dask scheduler was lost."
        finally:
            self.client = self.dashboard = None
            for address in list(self._there):
                self._go(address)
            await disconnect(client)

    async def _until_lost(self, client: Client, link: object) -> None:
        """Return when the connection is lost, of which Dask does not tell.

        It connects again by itself, by another link, but registers nothing of ours again.
        """
        while not self._ends and client.status == "running" and client.scheduler_comm is link:
            await self.cluster.follow()
            # Of a worker that came while we had just asked to be told of them, nobody tells.
            with contextlib.suppress(OSError, TimeoutError):
                await self._look_around(client)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE):
                    await self._look.wait()
            self._look.clear()

    async def _look_around(self, client: Client) -> None:
        """Take note of the workers that are there. Raises OSError, TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            there = await client.ncores()
        for address in there:
            self._come(address)
        for address in self._there.keys() - there.keys():
            if self._nodes.get(address) is None:
                self._go(address)

    def _changed(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        if message.get("action") == "add-worker":
            self._come(message["worker"])
        elif message.get("action") == "remove-worker":
            self._go(message["worker"])

    def _come(self, address: str) -> None:
        """Take note that a worker is there, and see whether it can work for us."""
        if address not in self._there:
            self._there[address] = asyncio.create_task(self._join(address))

    async def _join(self, address: str) -> None:
        """Have a worker become a node, if it is fit.

        Dask could be told to give our plugin to every worker, but one without our package, which
        may belong to others, would not start then.
        """
        try:
            found = await self._answer(address, eval, QUESTION)
            why = lacking(found) if found else None
            if found and why is None:
                found = await self._answer(address, calls.join, self.config)
                if found and self.config.files == "shared" and not found["shares"]:
                    await self.ask(address, calls.leave, self.config.name)
                    why = "it does not see the project's folder"
        except OSError as error:
            found, why = None, f"it cannot execute attempts ({error})"
        if not self._awaits(address):
            return
        if why is not None:
            self._refuse(address, why)
        elif found:
            self.unfit.pop(address, None)
            self._nodes.add(_node(address, found))

    async def _answer(self, address: str, question: Callable[..., Any], *arguments: Any) -> Any:
        """Ask a worker until it answers; None if it is gone. Raises OSError if it cannot."""
        while self._awaits(address):
            found = await self.ask(address, question, *arguments)
            if found is not None:
                return found
            if self._awaits(address):
                self._refuse(address, "it does not answer")
                await asyncio.sleep(_LOOK_EVERY)
        return None

    def _awaits(self, address: str) -> bool:
        """Whether a worker is there that this task is about: Dask may swallow a cancellation."""
        return self._there.get(address) is asyncio.current_task()

    def _refuse(self, address: str, why: str) -> None:
        if self.unfit.get(address) != why:
            self.unfit[address] = why
            log.warning("The Dask worker %s is not used: %s.", address, why)

    def _go(self, address: str) -> None:
        """Take note that a worker is gone."""
        joining = self._there.pop(address, None)
        if joining is not None:
            joining.cancel()
        self.unfit.pop(address, None)
        self._nodes.remove(address)
        self._gone(address)


def _is_of_network(error: OSError) -> bool:
    """Whether the scheduler did not reach the worker; what fails there is raised as it is."""
    return isinstance(error, CommClosedError) or str(error).startswith("Timed out trying")


def _dashboard(client: Client) -> str | None:
    # A scheduler may have none, and the link's form may name a variable that is not set. Outside
    # the event loop Dask would ask the scheduler for it.
    with contextlib.suppress(KeyError):
        link = client.dashboard_link
        return str(link) if link else None
    return None


def _node(address: str, found: Mapping[str, Any]) -> Node:
    return Node(
        address=address,
        name=found["name"],
        incarnation=found["incarnation"],
        host=found["host"],
        declared=found["declared"],
        shares=found["shares"],
        kernels=tuple(found["kernels"]),
        machine=found["machine"],
        interpreter=found["interpreter"],
        capacity=Capacity(cores=found["cores"], memory=found["memory"], gpus=tuple(found["gpus"])),
    )
