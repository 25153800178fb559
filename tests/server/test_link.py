"""The way to the worker: found, started, lost and found again."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tornado.httputil import RequestStartLine

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.projects import Project
from jupyter_mlops.core.exceptions import NotFound, WorkerUnavailable
from jupyter_mlops.server.link import Gone, Link, exchange, fetch


@pytest.fixture
def connected() -> list[Project]:
    """Projects to whose worker the link found a way."""
    return []


@pytest.fixture
def link(connected: list[Project]) -> Link:
    """A link of its own, without a server around it."""

    async def note(project: Project) -> None:
        connected.append(project)

    return Link(note)


def names(worker: Any) -> list[str]:
    """Return what the worker was asked, without who it is."""
    return [each.operation.name for each in worker.asked if each.operation is not ops.HEALTH]


async def test_one_connection(
    link: Link, worker: Any, project: Project, connected: list[Project]
) -> None:
    """However many ask at once, the worker is looked for once."""
    asks = [link.ask(project, ops.GET_RUN, {"run_id": str(i)}) for i in range(20)]
    await asyncio.gather(*asks)
    assert connected == [project]
    assert sorted(int(each.path["run_id"]) for each in worker.asked if each.path) == list(range(20))


async def test_read_is_asked_again(link: Link, worker: Any, project: Project) -> None:
    """A read whose answer broke off is asked once more."""
    await link.ask(project, ops.STATUS, {})
    worker.breaks.add("get_run")
    answer = await link.ask(project, ops.GET_RUN, {"run_id": "r"})
    assert msgspec.json.decode(answer, type=m.RunDetail)
    assert names(worker) == ["status", "get_run"]


async def test_nothing_is_begun_twice(link: Link, worker: Any, project: Project) -> None:
    """What the worker may have begun is not asked again: the user looks and decides."""
    await link.ask(project, ops.STATUS, {})
    worker.breaks.add("submit")
    with pytest.raises(WorkerUnavailable, match="ended before it had answered"):
        await link.ask(project, ops.SUBMIT, {}, body=m.SubmitRequest(notebook="train.ipynb"))
    assert names(worker) == ["status"]


async def test_worker_that_cannot_start(link: Link, project: Project) -> None:
    """A worker that ends at once is one line, with the place of its log."""
    project.state.mkdir()
    (project.state / "worker.json").write_text(json.dumps({"python": "/bin/false"}))
    for _ in range(2):
        with pytest.raises(WorkerUnavailable, match=r"did not start.*worker\.log"):
            await link.ask(project, ops.STATUS, {})


async def test_state_that_cannot_be_written(link: Link, project: Project) -> None:
    """A project that cannot keep its state says so."""
    project.state.touch()
    with pytest.raises(WorkerUnavailable, match="cannot be written"):
        await link.ask(project, ops.STATUS, {})


async def test_errors_are_rebuilt(link: Link, worker: Any, project: Project) -> None:
    """An error of the worker is raised as the same class."""
    worker.raises["get_run"] = NotFound("No run r.", field="run_id")
    with pytest.raises(NotFound, match="No run r") as caught:
        await link.ask(project, ops.GET_RUN, {"run_id": "r"})
    assert caught.value.field == "run_id"


async def test_silence(runtime_folder: Path) -> None:
    """A worker that hangs is given up."""
    path = runtime_folder / "hanging.sock"
    line = RequestStartLine("GET", "/status", "")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(WorkerUnavailable, match="has not answered for 0 seconds"):
            await exchange(path, line, receive=print, patience=0.05)


async def test_nobody(runtime_folder: Path) -> None:
    """Where nobody listens nothing was asked; a socket left behind is as good as none."""
    path = runtime_folder / "left.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    for each in (path, path.with_name("none.sock"), path.with_name("x" * 200)):
        with pytest.raises(Gone) as caught:
            await fetch(each, ops.STATUS)
        assert not caught.value.asked


async def test_giving_up_harms_nobody(link: Link, worker: Any, project: Project) -> None:
    """A request that is cancelled while the worker is looked for does not cancel the others."""
    first = asyncio.create_task(link.ask(project, ops.STATUS, {}))
    second = asyncio.create_task(link.ask(project, ops.STATUS, {}))
    await asyncio.sleep(0)
    first.cancel()
    assert msgspec.json.decode(await second, type=m.StatusView)
    assert first.cancelled()
