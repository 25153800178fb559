"""A real Jupyter server with the extension, and a stand-in for the project's worker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from jupyter_server.serverapp import ServerApp
from pytest_jupyter.jupyter_core import (
    echo_kernel_spec,
    jp_config_dir,
    jp_data_dir,
    jp_env_config_path,
    jp_env_jupyter_path,
    jp_environ,
    jp_home_dir,
    jp_kernel_dir,
    jp_runtime_dir,
    jp_system_config_path,
    jp_system_jupyter_path,
)
from pytest_jupyter.jupyter_server import (
    jp_argv,
    jp_auth_header,
    jp_base_url,
    jp_configurable_serverapp,
    jp_extension_environ,
    jp_fetch,
    jp_http_port,
    jp_logging_stream,
    jp_nbconvert_templates,
    jp_root_dir,
    jp_server_cleanup,
    jp_serverapp,
    jp_template_dir,
    jp_web_app,
    jp_ws_fetch,
)
from pytest_jupyter.pytest_tornasync import (
    http_server,
    http_server_client,
    http_server_port,
    io_loop,
)
from tornado.httpclient import HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_unix_socket
from tornado.web import Application, HTTPError, RequestHandler

from jupyter_mlops import __version__
from jupyter_mlops.app import messages as m
from jupyter_mlops.app.operation import Operation
from jupyter_mlops.app.operations import DOWNLOADS, OPERATIONS
from jupyter_mlops.app.projects import Project, find_project
from jupyter_mlops.app.runtime import address
from jupyter_mlops.core.exceptions import MlopsError
from jupyter_mlops.server.extension import MlopsExtension

__all__ = [
    "echo_kernel_spec",
    "http_server",
    "http_server_client",
    "http_server_port",
    "io_loop",
    "jp_argv",
    "jp_auth_header",
    "jp_base_url",
    "jp_config_dir",
    "jp_configurable_serverapp",
    "jp_data_dir",
    "jp_env_config_path",
    "jp_env_jupyter_path",
    "jp_environ",
    "jp_extension_environ",
    "jp_fetch",
    "jp_home_dir",
    "jp_http_port",
    "jp_kernel_dir",
    "jp_logging_stream",
    "jp_nbconvert_templates",
    "jp_root_dir",
    "jp_runtime_dir",
    "jp_server_cleanup",
    "jp_serverapp",
    "jp_system_config_path",
    "jp_system_jupyter_path",
    "jp_template_dir",
    "jp_web_app",
    "jp_ws_fetch",
]

Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
async def jp_asyncio_loop() -> asyncio.AbstractEventLoop:
    """Run the server in the loop of the test itself."""
    return asyncio.get_running_loop()


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """Enable the extension, and refuse what the server did not authenticate."""
    return {
        "ServerApp": {
            "jpserver_extensions": {"jupyter_mlops": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
            "reraise_server_extension_failures": True,
        }
    }


@pytest.fixture
def extension(jp_serverapp: ServerApp) -> MlopsExtension:
    """The extension as the server loaded it."""
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_mlops"]
    assert isinstance(app, MlopsExtension)
    return app


@pytest.fixture
def ask(jp_fetch: Callable[..., Awaitable[HTTPResponse]]) -> Ask:
    """Ask the extension as a browser with a token would; errors are answers, too."""

    async def send(method: str, path: str, **options: Any) -> HTTPResponse:
        body = options.pop("body", None)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        headers |= options.pop("headers", {})
        return await jp_fetch(
            "mlops/api" + path,
            method=method,
            body=body,
            headers=headers,
            raise_error=False,
            allow_nonstandard_methods=True,
            **options,
        )

    return send


@pytest.fixture
async def socket(jp_ws_fetch: Any) -> AsyncIterator[Any]:
    """The event socket that every JupyterLab opens."""
    connection = await jp_ws_fetch("api", "events", "subscribe")
    yield connection
    connection.close()


@pytest.fixture
def project(jp_root_dir: Path) -> Project:
    """A project in a folder of the server's root, with one notebook."""
    folder = jp_root_dir / "work"
    folder.mkdir()
    (folder / "mlops.toml").touch()
    (folder / "train.ipynb").write_text("{}")
    return find_project(folder)


@dataclass
class Asked:
    """A request that reached the worker."""

    operation: Operation[Any]
    path: dict[str, str]
    query: m.Request | None
    body: m.Request | None


@dataclass
class StandInWorker:
    """Answers every operation of the table with a sample, over a real Unix socket."""

    project: Project
    asked: list[Asked] = field(default_factory=list)
    events: list[m.EventView] = field(default_factory=list)
    #: Operation name to what it raises instead of answering.
    raises: dict[str, MlopsError] = field(default_factory=dict)
    #: Operations that end the connection without a word, once each.
    breaks: set[str] = field(default_factory=set)
    running: int = 0
    #: What a download answers with, and after how many bytes it breaks off.
    file: bytes = b"a,b\n1,2\n"
    cut: int | None = None
    #: Set when somebody has gone before all of an answer had come.
    left: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    streams: int = 0
    _server: HTTPServer | None = None

    def start(self) -> None:
        """Listen where the project's worker would."""
        rules: list[Any] = [("/events/stream", _Stream, {"worker": self})]
        rules.append(("/.*", _Answer, {"worker": self}))
        self._server = HTTPServer(Application(rules))
        self._server.add_socket(bind_unix_socket(os.fspath(address(self.project).socket)))

    async def stop(self) -> None:
        """End as a worker does that is idle, its socket being removed."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
            self._server = None
            address(self.project).socket.unlink()

    def happen(self, **changes: Any) -> m.EventView:
        """Make something happen."""
        event = m.EventView(
            seq=len(self.events) + 1,
            time=datetime.now(UTC),
            kind="run",
            sweep_id="s1",
            run_id="r1",
            status="running",
            data={},
        )
        event = msgspec.structs.replace(event, **changes)
        self.events.append(event)
        self.changed.set()
        self.changed = asyncio.Event()
        return event

    def answer(self, operation: Operation[Any]) -> Any:
        """Return a sample, or the truth where the extension relies on it."""
        if operation.name in self.raises:
            raise self.raises[operation.name]
        if operation in DOWNLOADS:
            return self.file
        found = sample(operation.response)
        if isinstance(found, m.HealthView):
            found.version, found.protocol = __version__, m.PROTOCOL
            found.project = str(self.project.root)
        if isinstance(found, m.StatusView):
            found.seq = self.events[-1].seq if self.events else 0
            found.queued, found.running = 0, self.running
        return found


class _Answer(RequestHandler):
    def initialize(self, worker: StandInWorker) -> None:
        self._worker = worker

    async def prepare(self) -> None:
        for operation in (*OPERATIONS, *DOWNLOADS):
            path = _match(operation.path, self.request.path)
            if path is not None and operation.method == self.request.method:
                break
        else:
            raise HTTPError(404)
        if operation.name in self._worker.breaks:
            self._worker.breaks.remove(operation.name)
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        values = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        query = msgspec.convert(values, operation.query or m.Request, strict=False)
        body = msgspec.json.decode(self.request.body or b"{}", type=operation.body or m.Request)
        self._worker.asked.append(Asked(operation, path, query, body))
        try:
            if operation in DOWNLOADS:
                await self._send(self._worker.answer(operation))
                return
            self.finish(msgspec.json.encode(self._worker.answer(operation)))
        except MlopsError as error:
            detail = m.ErrorDetail(error.code, error.message, error.field)
            self.set_status(500)
            self.finish(msgspec.json.encode(m.ErrorView(detail)))

    def on_connection_close(self) -> None:
        """Note that nobody waits for the answer any more."""
        self._worker.left.set()

    async def _send(self, file: bytes) -> None:
        """Send a file, or break off when a part of it has gone."""
        self.set_header("Content-Length", str(len(file)))
        self.write(file[: self._worker.cut])
        with contextlib.suppress(StreamClosedError):
            await self.flush()
        if self._worker.cut is not None:
            self.request.connection.stream.close()  # type: ignore[union-attr]
        self.finish()


class _Stream(RequestHandler):
    def initialize(self, worker: StandInWorker) -> None:
        self._worker = worker

    async def get(self) -> None:
        after = int(self.get_query_argument("after"))
        self._worker.streams += 1
        while not self.request.connection.stream.closed():  # type: ignore[union-attr]
            changed = self._worker.changed
            for event in self._worker.events:
                if event.seq > after:
                    after = event.seq
                    self.write(msgspec.json.encode(event) + b"\n")
            self.write(b"\n")
            await self.flush()
            await changed.wait()


@pytest.fixture
async def worker(project: Project, runtime_folder: Path) -> AsyncIterator[StandInWorker]:
    """The project's worker, already there."""
    stand_in = StandInWorker(project)
    stand_in.start()
    yield stand_in
    stand_in.changed.set()
    await stand_in.stop()


@pytest.fixture(autouse=True)
def runtime_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sockets for each test; their paths must be short."""
    folder = Path(tempfile.mkdtemp(prefix="mlops-"))
    monkeypatch.setenv("JUPYTER_MLOPS_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sample_of() -> Callable[[Any], Any]:
    """Makes a value of a type."""
    return sample


def sample(kind: Any) -> Any:
    """Return a value of a type: every field filled in, every list with one item."""
    return _sample(msgspec.inspect.type_info(kind))


def _sample(info: msgspec.inspect.Type) -> Any:
    inspect = msgspec.inspect
    match info:
        case inspect.StructType():
            found: Any = info.cls(**{each.name: _sample(each.type) for each in info.fields})
        case inspect.ListType():
            found = [_sample(info.item_type)]
        case inspect.TupleType():
            found = tuple(_sample(each) for each in info.item_types)
        case inspect.DictType():
            found = {_sample(info.key_type): _sample(info.value_type)}
        case inspect.UnionType():
            found = _sample(next(t for t in info.types if not isinstance(t, inspect.NoneType)))
        case inspect.EnumType():
            found = next(iter(info.cls))
        case inspect.LiteralType():
            found = info.values[0]
        case inspect.DateTimeType():
            found = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        case _:
            plain = {inspect.StrType: "text", inspect.IntType: 1, inspect.FloatType: 0.5}
            found = plain.get(type(info), True)
    return found


def _match(template: str, path: str) -> dict[str, str] | None:
    """Return the values of a path's placeholders, or None if it does not fit."""
    names, parts = template.split("/"), path.split("/")
    if len(names) != len(parts):
        return None
    found = {}
    for name, part in zip(names, parts, strict=True):
        if name.startswith("{"):
            found[name[1:-1]] = unquote(part)
        elif name != part:
            return None
    return found
