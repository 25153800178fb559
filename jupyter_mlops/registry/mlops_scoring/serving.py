"""The server of one version of a model."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .app import CheckedModel, Scoring
from .challenger import Challenger
from .columns import Column, read_columns
from .features import Features
from .loading import load
from .samples import Samples

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

#: Connections that may wait to be accepted.
_BACKLOG = 2048
#: Seconds between two looks whether our socket is still there.
_LOOK_EVERY = 5.0
#: Seconds for which requests under way are waited for in the end.
_PATIENCE = 60


def columns_of(model: PyFuncModel) -> tuple[Column, ...]:
    """Return the columns that a model's signature asks for; none if it has no such signature."""
    schema: Any = model.metadata.get_input_schema()  # type: ignore[no-untyped-call]
    return read_columns(schema.to_dict() if schema is not None else None)


def serve(config: dict[str, Any], listener: socket.socket) -> None:
    """Load a model and answer requests until we are terminated, or our socket is removed.

    The socket appears when the model can answer.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import uvicorn
    from mlflow.pyfunc import scoring_server

    model = load(Path(config["folder"]))
    columns = columns_of(model)
    features = Features(config["features"]) if config.get("features") else None
    if features is not None:
        columns = features.optional(columns)
    challenger = Challenger(config["challenger"]) if config.get("challenger") else None
    samples = None
    if config.get("samples"):
        samples = Samples(config["samples"], config["version"], columns, challenger)
    app = Scoring(
        scoring_server.init(cast("PyFuncModel", CheckedModel(model, columns, features))),
        columns,
        facts={"name": config["name"], "version": config["version"], "build": config["build"]},
        limit=config["limit"],
        listeners=[each for each in (samples,) if each is not None],
    )
    path = Path(config["socket"])
    usual = os.umask(0o177)
    listener.bind(str(path))
    os.umask(usual)
    listener.listen(_BACKLOG)
    options = uvicorn.Config(
        app, access_log=False, lifespan="off", timeout_graceful_shutdown=_PATIENCE
    )
    server = uvicorn.Server(options)
    if challenger is not None:
        challenger.start()
    # The server raises the signal that has ended it once more, when it has finished.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        asyncio.run(_serve(server, listener, path, config.get("parent")))
    finally:
        path.unlink(missing_ok=True)
        if challenger is not None:
            challenger.close()
        if samples is not None:
            samples.close()


async def _serve(server: Any, listener: socket.socket, path: Path, parent: int | None) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not serving.done():
        await asyncio.wait([serving], timeout=_LOOK_EVERY)
        # Whoever removed it, nobody can reach us any more; and a challenger serves its parent.
        alone = parent is not None and os.getppid() != parent
        if alone or not await asyncio.to_thread(path.exists):
            server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving
