"""The executor: places attempts on the nodes of a cluster, and hears what becomes of them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from distributed import Client
from distributed.scheduler import KilledWorker

from ....core.exceptions import ExecutorUnavailable, InvalidInput, NodeGone
from ....core.executors import Command, ExecutorState, NodeState, Outcome, Progress, Task
from ....core.resources import Request
from ....core.runs import Reason, Status
from ... import wire
from ...warm import Source
from . import calls
from .clusters import PATIENCE, Cluster
from .connection import Connection
from .files import Made, Places, Sent
from .manifests import Manifests
from .node import Ended, NodeConfig
from .nodes import Node, Nodes
from .sending import NodeAway, Sending

_CANCELLED = Outcome(status=Status.CANCELLED, reason=Reason.USER, has_output=False)


class _Gone(Exception):
    """The node of an attempt is gone, or never had it, for which there is a line then."""


@dataclass(slots=True, eq=False)
class _Placed:
    """An attempt on a node."""

    node: Node
    report: Callable[[Progress], None]
    #: By which Dask knows it: a command that is tried again must not be taken for the same task.
    key: str
    #: Set when its node is gone.
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set when it has told of something.
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class DaskExecutor:
    """Executes attempts on the workers of a Dask cluster."""

    name = "dask"
    remote = True

    def __init__(
        self,
        config: NodeConfig,
        nodes: Nodes,
        cluster: Cluster,
        places: Places,
        manifests: Manifests,
    ) -> None:
        self.ledger = nodes
        self.ledger.elastic = cluster.elastic
        self._connection = Connection(config, nodes, cluster, told=self._hear, gone=self._gone)
        self._sending = Sending(config.name, places, manifests, self._connection.ask)
        self._placed: dict[str, _Placed] = {}
        #: Attempts that were cancelled before they had begun.
        self._cancelled: set[str] = set()

    # -- the cluster -------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Connect, and stay connected from then on.

        Raises `ExecutorUnavailable`, and `InvalidInput` if the project cannot be sent to nodes that
        do not see it.
        """
        await self._connection.open()
        if self._connection.failure is not None:
            raise ExecutorUnavailable(self._connection.failure)
        if self._useless is not None:
            raise ExecutorUnavailable(self._useless)
        if not all(each.shares for each in self.ledger):
            await self._sending.check()

    @property
    def problem(self) -> str | None:
        """What keeps it from executing, in one line; None while nothing does."""
        if self._connection.failure is not None:
            return f"{self._connection.failure} What waits for it goes on once it answers."
        lacking = self.ledger.lacking
        useless = self._useless if lacking is not None else None
        return self._connection.cluster.problem or useless or lacking

    @property
    def _useless(self) -> str | None:
        """Say why workers that are there are of no use; None if some are, or there is none."""
        if list(self.ledger) or not self._connection.unfit:
            return None
        address, why = next(iter(self._connection.unfit.items()))
        return (
            f"No worker of the Dask cluster can execute notebooks: of {address} {why}. "
            "Install the same there."
        )

    def state(self) -> ExecutorState:
        """Tell how the cluster stands."""
        nodes = tuple(
            NodeState(
                name=each.name,
                has=each.capacity,
                free=self.ledger.free(each),
                running=len(each.holds),
                kernels=each.kernels,
            )
            for each in self.ledger
        )
        client, unfit = self._connection.client, self._connection.unfit
        return ExecutorState(
            runs_on=self._connection.cluster.name,
            nodes=nodes,
            unused=tuple(f"{address}: {why}" for address, why in unfit.items()),
            dashboard=self._connection.dashboard,
            connected=client is not None,
        )

    def _hear(self, message: Mapping[str, Any]) -> None:
        """Pass on what an attempt tells."""
        placed = self._placed.get(message["attempt"])
        if placed is not None:
            placed.changed.set()
            reply = wire.read_reply(message["report"][wire.HEADER_SIZE :])
            if isinstance(reply, wire.Reported):
                placed.report(wire.read_report(reply))

    def _gone(self, address: str) -> None:
        for each in self._placed.values():
            if each.node.address == address:
                each.lost.set()

    # -- attempts ----------------------------------------------------------------------------------

    async def execute(self, task: Task, report: Callable[[Progress], None]) -> Outcome:
        """Execute one attempt on the node that was taken for it."""
        found = self.ledger.get(task.node)
        client = self._connection.client
        if client is None or client.status != "running" or found is None:
            self._connection.look()
            return _ended(task, Reason.LOST, "Its node is gone.")
        if task.attempt_id in self._cancelled:
            self._cancelled.discard(task.attempt_id)
            return _CANCELLED
        placed = _Placed(found, report, _key(task))
        try:
            packed, sent = await self._carry(client, task, placed, calls.execute)
        except (_Gone, InvalidInput, OSError) as error:
            return _ended(task, *self._why(error, found))
        reply = wire.read_reply(packed[wire.HEADER_SIZE :])
        if not isinstance(reply, wire.Done):
            raise TypeError(f"{type(reply).__name__} is no outcome")
        if sent and reply.outcome.has_output:
            task.journal.unlink(missing_ok=True)
        return replace(reply.outcome, machine=found.machine, interpreter=found.interpreter)

    def _why(self, error: Exception, found: Node) -> tuple[Reason, str]:
        """Say why an attempt could not be carried out."""
        if isinstance(error, InvalidInput):
            return Reason.INTERNAL, error.message
        if isinstance(error, OSError):
            return Reason.INTERNAL, f"Its files could not be sent or fetched: {error}."
        if error.args:
            return Reason.LOST, str(error)
        if self._connection.client is None:
            return Reason.LOST, "The connection to its cluster was lost."
        return Reason.NODE_LOST, f"Its node {found.name} is gone."

    async def run(self, command: Command) -> int:
        """Execute a command on the node that was taken for it."""
        found = self.ledger.get(command.node)
        client = self._connection.client
        if client is None or found is None:
            raise NodeGone("Its node is gone.")
        placed = _Placed(found, lambda _: None, _key(command))
        work = asyncio.create_task(self._carry(client, command, placed, calls.run))
        try:
            packed, _ = await asyncio.shield(work)
        except _Gone as error:
            raise NodeGone(f"Its node {found.name} is gone.") from error
        except asyncio.CancelledError:
            await self._stop(placed)
            await asyncio.gather(work, return_exceptions=True)
            raise
        answer = msgspec.msgpack.decode(packed, type=Ended)
        if answer.code is None:
            raise OSError(answer.error)
        return answer.code

    async def _carry(
        self,
        client: Client,
        job: Task | Command,
        placed: _Placed,
        function: Callable[..., Any],
    ) -> tuple[bytes, bool]:
        """Have Dask carry a job to its node, with its files; fetch what it makes.

        Returns what the ``function`` of `calls` returns, and whether files were sent. Raises
        `_Gone`, OSError, `InvalidInput`.
        """
        found = placed.node
        self._placed[job.attempt_id] = placed
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._placed.pop, job.attempt_id)
            try:
                sent = None
                if not found.shares:
                    sent = await self._sending.send(found, job)
                    following = self._sending.following(found, job, placed.changed)
                    await stack.enter_async_context(following)
                packed, made = await self._carried(client, job, placed, function, sent)
                if sent is not None:
                    await self._sending.fetch(found, job, made)
            except NodeAway as error:
                raise await _gone(placed, "Its node did not answer.") from error
        return packed, sent is not None

    async def _carried(
        self,
        client: Client,
        job: Task | Command,
        placed: _Placed,
        function: Callable[..., Any],
        sent: Sent | None,
    ) -> tuple[bytes, list[Made]]:
        found = placed.node
        packed = (
            wire.pack(wire.Execute(job, Source())) if isinstance(job, Task) else wire.encode(job)
        )
        future = client.submit(
            function,
            self._connection.config.name,
            found.incarnation,
            packed,
            placed.key,
            sent,
            key=placed.key,
            workers=[found.address],
            allow_other_workers=False,
            resources=found.resources(Request(cpus=job.cpus, memory=job.memory, gpus=job.gpus)),
            pure=False,
        )
        try:
            return await _result(future, placed)
        except LookupError as error:
            raise _Gone(str(error)) from error
        finally:
            if future.done():
                future.release()
            else:
                with contextlib.suppress(Exception):
                    await future.cancel(force=True)

    async def cancel(self, attempt_id: str) -> None:
        """Stop an attempt: its kernel is interrupted, then terminated, then killed."""
        placed = self._placed.get(attempt_id)
        if placed is None:
            self._cancelled.add(attempt_id)
        else:
            await self._stop(placed)

    async def _stop(self, placed: _Placed) -> None:
        name = self._connection.config.name
        await self._connection.ask(placed.node.address, calls.stop, name, placed.key)

    async def close(self) -> None:
        """End everything at once."""
        await self._connection.close()


async def _result(future: Any, placed: _Placed) -> tuple[bytes, list[Made]]:
    """Return what an attempt's task returns. Raises `_Gone` if its node goes before."""
    gone = asyncio.create_task(placed.lost.wait())
    result = asyncio.ensure_future(future.result())
    try:
        await asyncio.wait([gone, result], return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            raise _Gone
        answer: tuple[bytes, list[Made]] = await result
    except (CancelledError, KilledWorker) as error:
        raise await _gone(placed, "The Dask scheduler cancelled it.") from error
    finally:
        gone.cancel()
        result.cancel()
    return answer


async def _gone(placed: _Placed, otherwise: str) -> _Gone:
    """Return that a node is gone, of which we may be told in a moment, or else what is told."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await placed.lost.wait()
            return _Gone()
    return _Gone(otherwise)


def _key(job: Task | Command) -> str:
    name = job.source if isinstance(job, Task) else "stage"
    return f"{name}-{job.attempt_id}-{uuid.uuid4().hex[:8]}"


def _ended(task: Task, reason: Reason, error: str) -> Outcome:
    return Outcome(
        status=Status.FAILED, reason=reason, error=error, has_output=task.output.exists()
    )
