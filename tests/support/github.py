"""GitHub's comments on pull requests, as far as a report needs them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token"


class GitHub:
    """A server on loopback that keeps comments."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        #: What was asked for: method and path.
        self.asked: list[str] = []
        self.address = ""


@contextmanager
def github() -> Iterator[GitHub]:
    """Run the server."""
    kept = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = int(re.findall(r"[?&]page=(\d+)", self.path)[0])
            self._answer(200, kept.comments[100 * (page - 1) : 100 * page])

        def do_POST(self) -> None:
            kept.comments.append({"id": len(kept.comments) + 1, "body": self._body()})
            self._answer(201, kept.comments[-1])

        def do_PATCH(self) -> None:
            comment = kept.comments[int(self.path.rpartition("/")[2]) - 1]
            comment["body"] = self._body()
            self._answer(200, comment)

        def _body(self) -> str:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            return str(json.loads(text)["body"])

        def _answer(self, status: int, content: Any) -> None:
            kept.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status, content = 403, {}
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
