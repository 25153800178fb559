"""What happens in a project reaches the browsers by Jupyter's own event socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import ValidationError
from jupyter_events import EventLogger
from jupyter_events.schema import EventSchema

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.projects import Project
from jupyter_mlops.server import events
from jupyter_mlops.server.events import SCHEMA_FILE, SCHEMA_ID, ChangeEvent
from jupyter_mlops.server.extension import MlopsExtension
from jupyter_mlops.server.link import Gone

SAMPLES = Path(__file__).parent / "events"


async def hear(socket: Any) -> dict[str, Any]:
    """Wait for the next change that the browser is told of."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.read_message(), 10))
        if message["schema_id"] == SCHEMA_ID:
            return dict(message)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("good/*.json")), ids=lambda path: path.stem)
def test_good_samples(path: Path) -> None:
    """What the schema promises is what the extension means."""
    EventSchema(SCHEMA_FILE).validate(json.loads(path.read_text()))
    msgspec.json.decode(path.read_bytes(), type=ChangeEvent)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("bad/*.json")), ids=lambda path: path.stem)
def test_bad_samples(path: Path) -> None:
    """The schema refuses what listeners could not read."""
    with pytest.raises(ValidationError):
        EventSchema(SCHEMA_FILE).validate(json.loads(path.read_text()))


async def test_change_is_told(ask: Any, socket: Any, worker: Any, project: Project) -> None:
    """From the first request on, each change reaches the browser, with its project."""
    worker.happen()
    await ask("GET", "/status", params={"project": "work"})
    event = worker.happen(kind="metrics", data={"loss": {"$float": "nan"}})
    message = await hear(socket)
    assert message["project"] == "work"
    assert message["project_id"] == project.id
    assert message["time"].endswith("Z")
    told = {name: message[name] for name in m.EventView.__struct_fields__}
    assert msgspec.convert(told, m.EventView) == event


async def test_nothing_is_lost_without_the_worker(
    ask: Any, socket: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened while the stream was broken is told when it is back, once and in order."""
    monkeypatch.setattr(events, "DELAYS", (0.01, 0.02))
    await ask("GET", "/status", params={"project": "work"})
    worker.happen()
    assert (await hear(socket))["seq"] == 1
    await worker.stop()
    worker.happen()
    worker.happen()
    worker.start()
    worker.happen()
    assert [(await hear(socket))["seq"] for _ in range(3)] == [2, 3, 4]


async def test_events_start_no_worker(
    ask: Any, worker: Any, project: Project, extension: MlopsExtension
) -> None:
    """A worker that ended for want of work stays away until somebody asks for it."""
    await ask("GET", "/status", params={"project": "work"})
    (follower,) = extension.events._followers.values()
    await worker.stop()
    with pytest.raises(Gone):
        await follower._listen()
    assert not project.state.exists()


async def test_events_counted_anew(
    ask: Any, socket: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the project's state was deleted, its new events are told from the first on."""
    monkeypatch.setattr(events, "DELAYS", (0.01, 0.02))
    worker.happen(seq=50)
    await ask("GET", "/status", params={"project": "work"})
    worker.happen(seq=51)
    assert (await hear(socket))["seq"] == 51
    await worker.stop()
    worker.events.clear()
    worker.happen(seq=1)
    worker.start()
    assert (await hear(socket))["seq"] == 1


async def test_followed_once(ask: Any, socket: Any, worker: Any) -> None:
    """However often a project is asked for, one stream is open."""
    for _ in range(3):
        await ask("GET", "/runs", params={"project": "work"})
    worker.happen()
    await hear(socket)
    assert worker.streams == 1


async def test_event_of_another_version(ask: Any, socket: Any, worker: Any) -> None:
    """An event that is not understood is left out; the others are told."""
    await ask("GET", "/status", params={"project": "work"})
    worker.happen(kind="weather")
    worker.happen()
    assert (await hear(socket))["seq"] == 2


async def test_backlog_leaves_room(worker: Any, project: Project) -> None:
    """Between two of many events the server does its other work."""
    turns, told = 0, []
    done = asyncio.Event()

    def emit(change: dict[str, Any]) -> None:
        told.append((change["seq"], turns))
        if len(told) == 500:
            done.set()

    feed = events.Events(emit, EventLogger().log)
    await feed.follow(project, "work")
    for _ in range(500):
        worker.happen()
    while not done.is_set():
        turns += 1
        await asyncio.sleep(0)
    await feed.stop()
    assert [seq for seq, _ in told] == list(range(1, 501))
    assert len({turn for _, turn in told}) >= 500


async def test_listener_that_fails(
    worker: Any, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure while an event is told goes to the log, and the next one is told."""
    told: asyncio.Queue[int] = asyncio.Queue()

    def emit(change: dict[str, Any]) -> None:
        if change["seq"] == 1:
            raise RuntimeError("broken listener")
        told.put_nowait(change["seq"])

    feed = events.Events(emit, EventLogger().log)
    await feed.follow(project, "work")
    worker.happen()
    worker.happen()
    assert await asyncio.wait_for(told.get(), 10) == 2
    await feed.stop()
    assert "broken listener" in caplog.text


def our_tasks() -> list[str]:
    """Return what goes on in the loop on our behalf."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return [each.__qualname__ for each in coroutines if each.cr_code.co_filename == events.__file__]


async def test_stop_ends_the_streams(ask: Any, worker: Any, extension: MlopsExtension) -> None:
    """When the server stops, nothing of ours goes on in its loop."""
    await ask("GET", "/status", params={"project": "work"})
    assert sorted(our_tasks()) == ["Events._emit_all", "Follower.run"]
    await extension.stop_extension()
    assert not our_tasks()
