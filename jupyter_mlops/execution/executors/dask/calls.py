"""What a Dask worker is asked: functions that Dask calls there, and hands on to our plugin."""

from __future__ import annotations

import asyncio
from typing import Any

from distributed import Worker, get_worker
from distributed.worker_state_machine import SecedeEvent

from .files import Area, Made, Part, Sent
from .node import NodeConfig, NodePlugin


def plugin_of(worker: Worker, name: str) -> NodePlugin | None:
    """Return our plugin of a worker; None if it is not there yet."""
    found = worker.plugins.get(name)
    return found if isinstance(found, NodePlugin) else None


def _node(worker: Worker, name: str) -> NodePlugin:
    plugin = plugin_of(worker, name)
    if plugin is None:
        raise LookupError("This worker is not one of the project's nodes.")
    return plugin


async def execute(
    name: str, incarnation: str, packed: bytes, key: str, sent: Sent | None
) -> tuple[bytes, list[Made]]:
    """Be the Dask task of an attempt, whose ``key`` Dask knows it by."""
    worker = get_worker()
    _leave_pool(worker, key)
    return await _node(worker, name).execute(incarnation, packed, key, sent)


async def run(
    name: str, incarnation: str, packed: bytes, key: str, sent: Sent | None
) -> tuple[bytes, list[Made]]:
    """Be the Dask task of a command."""
    worker = get_worker()
    _leave_pool(worker, key)
    return await _node(worker, name).run(incarnation, packed, key, sent)


def _leave_pool(worker: Worker, key: str) -> None:
    """Leave Dask's pool of threads: one that waits for runs of its own must not keep one from them.

    Dask ends no worker either, for want of work, that has such a task.
    """
    worker.handle_stimulus(SecedeEvent(key=key, compute_duration=0.0, stimulus_id=f"secede-{key}"))


# Of the following Dask fills in the last argument.


async def join(config: NodeConfig, dask_worker: Worker) -> dict[str, Any]:
    """Make a worker a node, anew if it is one; tell what it is and has."""
    await dask_worker.plugin_add(NodePlugin(config), name=config.name, catch_errors=False)
    return await _node(dask_worker, config.name).describe()


async def leave(name: str, dask_worker: Worker) -> bool:
    """Be a node no more; what it executes ends."""
    if plugin_of(dask_worker, name) is not None:
        await dask_worker.plugin_remove(name)
    return True


async def stop(name: str, key: str, dask_worker: Worker) -> None:
    """Stop what the task of a key executes."""
    _node(dask_worker, name).stop(key)


async def lacks(name: str, hashes: list[str], dask_worker: Worker) -> list[str]:
    """Return which contents a node does not have."""
    return await asyncio.to_thread(_node(dask_worker, name).copies.lacks, hashes)


async def receive(name: str, parts: list[Part], dask_worker: Worker) -> bool:
    """Take pieces of contents."""
    await asyncio.to_thread(_node(dask_worker, name).copies.receive, parts)
    return True


async def read(
    name: str,
    attempt_id: str,
    place: tuple[Area, str],
    offset: int,
    length: int,
    dask_worker: Worker,
) -> tuple[int, bytes]:
    """Return a piece of an attempt's file, and which file it is now: zero if there is none."""
    copies = _node(dask_worker, name).copies
    return await asyncio.to_thread(copies.read, attempt_id, *place, offset, length)


async def release(name: str, attempt_id: str, dask_worker: Worker) -> bool:
    """Forget the folders of an attempt."""
    await asyncio.to_thread(_node(dask_worker, name).copies.remove, attempt_id)
    return True
