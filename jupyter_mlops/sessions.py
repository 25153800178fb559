"""Tracked sessions: interactive work, or a script, recorded as a run.

`SessionLink` needs the standard library only: whoever finds the session in the environment can log
to it, a child process in another environment too.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import http.client
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .app.unix import UnixConnection
from .core.exceptions import Conflict, MlopsError
from .core.runs import ATTEMPT_VARIABLE

if TYPE_CHECKING:
    from .app.client import Client
    from .app.messages import RunView, SessionView

#: Holds a session's link, for the process that opened it and for all that it starts.
VARIABLE = "JUPYTER_MLOPS_SESSION"

#: Seconds that logging may hold up the caller before the points go to the spool.
TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class SessionLink:
    """How to log to an open session."""

    run_id: str
    #: The worker's Unix socket.
    socket: str
    #: File that takes the points while no worker listens; the next one imports it.
    spool: str

    def log(self, points: list[dict[str, Any]]) -> None:
        """Send points, encoded, to the worker, or keep them for it."""
        if not self._post("log", {"points": points}):
            line = json.dumps({"run_id": self.run_id, "points": points}, allow_nan=False)
            path = Path(self.spool)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # the worker may be taking it in
                file.write(line + "\n")

    def finish(self) -> bool:
        """Close the session; return whether a worker has heard it."""
        return self._post("finish", {"error": None})

    def _post(self, action: str, body: dict[str, Any]) -> bool:
        target = f"/sessions/{self.run_id}/{action}"
        content = json.dumps(body, allow_nan=False).encode()
        with contextlib.closing(UnixConnection(self.socket, TIMEOUT)) as connection:
            try:
                connection.request("POST", target, body=content)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return False
        return response.status < 400


def current_session() -> SessionLink | None:
    """Return the session that this process belongs to, if any; a run's own record comes first."""
    text = os.environ.get(VARIABLE)
    if not text or os.environ.get(ATTEMPT_VARIABLE):
        return None
    try:
        return SessionLink(**json.loads(text))
    except (ValueError, TypeError):
        return None


class Session:
    """An open session. Close it with `stop`, as a context manager, or by ending the process."""

    def __init__(
        self, client: Client | None, run: RunView | None, variables: Mapping[str, str]
    ) -> None:
        #: None within a run, which is tracked already.
        self._client = client
        self._run = run
        self._before = {name: os.environ.get(name) for name in variables}
        self._pid = os.getpid()
        self._open = client is not None
        os.environ.update(variables)

    @property
    def id(self) -> str | None:
        """The run's id; None within a notebook that is executed as a run already."""
        return self._run.id if self._run is not None else None

    @property
    def mlflow_run_id(self) -> str | None:
        """The id of the session's run in MLflow, if that could be reached."""
        return self._run.mlflow_run_id if self._run is not None else None

    @property
    def is_open(self) -> bool:
        """Whether it still records."""
        return self._open

    def stop(self, *, error: str | None = None) -> None:
        """Close the session; with an error its run has failed. Closing twice does nothing."""
        from .app.client import connect

        client = self._close()
        if client is not None:
            self._finish(connect(client.project), error)

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the session; an exception makes its run a failed one."""
        self.stop(error=None if error is None else _one_line(error))

    def __repr__(self) -> str:
        """Say what is recorded, or that nothing is any more."""
        if self._run is None:
            return "This notebook is executed as a run, which is tracked already."
        state = "open" if self._open else "closed"
        return f"Session {self._run.id} · experiment {self._run.experiment} · {state}"

    def record(self) -> dict[str, Any]:
        """Return what to tell a program."""
        return {
            "run_id": self.id,
            "mlflow_run_id": self.mlflow_run_id,
            "experiment": self._run.experiment if self._run is not None else None,
            "open": self._open,
        }

    def _close(self) -> Client | None:
        """Take back the variables; return the client if the worker is still to be told."""
        global _current  # noqa: PLW0603  # one session at a time is this module's state
        from .metrics import flush

        if not self._open or os.getpid() != self._pid:
            return None
        flush()
        self._open = False
        _current = None
        _leave_mlflow_run(self.mlflow_run_id)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        return self._client

    def _finish(self, client: Client, error: str | None) -> None:
        from .app import messages as m
        from .app import operations as ops

        if self._run is not None:
            body = m.FinishRequest(error=error)
            self._run = client.call(ops.FINISH_SESSION, body=body, run_id=self._run.id)

    def _at_exit(self) -> None:
        client = self._close()
        if client is not None:
            # Without a worker the next one finds that this process has ended.
            with contextlib.suppress(MlopsError):
                self._finish(client, _cause_of_exit())


_current: Session | None = None


def open_session() -> Session | None:
    """Return the session that is open in this process, if any."""
    return _current


def tracked_already() -> Session | None:
    """Return a session that records nothing, in a notebook that is executed as a run."""
    return Session(None, None, {}) if os.environ.get(ATTEMPT_VARIABLE) else None


def track(
    *,
    experiment: str | None = None,
    notebook: str | os.PathLike[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    **named: Any,
) -> Session:
    """Record interactive work as a run: ``with mlops.track(rate=0.1): …``.

    ``mlops.log`` and plain ``mlflow`` calls go to this run until the session is closed. Parameters
    are given by name, or in ``parameters`` where a name is one of this function's own. Raises
    `Conflict` if a session is open already, and `WorkerUnavailable`.
    """
    return start_session(
        {**(parameters or {}), **named}, experiment=experiment, notebook=notebook, pid=os.getpid()
    )


def start_session(
    parameters: Mapping[str, Any],
    *,
    experiment: str | None,
    notebook: str | os.PathLike[str] | None,
    pid: int,
) -> Session:
    """Open a session that ends with the process ``pid`` at the latest."""
    global _current  # noqa: PLW0603  # one session at a time is this module's state
    already = tracked_already()
    if already is not None:
        return already
    if _current is not None:
        raise Conflict(f"{_current}. Close it first: %mlops track --stop")
    from .app.client import connect
    from .app.projects import find_project

    path = notebook or _this_notebook()
    client = connect(find_project(path or Path.cwd()))
    view = _request(client, parameters, experiment, path, pid)
    session = Session(client, view.run, _variables(client, view))
    if pid == os.getpid():
        _current = session
        atexit.register(session._at_exit)  # noqa: SLF001  # the class's own part
    return session


def _request(
    client: Client,
    parameters: Mapping[str, Any],
    experiment: str | None,
    notebook: str | os.PathLike[str] | None,
    pid: int,
) -> SessionView:
    import psutil

    from .app import messages as m
    from .app import operations as ops
    from .core.parameters import from_python
    from .core.values import encode

    body = m.SessionRequest(
        pid=pid,
        pid_started=psutil.Process(pid).create_time(),
        notebook=client.project.relative(Path(notebook).resolve()) if notebook else None,
        experiment=experiment,
        parameters={name: encode(from_python(each, name)) for name, each in parameters.items()},
        python=_python_of(pid),
    )
    return client.call(ops.OPEN_SESSION, body=body)


def _python_of(pid: int) -> str | None:
    """Return the interpreter of a process, as its environment names it."""
    import psutil

    command = [sys.executable] if pid == os.getpid() else psutil.Process(pid).cmdline()
    return command[0] if command and Path(command[0]).is_absolute() else None


def _variables(client: Client, view: SessionView) -> dict[str, str]:
    from .app.runtime import address

    link = SessionLink(
        run_id=view.run.id,
        socket=str(address(client.project).socket),
        spool=str(client.project.state / "spool" / f"{view.run.id}.jsonl"),
    )
    return {**view.environment, VARIABLE: json.dumps(asdict(link))}


def _this_notebook() -> Path | None:
    """Return the notebook of this kernel, where the Jupyter server told it."""
    name = os.environ.get("JPY_SESSION_NAME")
    path = Path(name) if name else None
    return path if path is not None and path.is_file() else None


def _leave_mlflow_run(mlflow_run_id: str | None) -> None:
    """End the session's run in MLflow's client, or later calls would still land in it."""
    mlflow = sys.modules.get("mlflow")
    active = mlflow.active_run() if mlflow is not None else None
    if mlflow is not None and active is not None and active.info.run_id == mlflow_run_id:
        mlflow.end_run()


def _cause_of_exit() -> str | None:
    """Return the exception that ends this script; in IPython those of cells end nothing."""
    error = getattr(sys, "last_value", None)
    return None if error is None or "IPython" in sys.modules else _one_line(error)


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
