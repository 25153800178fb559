"""Registered models that can be served, and a way to ask for predictions."""

from __future__ import annotations

import http.client
import json
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
from mlflow import MlflowClient, pyfunc
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.unix import UnixConnection
from jupyter_mlops.tracking import open_tracker

#: A model that adds a number to the sum of two columns, as a file that MLflow executes.
ADDER = """
import mlflow.pyfunc

class Adder(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        {before}
        made = model_input["distance"] * 2.0 + model_input["hour"] + {number}
        return made.to_numpy()

mlflow.models.set_model(Adder())
"""
#: One that can be saved, but not be loaded by an endpoint.
BROKEN = """
import os

if "JUPYTER_MLOPS_ENDPOINT" in os.environ:
    raise RuntimeError("no weights")
""" + ADDER.format(before="pass", number=0)
COLUMNS = (("distance", "double"), ("hour", "long"))


def register(
    folder: Path,
    name: str = "flights",
    *,
    number: float = 0,
    before: str = "pass",
    source: str | None = None,
    columns: Sequence[tuple[str, str]] = COLUMNS,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Make a version of a model in a project's store; return where its files are."""
    tracker = open_tracker(None, folder / ".mlops")
    client = MlflowClient(tracker.uri, tracker.uri)
    known = client.search_registered_models(f"name = '{name}'")
    if not known:
        client.create_registered_model(name)
    count = len(client.search_model_versions(f"name = '{name}'"))
    place = folder / ".mlops" / "artifacts" / "made" / f"{name}-{count + 1}"
    save(place, source or ADDER.format(number=number, before=before), columns)
    client.create_model_version(name, str(place), tags=dict(tags or {}))
    tracker.close()
    return place


def save(place: Path, source: str, columns: Sequence[tuple[str, str]] = COLUMNS) -> None:
    """Save a model whose code is ``source``."""
    script = place.with_suffix(".py")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(source, "utf-8")
    inputs = Schema([ColSpec(kind, column) for column, kind in columns])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow has advice on type hints and examples
        pyfunc.save_model(
            place,
            python_model=str(script),
            signature=ModelSignature(inputs, Schema([ColSpec("double")])),
            pip_requirements=["mlflow"],
        )


def serve(client: Client, name: str = "flights", version: int | None = None) -> m.EndpointView:
    """Serve a version and return when it answers, or has failed to."""
    body = m.ServeRequest(version=version)
    client.call(serving_operations.SERVE_MODEL, body=body, timeout=None, name=name)
    return settled(client, name)


def settled(client: Client, name: str = "flights") -> m.EndpointView:
    """Wait until no version is being loaded."""
    return until(client, lambda each: each.next is None, name)


def until(client: Client, wanted: Any, name: str = "flights") -> m.EndpointView:
    """Wait until an endpoint is as wanted."""
    for _ in client.events(0, beat=0.3):
        found = {each.name: each for each in client.call(serving_operations.LIST_ENDPOINTS)}
        if wanted(found[name]):
            return found[name]
    raise AssertionError


def processes(client: Client) -> list[psutil.Process]:
    """The processes that serve models of the project, whoever started them."""
    root = str(client.project.root)
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get("JUPYTER_MLOPS_ENDPOINT") == root:
                found.append(each)
        except psutil.Error:
            continue
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


def kill(client: Client) -> None:
    """End the only process that serves a model, as nobody would."""
    (process,) = processes(client)
    process.kill()


def rows(count: int = 2) -> list[dict[str, Any]]:
    """Return rows that the model takes."""
    return [{"distance": 100.5 + i, "hour": i % 24} for i in range(count)]


def ask(address: Path, body: Any, media: str = "application/json") -> tuple[int, Any]:
    """Ask a process for predictions, directly."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(UnixConnection(address, 60)) as connection:
        connection.request("POST", "/invocations", content, {"Content-Type": media})
        response: http.client.HTTPResponse = connection.getresponse()
        return response.status, json.loads(response.read())
