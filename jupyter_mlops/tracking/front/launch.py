"""Starting the server, and what a kernel needs in order to use it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from ...core.exceptions import TrackingUnavailable

TOKEN_VARIABLE = "JUPYTER_MLOPS_FRONT_TOKEN"  # noqa: S105 - a name

#: Seconds that it may take to start, and to end.
_STARTING = 120.0
_ENDING = 10.0
_PROXIES = frozenset({"http_proxy", "all_proxy"})
_DIRECT = ("NO_PROXY", "no_proxy")
_HOST = "127.0.0.1"


class Front:
    """An MLflow server for a tracking database; it starts when it is first needed."""

    def __init__(self, uri: str, artifacts: Path, log: Path, mark: Mapping[str, str]) -> None:
        """``artifacts`` is where new experiments keep theirs, ``mark`` goes to its environment."""
        self._uri = uri
        self._artifacts = artifacts
        self._log = log
        self._mark = dict(mark)
        self._token = secrets.token_urlsafe(32)
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self._starting = asyncio.Lock()

    async def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return a kernel's environment with this server in place of the database.

        Raises `TrackingUnavailable` if the server does not start.
        """
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                await self._start()
        return {
            **environment,
            **_around_proxies(environment),
            "MLFLOW_TRACKING_URI": f"http://{_HOST}:{self._port}",
            "MLFLOW_TRACKING_TOKEN": self._token,
            # They would be used instead of the token.
            "MLFLOW_TRACKING_USERNAME": "",
            "MLFLOW_TRACKING_PASSWORD": "",
        }

    @property
    def pid(self) -> int | None:
        """The server's process; None if it was not needed yet."""
        return None if self._process is None else self._process.pid

    async def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_ENDING):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "jupyter_mlops.tracking.front"),
                *(self._uri, self._artifacts.as_uri()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self._mark, TOKEN_VARIABLE: self._token},
                start_new_session=True,
            )
        line = b""
        if process.stdout is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STARTING):
                    line = await process.stdout.readline()
        if not line.strip().isdigit():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise TrackingUnavailable(
                f"The MLflow server for kernels with another MLflow did not start: see {self._log}"
            )
        self._process, self._port = process, int(line)


def _around_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which requests to this machine go past a proxy."""
    if _PROXIES.isdisjoint(name.lower() for name in environment):
        return {}
    return {name: ",".join(filter(None, (environment.get(name), _HOST))) for name in _DIRECT}
