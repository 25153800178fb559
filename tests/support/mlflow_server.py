"""A real MLflow server that can be killed and comes back, behind a token if wanted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_mlops.tracking.store_template import create_database

#: MLflow's own server behind a token, with artifacts that it hands on.
_GUARDED = """
import os, sys
uri, folder, port = sys.argv[1:4]
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = folder
import uvicorn
from jupyter_mlops.tracking.front.__main__ import Guard, _mlflow
app = Guard(_mlflow(uri, "mlflow-artifacts:/"), os.environ["TOKEN"])
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="info")
"""

#: Jobs of MLflow's own, such as evaluations, for which it starts eight more processes.
_JOBS = "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"


class Server:
    """An MLflow server on a port of its own, which keeps its data between two lives."""

    def __init__(self, folder: Path, token: str | None = None) -> None:
        self._folder = folder
        self._token = token
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        folder.mkdir(exist_ok=True)
        create_database(folder / "server.db", folder / "artifacts")

    def start(self) -> None:
        """Start it and wait until it serves."""
        self._process = subprocess.Popen(
            self._command(),
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TOKEN": self._token or "", _JOBS: "false"},
        )
        assert self._process.stderr is not None
        said, wanted = [], {"Application startup complete", "Uvicorn running on"}
        while wanted:
            line = self._process.stderr.readline()
            assert line, "".join(said)
            said.append(line)
            wanted = {words for words in wanted if words not in line}
        self._reader = threading.Thread(target=self._process.stderr.read)
        self._reader.start()

    def kill(self) -> None:
        """End it without a word, with its worker processes."""
        if self._process is not None and self._process.stderr is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._reader.join()
            self._process.stderr.close()
            self._process = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let it accept what comes, and answer nothing meanwhile."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _command(self) -> list[str]:
        uri, artifacts = f"sqlite:///{self._folder}/server.db", str(self._folder / "artifacts")
        if self._token is not None:
            return [sys.executable, "-W", "ignore", "-c", _GUARDED, uri, artifacts, str(self.port)]
        command = [sys.executable, "-W", "ignore", "-m", "mlflow", "server"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", uri]
        return [*command, "--artifacts-destination", artifacts]
