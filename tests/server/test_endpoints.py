"""The way from the browser, or a program, to a model that is served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from jupyter_mlops.app.client import Client, connect
from jupyter_mlops.app.projects import Project
from jupyter_mlops.app.runtime import endpoint_address
from jupyter_mlops.server.handlers import endpoints as handlers
from tests.support import served, workers
from tests.support.served import rows
from tests.support.tracked import MLFLOW_WARNING

SCORE = "mlops/endpoints/flights/invocations"
RECORDS = json.dumps({"dataframe_records": rows()}).encode()


class Process:
    """Stands where a model's process would, and remembers what reaches it."""

    def __init__(self, project: Project, name: str = "flights") -> None:
        self.seen: list[HTTPServerRequest] = []
        self.bodies: list[int] = []
        self.answer = b'{"predictions": [1.0]}'
        self.media = "application/json"
        self.status = 200
        self.drops = False
        rules = [(r"/.*", _Answer, {"process": self})]
        self._server = HTTPServer(Application(rules), max_body_size=2**40)
        address = endpoint_address(project, name)
        self.socket = address.with_suffix(".one")
        self._server.add_socket(bind_unix_socket(str(self.socket), mode=0o600))
        address.symlink_to(self.socket.name)

    async def stop(self) -> None:
        """End."""
        self._server.stop()
        await self._server.close_all_connections()


class _Answer(RequestHandler):
    def initialize(self, process: Process) -> None:
        self._process = process

    async def get(self) -> None:
        process = self._process
        process.seen.append(self.request)
        if process.drops:
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        self.set_status(process.status)
        self.set_header("Content-Type", process.media)
        self.set_header("Set-Cookie", "stolen=1")
        await self.finish(process.answer)

    post = get


@pytest.fixture
async def process(project: Project, runtime_folder: Path, extension: Any) -> AsyncIterator[Process]:
    """A process of a project that the server knows."""
    extension.projects.containing("work")
    found = Process(project)
    yield found
    await found.stop()


@pytest.fixture
def send(jp_fetch: Any) -> Any:
    """Send a request to the model, with a token."""

    async def sender(path: str = SCORE, **options: Any) -> Any:
        given = {"method": "POST", "body": RECORDS, "raise_error": False} | options
        return await jp_fetch(*path.split("/"), **given)

    return sender


async def test_passes_on(process: Process, send: Any) -> None:
    """A request reaches the process without the caller's secrets, its answer comes back."""
    headers = {"Content-Type": "application/json", "Cookie": "secret=1", "X-Other": "2"}
    response = await send(headers=headers)
    assert (response.code, response.body) == (200, process.answer)
    assert response.headers["Content-Type"] == "application/json"
    assert "stolen" not in str(response.headers.get_list("Set-Cookie"))
    assert response.headers["Cache-Control"] == "no-store"
    (request,) = process.seen
    assert (request.method, request.uri, request.body) == ("POST", "/invocations", RECORDS)
    assert set(request.headers) <= {
        "Host", "Connection", "Content-Type", "Content-Length", "Accept", "Accept-Encoding",
    }  # fmt: skip
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("route", ["ping", "health", "version"])
async def test_other_routes(process: Process, send: Any, route: str) -> None:
    """What MLflow answers besides predictions can be asked, too."""
    response = await send(f"mlops/endpoints/flights/{route}", method="GET", body=None)
    assert response.code == 200
    assert process.seen[0].path == f"/{route}"
    response = await send(f"mlops/endpoints/flights/{route}")
    assert response.code == 405


@pytest.mark.parametrize(
    "path",
    ["mlops/state", "mlops%2Fstate", "docs", "openapi.json", "..%2Fping", "", "invocations/more"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_other_addresses(process: Process, send: Any, path: str, method: str) -> None:
    """Nothing else of the process can be reached."""
    body = None if method == "GET" else b"{}"
    response = await send(f"mlops/endpoints/flights/{path}", method=method, body=body)
    assert response.code == 404
    assert not process.seen


async def test_strangers_are_refused(process: Process, send: Any) -> None:
    """Without a valid token nobody gets through."""
    response = await send(headers={"Authorization": "token wrong"})
    assert response.code == 403
    assert not process.seen


async def test_other_sites_are_refused(
    process: Process, jp_serverapp: Any, jp_base_url: str, http_server_client: Any
) -> None:
    """A browser that is logged in needs the XSRF token, which other sites do not know."""
    token = jp_serverapp.identity_provider.token
    response = await http_server_client.fetch(f"{jp_base_url}api/me?token={token}")
    login = "; ".join(each.split(";")[0] for each in response.headers.get_list("Set-Cookie"))
    assert login
    given = {"Cookie": f"{login}; _xsrf=abc", "Content-Type": "application/json"}
    options = {"method": "POST", "body": RECORDS, "raise_error": False}
    url = f"{jp_base_url}{SCORE}"
    response = await http_server_client.fetch(url, headers=given, **options)
    assert response.code == 403
    assert not process.seen
    response = await http_server_client.fetch(
        url, headers=given | {"X-XSRFToken": "abc"}, **options
    )
    assert response.code == 200


async def test_errors_of_the_model_come_back(process: Process, send: Any) -> None:
    """A refusal by the model is handed on as it is."""
    process.status, process.answer = 400, b'{"error_code": "BAD_REQUEST", "message": "no"}'
    response = await send()
    assert (response.code, response.body) == (400, process.answer)


async def test_models_make_no_pages(process: Process, send: Any) -> None:
    """Whatever a model calls its answer, a browser does not show it as a page."""
    process.media, process.answer = "text/html", b"<script>alert(1)</script>"
    response = await send()
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"] or (
        "default-src 'none'" in response.headers["Content-Security-Policy"]
    )


async def test_large_requests(process: Process, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is handed on piece by piece up to a size, and refused above it."""
    monkeypatch.setattr(handlers, "MOST", 3_000_000)
    response = await send(body=b"x" * 2_900_000)
    assert response.code == 200
    assert len(process.seen[0].body) == 2_900_000
    response = await send(body=b"x" * 3_000_001)
    assert response.code == 413
    pieces = iter([b"x" * 1_000_000] * 4)
    response = await send(body=None, body_producer=lambda write: _produce(write, pieces))
    assert response.code == 413
    assert len(process.seen) == 1


async def _produce(write: Any, pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        await write(piece)


async def test_large_answers(process: Process, send: Any) -> None:
    """A long answer comes whole."""
    process.answer = json.dumps({"predictions": list(range(400_000))}).encode()
    response = await send()
    assert response.body == process.answer


async def test_a_process_that_drops_the_request(process: Process, send: Any) -> None:
    """Whoever asked is told that nobody answers, and when to try again."""
    process.drops = True
    response = await send()
    assert response.code == 503
    assert response.headers["Retry-After"] == "5"
    assert json.loads(response.body)["error"]["code"] == "worker_unavailable"


async def test_waits_for_a_process_that_starts_again(
    process: Process, project: Project, send: Any
) -> None:
    """A request that comes while a process is started again waits for a moment."""
    address = endpoint_address(project, "flights")
    address.unlink()
    address.symlink_to("nobody")
    asking = asyncio.create_task(send())
    while not asking.done():
        await asyncio.sleep(0.3)
        if not process.seen:
            address.unlink()
            address.symlink_to(process.socket.name)
    assert (await asking).code == 200


async def test_unknown_and_ambiguous_names(
    process: Process, project: Project, send: Any, extension: Any, jp_root_dir: Path
) -> None:
    """What is not served is told so; of several projects one must be named."""
    response = await send("mlops/endpoints/other/invocations")
    assert response.code == 404
    assert "models serve" in json.loads(response.body)["error"]["message"]
    other = extension.projects.containing(str(workers.make_project(jp_root_dir / "second")))
    second = Process(other)
    try:
        response = await send()
        assert response.code == 409
        response = await send(params={"project": "second"})
        assert response.code == 200
        assert (len(process.seen), len(second.seen)) == (0, 1)
    finally:
        await second.stop()


@pytest.fixture
def client(project: Project, runtime_folder: Path) -> Iterator[Client]:
    """A real worker that serves a real model."""
    served.register(project.root)
    client = connect(project)
    served.serve(client)
    yield client
    workers.stop(project.root)


@pytest.mark.filterwarnings(MLFLOW_WARNING)
async def test_real_model(client: Client, project: Project, send: Any, extension: Any) -> None:
    """A prediction by a real model through the server."""
    extension.projects.containing("work")
    headers = {"Content-Type": "application/json"}
    response = await send(headers=headers, request_timeout=60)
    assert json.loads(response.body) == {"predictions": [201.0, 204.0]}
    wrong = json.dumps({"dataframe_records": [{"distance": "far", "hour": 1}]}).encode()
    response = await send(headers=headers, body=wrong, request_timeout=60)
    assert response.code == 400
    assert json.loads(response.body)["message"] == (
        "Column 'distance': expected double, got text 'far' in row 1."
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings(MLFLOW_WARNING)
async def test_ten_thousand_requests_across_a_switch(
    client: Client, project: Project, send: Any, extension: Any
) -> None:
    """While another version takes its place and is rolled back, no request of 10,000 is lost."""
    from jupyter_mlops.app import messages as m
    from jupyter_mlops.app import serving_operations

    served.register(project.root, number=1000)
    extension.projects.containing("work")
    total, answers = 10_000, dict.fromkeys((201.0, 1201.0), 0)
    numbers = iter(range(total))
    headers = {"Content-Type": "application/json"}
    reached = {each: asyncio.Event() for each in (total // 4, total // 2)}

    async def ask() -> None:
        for number in numbers:
            response = await send(headers=headers, request_timeout=120)
            assert response.code == 200, (number, response.body)
            answers[json.loads(response.body)["predictions"][0]] += 1
            if number in reached:
                reached[number].set()

    async def switch() -> None:
        await reached[total // 4].wait()
        body = m.ServeRequest(version=2)
        await asyncio.to_thread(
            client.call, serving_operations.SERVE_MODEL, body=body, timeout=None, name="flights"
        )
        await reached[total // 2].wait()
        view = await asyncio.to_thread(served.settled, client)
        assert view.version == 2
        await asyncio.to_thread(
            client.call, serving_operations.ROLL_BACK, timeout=None, name="flights"
        )

    await asyncio.gather(switch(), *(ask() for _ in range(16)))
    assert sum(answers.values()) == total
    assert min(answers.values()) > 0, answers
    view = served.settled(client)
    final = served.until(client, lambda each: each.requests >= total)
    assert (view.version, final.requests, final.failures) == (1, total, 0)
