"""The extension and the project's real worker together."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import nbformat
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import unfinished
from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import Project
from jupyter_mlops.app.runtime import address, locked
from jupyter_mlops.core.exceptions import WorkerUnavailable
from jupyter_mlops.server.events import SCHEMA_ID
from jupyter_mlops.server.extension import MlopsExtension
from tests.support import workers
from tests.support.occasions import fired

WORK = {"project": "work"}


@pytest.fixture
def client(project: Project, runtime_folder: Any) -> Iterator[Client]:
    """The shell's way to the project's worker, which is ended at last."""
    shell = Client(project)
    yield shell
    if shell.alive() is not None:
        end(shell)


def end(shell: Client) -> None:
    """End the worker and wait until it has let go of its project."""
    shell.call(ops.DRAIN, body=m.DrainRequest(now=True))
    with pytest.raises(WorkerUnavailable):
        for _ in shell.events(0):
            pass
    wait_for_end(shell)


def wait_for_end(shell: Client) -> None:
    """Wait until the worker has let go of its project."""
    with locked(address(shell.project).lock):
        pass


@pytest.fixture
def notebook(project: Project) -> str:
    """A small notebook with one parameter."""
    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("print(x)")]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    found = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(found, project.root / "train.ipynb")
    return "train.ipynb"


async def answer(response: Any, kind: Any) -> Any:
    """Read an answer that must be one."""
    assert response.code == 200, response.body
    return msgspec.json.decode(response.body, type=kind)


async def hear_until_done(socket: Any, sweep: str) -> list[dict[str, Any]]:
    """Return the changes that a browser hears of until a sweep has succeeded."""
    seen: list[dict[str, Any]] = []
    while not seen or (seen[-1]["kind"], seen[-1]["status"]) != ("sweep", "succeeded"):
        message = json.loads(await asyncio.wait_for(socket.read_message(), 60))
        if message["schema_id"] == SCHEMA_ID:
            seen.append(message)
    assert seen[-1]["sweep_id"] == sweep
    return seen


async def test_sweep_from_the_browser(
    ask: Any,
    socket: Any,
    notebook: str,
    client: Client,
    extension: MlopsExtension,
    jp_serverapp: Any,
) -> None:
    """A sweep is started, seen going on, and found done, by what the browser can do."""
    parameters = await ask("GET", "/parameters", params={**WORK, "notebook": notebook})
    assert [each.name for each in (await answer(parameters, m.ParametersView)).parameters] == ["x"]
    body = {"notebook": notebook, "space": {"x": "1..2"}}
    preview = await answer(await ask("POST", "/preview", params=WORK, body=body), m.PreviewView)
    assert (preview.count, preview.errors) == (2, {})
    sweep = await answer(await ask("POST", "/sweeps", params=WORK, body=body), m.SweepView)
    await extension.look_for_activity()
    assert "mlops_last_activity" in jp_serverapp.web_app.settings
    seen = await hear_until_done(socket, sweep.id)
    numbers = [each["seq"] for each in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {each["project"] for each in seen} == {"work"}
    runs = await answer(
        await ask("GET", "/runs", params={**WORK, "sweep": sweep.id}), list[m.RunView]
    )
    assert [(run.parameters, run.status) for run in runs] == [
        ({"x": 1}, "succeeded"),
        ({"x": 2}, "succeeded"),
    ]


async def test_refusal_of_the_worker(ask: Any, notebook: str, client: Client) -> None:
    """What the worker refuses is told in the one shape."""
    body = {"notebook": notebook, "space": {"y": "1"}}
    response = await ask("POST", "/sweeps", params=WORK, body=body)
    assert response.code == 400
    assert json.loads(response.body)["error"]["code"] == "unknown_parameter"
    response = await ask("GET", "/runs/none", params=WORK)
    assert response.code == 404


@pytest.mark.parametrize("violent", [True, False])
async def test_worker_that_has_ended(
    violent: bool, ask: Any, socket: Any, notebook: str, client: Client
) -> None:
    """A request after the worker's end, however it came, starts another one and hears of it."""
    await answer(await ask("GET", "/status", params=WORK), m.StatusView)
    first = await asyncio.to_thread(client.alive)
    assert first is not None
    if violent:
        os.kill(first.pid, signal.SIGKILL)
        await asyncio.to_thread(wait_for_end, client)
    else:
        await asyncio.to_thread(end, client)
    body = {"notebook": notebook, "kind": "run"}
    sweep = await answer(await ask("POST", "/sweeps", params=WORK, body=body), m.SweepView)
    second = await asyncio.to_thread(client.alive)
    assert second is not None
    assert second.pid != first.pid
    changes = await hear_until_done(socket, sweep.id)
    assert {each["project_id"] for each in changes} == {client.project.id}


async def test_a_server_goes_on_with_unfinished_work(
    jp_serverapp: Any, client: Client, project: Project, notebook: str
) -> None:
    """After a crash of everything, the queue goes on as soon as a server starts again."""
    connect(project)
    health = client.call(ops.HEALTH)
    space = {"x": "1..3"}
    body = m.SubmitRequest(notebook=notebook, space=space)
    sweep = client.call(ops.SUBMIT, body=body)
    os.kill(health.pid, signal.SIGKILL)
    wait_for_end(client)
    assert unfinished.marked(project.root.parent) == [project.root]
    (extension,) = jp_serverapp.extension_manager.extension_apps["jupyter_mlops"]
    await extension._start_jupyter_server_extension(jp_serverapp)
    done = await asyncio.to_thread(workers.wait_for, client, sweep.id)
    assert done.counts.succeeded == 3


async def test_a_call_from_outside(ask: Any, notebook: str, client: Client) -> None:
    """A trigger is added and called through the server, and starts a run with the parameters."""
    action = {"submit": {"notebook": notebook, "kind": "run"}}
    body = {"kind": "http", "action": action, "accept": ["x"]}
    added = await answer(await ask("POST", "/triggers", params=WORK, body=body), m.TriggerView)
    address = (added.address or "").removeprefix("mlops/api")
    call = {"parameters": {"x": 3}}
    refused = await ask("POST", address, params=WORK, body=call, headers={"Authorization": ""})
    assert refused.code == 403
    unknown = await ask("POST", address, params=WORK, body={"parameters": {"y": 3}})
    assert (unknown.code, json.loads(unknown.body)["error"]["field"]) == (400, "y")
    fire = await answer(await ask("POST", address, params=WORK, body=call), m.FireView)
    (settled,) = await asyncio.to_thread(fired, client, added.id)
    assert settled.id == fire.id
    done = await asyncio.to_thread(workers.wait_for, client, settled.started or "")
    assert done.counts.succeeded == 1
    (run,) = workers.runs(client, done.id)
    assert run.parameters == {"x": 3}


async def test_a_server_brings_schedules_back(
    jp_serverapp: Any, client: Client, project: Project, notebook: str
) -> None:
    """After a crash of everything, a server that starts brings back a worker with schedules."""
    connect(project)
    action = m.ActionRequest(submit=m.SubmitRequest(notebook=notebook))
    client.call(ops.ADD_SCHEDULE, body=m.ScheduleRequest(line="@daily", action=action))
    os.kill(client.call(ops.HEALTH).pid, signal.SIGKILL)
    wait_for_end(client)
    assert unfinished.marked(project.root.parent) == [project.root]
    (extension,) = jp_serverapp.extension_manager.extension_apps["jupyter_mlops"]
    await extension._start_jupyter_server_extension(jp_serverapp)
    assert client.alive() is not None
    (schedule,) = client.call(ops.LIST_SCHEDULES)
    client.call(ops.REMOVE_SCHEDULE, schedule_id=schedule.id)
