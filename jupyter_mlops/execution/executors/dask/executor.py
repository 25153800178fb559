"""The executor: places attempts on the nodes of a cluster, and hears what becomes of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from distributed import Client

from ....core.exceptions import ExecutorUnavailable, InvalidInput
from ....core.executors import ExecutorState, NodeState, Outcome, Progress, Task
from ....core.resources import Capacity, Request
from ....core.runs import Reason, Status
from ... import wire
from ...warm import Source
from . import node
from .clusters import PATIENCE, Cluster
from .fitness import QUESTION, lacking
from .nodes import Node, Nodes

log = logging.getLogger(__name__)

#: Seconds between two tries to reach the scheduler, and two looks whether it is there.
_PAUSE = 2.0
#: Seconds between two looks at a worker that has come and is not ready yet.
_LOOK_EVERY = 0.2

_CANCELLED = Outcome(status=Status.CANCELLED, reason=Reason.USER, has_output=False)


@dataclass(slots=True, eq=False)
class _Placed:
    """An attempt on a node."""

    node: Node
    report: Callable[[Progress], None]
    #: Set when its node is gone.
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class DaskExecutor:
    """Executes attempts on the workers of a Dask cluster."""

    name = "dask"
    remote = True

    def __init__(self, config: node.NodeConfig, nodes: Nodes, cluster: Cluster) -> None:
        self.ledger = nodes
        self.ledger.elastic = cluster.elastic
        self._config = config
        self._cluster = cluster
        #: Why we are not connected, if we should be.
        self._failure: str | None = None
        self._client: Client | None = None
        #: Addresses of the workers that the scheduler has.
        self._there: set[str] = set()
        #: Those of them that cannot execute attempts, and why.
        self.unfit: dict[str, str] = {}
        self._placed: dict[str, _Placed] = {}
        #: Attempts that were cancelled before they had begun.
        self._cancelled: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    # -- the cluster -------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Connect, and stay connected from then on. Raises `ExecutorUnavailable`."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * PATIENCE):
                await self._ready.wait()
        if self._failure is not None:
            raise ExecutorUnavailable(self._failure)
        if self.unfit and not list(self.ledger):
            address, why = next(iter(self.unfit.items()))
            raise ExecutorUnavailable(
                f"No worker of the Dask cluster can execute notebooks: of {address} {why}. "
                "Install the same there."
            )

    async def _watch(self) -> None:
        while True:
            try:
                await self._connected()
                self._failure = "The connection to the Dask scheduler was lost."
            except (OSError, TimeoutError) as error:
                self._failure = (
                    f"The Dask scheduler does not answer: {str(error) or 'it takes too long'}."
                )
            except InvalidInput as error:
                self._failure = error.message
            log.warning("%s", self._failure)
            self._ready.set()
            await asyncio.sleep(_PAUSE)

    async def _connected(self) -> None:
        """Connect, and return when the connection is lost."""
        client = await self._cluster.connect()
        self.ledger.expected_cores = self._cluster.cores_of_a_node
        try:
            client.subscribe_topic(self._config.name, self._hear)
            client.subscribe_topic("all", self._changed)
            self._client, self._failure = client, None
            # Workers that lack our package refuse it, as do those of them that come later.
            with contextlib.suppress(ImportError):
                await client.register_plugin(node.NodePlugin(self._config))
            # Of those that come later we are told.
            there = await client.run(eval, QUESTION, on_error="ignore")
            await asyncio.gather(*map(self._come, there))
            self._ready.set()
            await self._lost(client)
        finally:
            self._client = None
            for address in list(self._there):
                self._go(address)
            with contextlib.suppress(OSError, TimeoutError):
                await client.close()

    async def _lost(self, client: Client) -> None:
        """Return when the connection is lost, of which Dask does not tell."""
        while client.status == "running":
            await self._cluster.follow()
            await asyncio.sleep(_PAUSE)

    def _changed(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        if message.get("action") == "add-worker":
            self._later(self._come(message["worker"]))
        elif message.get("action") == "remove-worker":
            self._go(message["worker"])

    async def _come(self, address: str) -> None:
        """Take note of a worker, as soon as our plugin is there, if it can work for us."""
        if address in self._there:
            return
        self._there.add(address)
        while address in self._there:
            found = await self._ask(address, eval, QUESTION)
            why = lacking(found) if found else "it does not answer"
            if why is None:
                self.unfit.pop(address, None)
                break
            if self.unfit.get(address) != why:
                self.unfit[address] = why
                log.warning("The Dask worker %s is not used: %s.", address, why)
            if found:
                return
            await asyncio.sleep(_LOOK_EVERY)
        while address in self._there:
            found = await self._ask(address, node.describe, self._config.name)
            if found is not None and address in self._there:
                self.ledger.add(_node(address, found))
                return
            await asyncio.sleep(_LOOK_EVERY)

    async def _ask(self, address: str, question: Callable[..., Any], *arguments: str) -> Any:
        """Have a function called on a worker; None if it is gone, or refuses."""
        if self._client is None:
            return None
        with contextlib.suppress(OSError):
            answers = await self._client.run(
                question, *arguments, workers=[address], on_error="ignore"
            )
            return answers.get(address)
        return None

    def _go(self, address: str) -> None:
        """Take note that a worker is gone."""
        self._there.discard(address)
        self.ledger.remove(address)
        self.unfit.pop(address, None)
        for each in self._placed.values():
            if each.node.address == address:
                each.lost.set()

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        placed = self._placed.get(message["attempt"])
        if placed is not None:
            reply = wire.read_reply(message["report"][wire.HEADER_SIZE :])
            if isinstance(reply, wire.Reported):
                placed.report(wire.read_report(reply))

    @property
    def problem(self) -> str | None:
        """What keeps it from executing, in one line; None while nothing does."""
        if self._failure is not None:
            return f"{self._failure} What waits for it goes on once it does."
        return self.ledger.lacking

    def state(self) -> ExecutorState:
        """Tell how the cluster stands."""
        nodes = tuple(
            NodeState(
                name=each.name,
                has=each.capacity,
                free=self.ledger.free(each),
                running=len(each.holds),
            )
            for each in self.ledger
        )
        return ExecutorState(
            runs_on=self._cluster.name,
            nodes=nodes,
            unused=tuple(f"{address}: {why}" for address, why in self.unfit.items()),
            dashboard=self._client.dashboard_link if self._client is not None else None,
        )

    # -- attempts ----------------------------------------------------------------------------------

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt on the node that was taken for it."""
        found = self.ledger.get(task.node)
        client = self._client
        if client is None or found is None:
            return _lost(task, "Its node is gone.")
        if task.attempt_id in self._cancelled:
            self._cancelled.discard(task.attempt_id)
            return _CANCELLED
        placed = self._placed[task.attempt_id] = _Placed(found, report)
        key = f"{task.source}-{task.attempt_id}"
        future = client.submit(
            node.execute,
            self._config.name,
            found.incarnation,
            wire.pack(wire.Execute(task, Source())),
            key,
            key=key,
            workers=[found.address],
            allow_other_workers=False,
            resources=found.resources(Request(cpus=task.cpus, memory=task.memory, gpus=task.gpus)),
            pure=False,
        )
        try:
            return await self._outcome(task, future, placed)
        finally:
            self._placed.pop(task.attempt_id, None)
            with contextlib.suppress(Exception):
                await future.cancel(force=True)

    async def _outcome(self, task: Task, future: Any, placed: _Placed) -> Outcome:
        gone = asyncio.create_task(placed.lost.wait())
        result = asyncio.ensure_future(future.result())
        try:
            await asyncio.wait([gone, result], return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                if self._client is None:
                    return _lost(task, "The connection to its cluster was lost.")
                error = f"Its node {placed.node.name} is gone."
                return _lost(task, error, Reason.NODE_LOST)
            reply = wire.read_reply((await result)[wire.HEADER_SIZE :])
        except LookupError as error:
            return _lost(task, str(error))
        finally:
            gone.cancel()
            result.cancel()
        if not isinstance(reply, wire.Done):
            raise TypeError(f"{type(reply).__name__} is no outcome")
        return reply.outcome

    async def cancel(self, attempt_id: str) -> None:
        """Stop an attempt: its kernel is interrupted, then terminated, then killed."""
        if attempt_id in self._placed:
            await self._stop(attempt_id)
        else:
            self._cancelled.add(attempt_id)

    async def _stop(self, attempt_id: str) -> None:
        placed = self._placed[attempt_id]
        if self._client is not None:
            await self._client.run(
                node.stop,
                self._config.name,
                attempt_id,
                workers=[placed.node.address],
                on_error="ignore",
            )

    async def close(self) -> None:
        """End everything at once: the nodes end what they execute when the plugin goes."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError, TimeoutError, ValueError):
                await client.unregister_worker_plugin(self._config.name)
        for each in (*self._tasks, *([self._watching] if self._watching else [])):
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watching is not None:
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._cluster.close()

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _node(address: str, found: Mapping[str, Any]) -> Node:
    return Node(
        address=address,
        name=found["name"],
        incarnation=found["incarnation"],
        host=found["host"],
        declared=found["declared"],
        capacity=Capacity(cores=found["cores"], memory=found["memory"], gpus=tuple(found["gpus"])),
    )


def _lost(task: Task, error: str, reason: Reason = Reason.LOST) -> Outcome:
    return Outcome(
        status=Status.FAILED, reason=reason, error=error, has_output=task.output.exists()
    )
