"""Files of runs in the browser: saved, never run, and only as much as it takes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.artifact_operations import READ_ARTIFACT
from jupyter_mlops.app.projects import Project
from jupyter_mlops.core.exceptions import NotAllowedPath, TrackingUnavailable
from jupyter_mlops.server.link import Link

CONTENT = "/runs/r1/artifact/content"


def params(path: str = "plots/a b.csv", **others: str) -> dict[str, str]:
    """A query that names a file."""
    return {"project": "work", "path": path, **others}


async def test_a_file(ask: Any, worker: Any) -> None:
    """The bytes come as the worker reads them; headers have them saved, not shown."""
    response = await ask("GET", CONTENT, params=params(first="5"))
    assert response.code == 200
    assert response.body == worker.file
    asked = worker.asked[-1]
    assert (asked.operation, asked.path) == (READ_ARTIFACT, {"run_id": "r1"})
    assert asked.query == m.ContentQuery(path="plots/a b.csv", first=5)


@pytest.mark.parametrize("name", ["page.html", "run.js", "x.svg", "book.ipynb", "table.csv"])
async def test_nothing_runs(name: str, ask: Any, worker: Any) -> None:
    """Whatever a file calls itself, no browser takes it for a page or a script."""
    worker.file = b"<script>alert(1)</script>"
    response = await ask("GET", CONTENT, params=params(f"plots/{name}"))
    headers = response.headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith(f'attachment; filename="{name}"')
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Length"] == "25"


async def test_an_empty_file(ask: Any, worker: Any) -> None:
    """Nothing is a file, too."""
    worker.file = b""
    response = await ask("GET", CONTENT, params=params())
    assert (response.code, response.body) == (200, b"")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ä b.csv", "attachment; filename=\"_ b.csv\"; filename*=UTF-8''%C3%A4%20b.csv"),
        ('a"; x="b.html', "attachment; filename=\"a_; x=_b.html\"; filename*=UTF-8''"),
    ],
)
async def test_names(name: str, header: str, ask: Any, worker: Any) -> None:
    """A name cannot write headers."""
    response = await ask("GET", CONTENT, params=params(name))
    assert response.headers["Content-Disposition"].startswith(header)


async def test_refusals(ask: Any, worker: Any) -> None:
    """What the worker refuses is an error as everywhere, without anything of a file."""
    for error, status in ((NotAllowedPath("No."), 400), (TrackingUnavailable("Away."), 503)):
        worker.raises["read_artifact"] = error
        response = await ask("GET", CONTENT, params=params())
        assert response.code == status
        assert json.loads(response.body)["error"]["message"] == error.message
        assert response.headers["Content-Type"] == "application/json"
        assert "Content-Disposition" not in response.headers


@pytest.mark.parametrize("query", [{"project": "work"}, {"path": "a"}, params(first="0")])
async def test_bad_queries(query: dict[str, str], ask: Any, worker: Any) -> None:
    """Without a project and a path there is nothing to read."""
    response = await ask("GET", CONTENT, params=query)
    assert response.code == 400
    assert not worker.asked


async def test_broken_off(ask: Any, worker: Any) -> None:
    """A file whose end does not come is noticed, and no error is mistaken for its end."""
    worker.file, worker.cut = b"x" * 1000, 400
    with pytest.raises((HTTPClientError, StreamClosedError)):
        await ask("GET", CONTENT, params=params())


async def test_a_worker_that_has_gone(ask: Any, worker: Any) -> None:
    """A worker that ends before it has sent anything is asked once more."""
    worker.breaks.add("read_artifact")
    response = await ask("GET", CONTENT, params=params())
    assert response.code == 200
    assert response.body == worker.file


async def test_a_browser_that_leaves(
    worker: Any, http_server_port: Any, http_server: Any, jp_base_url: str, jp_auth_header: Any
) -> None:
    """Who stops reading makes the worker stop, too."""
    worker.file = b"x" * 50_000_000
    _, port = http_server_port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    target = f"{jp_base_url}mlops/api{CONTENT}?project=work&path=large.bin"
    token = jp_auth_header["Authorization"]
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", f"Authorization: {token}", "", ""]
    writer.write("\r\n".join(lines).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head
    assert not worker.left.is_set()
    writer.close()
    await writer.wait_closed()
    await asyncio.wait_for(worker.left.wait(), 30)


async def test_one_piece_at_a_time(project: Project, worker: Any) -> None:
    """The next piece is read only after the last one has been taken."""
    worker.file = bytes(range(256)) * 10_000
    sink = SlowSink()
    link = Link(_nothing)
    query = m.ContentQuery(path="large.bin")
    await link.stream(project, READ_ARTIFACT, {"run_id": "r1"}, query, sink)
    assert sink.size == len(worker.file)
    assert b"".join(sink.pieces) == worker.file
    assert len(sink.pieces) > 10


class SlowSink:
    """Takes pieces after others had their turn, and never two at once."""

    def __init__(self) -> None:
        self.size = 0
        self.pieces: list[bytes] = []
        self._busy = False

    def begin(self, size: int) -> None:
        """Note the size."""
        self.size = size

    async def take(self, piece: bytes) -> None:
        """Take a piece."""
        assert not self._busy
        self._busy = True
        for _ in range(20):
            await asyncio.sleep(0)
        self._busy = False
        self.pieces.append(piece)


async def _nothing(project: Project) -> None:
    """Follow no events."""
