"""The nodes of a cluster, and what attempts hold of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....core import formats
from ....core.resources import Capacity, Hold, Request, Shortage


@dataclass(slots=True, eq=False)
class Node:
    """A worker of the cluster."""

    address: str
    #: What people call it.
    name: str
    #: Another one each time that its process is started, even at the same address.
    incarnation: str
    #: Name of its machine.
    host: str
    capacity: Capacity
    #: What it declares as a resource of Dask, by the names of `Request`'s fields.
    declared: Mapping[str, str] = field(default_factory=dict)
    #: Whether it sees the project's folder.
    shares: bool = True
    #: Names of the kernels that are installed there, and what is known of its machine and Python.
    kernels: tuple[str, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    interpreter: Mapping[str, Any] | None = None
    holds: set[Hold] = field(default_factory=set)
    #: Hashes of contents that it is known to have.
    contents: set[str] = field(default_factory=set)

    def resources(self, request: Request) -> dict[str, float]:
        """Return what Dask is told that an attempt takes."""
        amounts = {"cpus": request.cpus, "memory": request.memory, "gpus": request.gpus}
        return {name: float(amounts[kind] or 0) for kind, name in self.declared.items()}


class Nodes:
    """The ledger of a cluster. For one event loop."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        #: Called when something was given back, or a node has come.
        self.released: list[Callable[[], None]] = []
        #: Whether nodes may come because of what waits.
        self.elastic = False
        #: Cores of a node, if that is known before there is one.
        self.expected_cores: int | None = None
        self._most: Capacity | None = None
        #: What was refused last, and how many wait for that, by who asks.
        self._waiting: dict[str, tuple[Request, int]] = {}

    # -- which there are ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Node]:
        # A copy: other threads look too.
        return iter(list(self._nodes.values()))

    def add(self, node: Node) -> None:
        """Take note of a node that is there."""
        self._nodes[node.address] = node
        self._most = _larger(self._most, node.capacity)
        self._tell()

    def remove(self, address: str) -> None:
        """Take note that a node is gone, with whatever was held of it."""
        self._nodes.pop(address, None)

    def get(self, address: str) -> Node | None:
        """Return a node; None if it is gone."""
        return self._nodes.get(address)

    # -- what they have ----------------------------------------------------------------------------

    @property
    def largest(self) -> Capacity | None:
        """The most of each kind that some node has or had; None as long as there was none."""
        return self._most

    def free(self, node: Node) -> Capacity:
        """Return what nobody holds of a node; nodes of one machine have their GPUs in common."""
        near = (each for each in self if each.host == node.host)
        taken = {name for each in near for hold in each.holds for name in hold.gpus}
        return Capacity(
            cores=node.capacity.cores - sum(each.cores for each in node.holds),
            memory=node.capacity.memory - sum(each.memory for each in node.holds),
            gpus=tuple(name for name in node.capacity.gpus if name not in taken),
        )

    @property
    def full(self) -> bool:
        """Whether no node has a core left, and none will come because of what waits."""
        return not (self.elastic or any(self._free_cores(each) > 0 for each in self))

    @property
    def waiting(self) -> bool:
        """Nothing comes to be there without our being told."""
        return False

    def content(self) -> None:
        """Nobody else is asked to wait for us."""

    def expect(self, asker: str, request: Request | None, attempts: int) -> None:
        """Take note of what waits."""
        if request is None or not attempts:
            self._waiting.pop(asker, None)
        else:
            self._waiting[asker] = request, attempts

    @property
    def wanted(self) -> int:
        """How many nodes the work needs: those that execute, and those for what waits."""
        busy = sum(bool(each.holds) for each in self)
        waiting = self._waiting.values()
        return busy + sum(math.ceil(number / self._fitting(each)) for each, number in waiting)

    @property
    def lacking(self) -> str | None:
        """Say in a line why what waits will wait for ever as things are; None if it will not."""
        if not self._waiting or self.elastic:
            return None
        if not self._nodes:
            return "The Dask cluster has no workers, so runs wait."
        vain = (
            request
            for request, _ in self._waiting.values()
            if all(_lacking(each.capacity, request) for each in self)
        )
        request = next(vain, None)
        if request is None:
            return None
        parts = [f"{request.cpus} cores"]
        parts += [formats.size(request.memory)] if request.memory else []
        parts += [f"{request.gpus} GPUs"] if request.gpus else []
        return f"Runs wait for {', '.join(parts)}, which no worker of the Dask cluster has now."

    def acquire(self, request: Request) -> Hold | Shortage:
        """Take what an attempt needs, on the node that has the most cores left."""
        short = Shortage.CORES
        for node in sorted(self, key=lambda each: -self._free_cores(each)):
            free = self.free(node)
            lacking = _lacking(free, request)
            if lacking is None:
                gpus = free.gpus[: request.gpus]
                hold = Hold(request.cpus, request.memory or 0, gpus, node.address, node.name)
                node.holds.add(hold)
                return hold
            if lacking is not Shortage.CORES:
                short = lacking
        return short

    def release(self, hold: Hold) -> None:
        """Give everything back; of a node that is gone nothing is left to give."""
        node = self._nodes.get(hold.node)
        if node is not None:
            node.holds.discard(hold)
        self._tell()

    def suspend(self, hold: Hold) -> None:
        """Give the cores back and keep the rest."""
        hold.cores = 0
        self._tell()

    def resume(self, hold: Hold, cores: int) -> bool:
        """Take cores of the same node again; return whether there were enough."""
        node = self._nodes.get(hold.node)
        if node is not None and self._free_cores(node) < cores:
            return False
        hold.cores = cores
        return True

    def _free_cores(self, node: Node) -> int:
        return node.capacity.cores - sum(each.cores for each in node.holds)

    def _fitting(self, request: Request) -> int:
        """Return how many attempts one node can hold."""
        if self._most is None:
            return max(1, (self.expected_cores or 1) // request.cpus)
        most = self._most.cores // request.cpus
        if request.memory:
            most = min(most, self._most.memory // request.memory)
        if request.gpus:
            most = min(most, len(self._most.gpus) // request.gpus)
        return max(1, most)

    def _tell(self) -> None:
        for listener in list(self.released):
            listener()


def _larger(one: Capacity | None, other: Capacity) -> Capacity:
    if one is None:
        return other
    return Capacity(
        cores=max(one.cores, other.cores),
        memory=max(one.memory, other.memory),
        gpus=max(one.gpus, other.gpus, key=len),
    )


def _lacking(free: Capacity, request: Request) -> Shortage | None:
    if free.cores < request.cpus:
        return Shortage.CORES
    if len(free.gpus) < request.gpus:
        return Shortage.GPUS
    if free.memory < (request.memory or 0):
        return Shortage.MEMORY
    return None
