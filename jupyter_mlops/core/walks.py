"""The order in which the nodes of a graph may be worked on, some at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Walk:
    """Hands out each node once all that it depends on has come to its end.

    Raises ValueError if the graph has a circle.
    """

    def __init__(self, upstream: Mapping[str, Iterable[str]]) -> None:
        """``upstream`` maps every node to those that it depends on; unknown ones do not count."""
        self._upstream = {
            node: {each for each in before if each in upstream} for node, before in upstream.items()
        }
        self._downstream: dict[str, list[str]] = {node: [] for node in upstream}
        for node, before in self._upstream.items():
            for each in before:
                self._downstream[each].append(node)
        self._ready = [node for node, before in self._upstream.items() if not before]
        #: Nodes that were not handed out yet.
        self._left = dict.fromkeys(upstream)
        if upstream and not self._ready:
            raise ValueError("The graph has a circle.")

    def ready(self) -> list[str]:
        """Hand out the nodes that wait for nothing any more."""
        ready = [node for node in self._ready if node in self._left]
        self._ready = []
        for node in ready:
            del self._left[node]
        return ready

    def end(self, node: str) -> None:
        """Take note that a node has come to its end."""
        for each in self._downstream[node]:
            before = self._upstream[each]
            before.discard(node)
            if not before:
                self._ready.append(each)

    def drop(self, node: str) -> list[str]:
        """Hand out nothing that depends on a node, in whatever way; return what that is."""
        dropped: list[str] = []
        pending = [node]
        while pending:
            for each in self._downstream[pending.pop()]:
                if each in self._left:
                    del self._left[each]
                    dropped.append(each)
                    pending.append(each)
        return dropped

    def drop_all(self) -> list[str]:
        """Hand out nothing more; return what was left."""
        dropped = list(self._left)
        self._left.clear()
        return dropped
