"""The nodes of a cluster, and what attempts hold of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ....core.resources import Capacity, Hold, Request, Shortage


@dataclass(slots=True, eq=False)
class Node:
    """A worker of the cluster."""

    address: str
    #: What people call it.
    name: str
    #: Another one each time that its process is started, even at the same address.
    incarnation: str
    capacity: Capacity
    holds: set[Hold] = field(default_factory=set)

    @property
    def free(self) -> Capacity:
        """Return what nobody holds."""
        taken = {name for each in self.holds for name in each.gpus}
        return Capacity(
            cores=self.capacity.cores - sum(each.cores for each in self.holds),
            memory=self.capacity.memory - sum(each.memory for each in self.holds),
            gpus=tuple(name for name in self.capacity.gpus if name not in taken),
        )


class Nodes:
    """The ledger of a cluster. For one event loop."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        #: Called when something was given back, or a node has come.
        self.released: list[Callable[[], None]] = []

    # -- which there are ---------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def add(self, node: Node) -> None:
        """Take note of a node that is there."""
        self._nodes[node.address] = node
        self._tell()

    def remove(self, address: str) -> None:
        """Take note that a node is gone, with whatever was held of it."""
        self._nodes.pop(address, None)

    def get(self, address: str) -> Node | None:
        """Return a node; None if it is gone."""
        return self._nodes.get(address)

    # -- what they have ----------------------------------------------------------------------------

    @property
    def largest(self) -> Capacity:
        """The most that an attempt may ask for of each kind, on some node."""
        have = [each.capacity for each in self]
        return Capacity(
            cores=max((each.cores for each in have), default=0),
            memory=max((each.memory for each in have), default=0),
            gpus=max((each.gpus for each in have), key=len, default=()),
        )

    @property
    def full(self) -> bool:
        """Whether no node has a core left."""
        return not any(each.free.cores > 0 for each in self)

    @property
    def waiting(self) -> bool:
        """Nothing comes to be there without our being told."""
        return False

    def content(self) -> None:
        """Nobody else is asked to wait for us."""

    def acquire(self, request: Request) -> Hold | Shortage:
        """Take what an attempt needs, on the node that has the most cores left."""
        short = Shortage.CORES
        for node in sorted(self, key=lambda each: -each.free.cores):
            lacking = _lacking(node.free, request)
            if lacking is None:
                gpus = node.free.gpus[: request.gpus]
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
        if node is not None and node.free.cores < cores:
            return False
        hold.cores = cores
        return True

    def _tell(self) -> None:
        for listener in list(self.released):
            listener()


def _lacking(free: Capacity, request: Request) -> Shortage | None:
    if free.cores < request.cpus:
        return Shortage.CORES
    if len(free.gpus) < request.gpus:
        return Shortage.GPUS
    if free.memory < (request.memory or 0):
        return Shortage.MEMORY
    return None
