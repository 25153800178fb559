"""How executors are shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..core.executors import Executor, NodeState
from . import messages as m


def opened(executor: Executor, *, default: bool) -> m.ExecutorView:
    """Show an executor by what it knows already."""
    state = executor.state()
    return m.ExecutorView(
        name=executor.name,
        runs_on=state.runs_on,
        default=default,
        remote=executor.remote,
        connected=state.connected,
        problem=executor.problem,
        nodes=[_node(each) for each in sorted(state.nodes, key=lambda node: node.name)],
        unused=sorted(state.unused),
        dashboard=_link(state.dashboard),
    )


def not_opened(name: str, problem: str, *, default: bool) -> m.ExecutorView:
    """Show an executor that the settings name in vain."""
    return m.ExecutorView(
        name=name,
        runs_on=None,
        default=default,
        remote=True,
        connected=False,
        problem=problem,
        nodes=[],
        unused=[],
        dashboard=None,
    )


def load(executor: Executor) -> m.ClusterLoad:
    """Tell how many cores of a cluster are held."""
    nodes = executor.state().nodes
    return m.ClusterLoad(
        name=executor.name,
        cores_used=sum(each.has.cores - each.free.cores for each in nodes),
        cores=sum(each.has.cores for each in nodes),
    )


def _node(node: NodeState) -> m.ExecutorNode:
    return m.ExecutorNode(
        name=node.name,
        cores=node.has.cores,
        cores_free=node.free.cores,
        memory=node.has.memory,
        memory_free=node.free.memory,
        gpus=len(node.has.gpus),
        gpus_free=len(node.free.gpus),
        running=node.running,
    )


def _link(url: str | None) -> str | None:
    """Return a URL that a browser may be sent to; others could be code that runs in our page.

    Behind a hub, Dask is told to name a path of that, such as ``/user/me/proxy/8787/status``.
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    is_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return url if is_path or (parts.scheme in ("http", "https") and parts.netloc) else None
