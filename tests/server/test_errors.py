"""Every error has one shape, the right status, and says what to do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.core.exceptions import (
    BadSpace,
    LeaseLost,
    MlopsError,
    NoModelLogged,
    NotFound,
    RunFailed,
    StoreUnavailable,
    TrackingUnavailable,
    UnknownParameter,
    error_types,
)
from jupyter_mlops.server.extension import MlopsExtension
from jupyter_mlops.server.handlers.base import MAX_BODY, REFUSALS, status_of

JSON = {"Content-Type": "application/json"}


def detail(response: Any) -> m.ErrorDetail:
    """Read an error, strictly: nothing but the one shape."""
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    error = msgspec.json.decode(response.body, type=m.ErrorView).error
    assert set(msgspec.json.decode(response.body)) == {"error"}
    assert error.message.endswith((".", "doctor", "list"))
    assert "\n" not in error.message
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownParameter("Name it.", field="lr"), 400),
        (BadSpace(), 400),
        (NotFound(), 404),
        (NoModelLogged(), 409),
        (StoreUnavailable(), 503),
        (TrackingUnavailable(), 503),
        (RunFailed("It failed."), 500),
        (LeaseLost(), 500),
        (MlopsError("Something."), 500),
    ],
    ids=lambda value: getattr(value, "code", None),
)
async def test_errors_of_the_worker(error: MlopsError, status: int, ask: Any, worker: Any) -> None:
    """What the worker says goes on to the browser, with the status of its kind."""
    worker.raises["list_runs"] = error
    response = await ask("GET", "/runs", params={"project": "work"})
    assert response.code == status
    assert detail(response) == m.ErrorDetail(error.code, error.message, error.field)


def test_every_error_has_a_status() -> None:
    """All errors are in the table, by themselves or by their base."""
    assert {status_of(each()) for each in error_types().values()} == {400, 404, 409, 500, 503}
    assert status_of(KeyError()) == 500


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"[" * 100_000 + b"]" * 100_000, 400, None),
        (b'{"notebook": "\xff"}', 400, None),
        (b'{"notebook": "\\ud800"}', 400, None),
        (b'{"notebook": 5}', 400, "notebook"),
        (b'{"notebook": "train.ipynb", "seed": NaN}', 400, None),
        (b'{"notebook": "train.ipynb", "shell": "rm"}', 400, None),
        (b'{"notebook": "train.ipynb", "samples": 0}', 400, "samples"),
        (b"[]", 400, None),
        (b"", 400, None),
        (b'"' + b"x" * MAX_BODY + b'"', 413, None),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_bodies(body: bytes, status: int, field: str | None, ask: Any, worker: Any) -> None:
    """A body that is not what the operation wants is refused before the worker hears of it."""
    response = await ask("POST", "/sweeps", params={"project": "work"}, body=body, headers=JSON)
    assert response.code == status
    assert detail(response).field == field
    assert not worker.asked


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_media_type(media: str, ask: Any, worker: Any) -> None:
    """Only JSON is taken for JSON: what a plain HTML form can send is refused."""
    body = b'{"notebook": "train.ipynb"}'
    response = await ask(
        "POST", "/sweeps", params={"project": "work"}, body=body, headers={"Content-Type": media}
    )
    assert response.code == 415
    assert detail(response).code == "unsupported_media_type"
    assert not worker.asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=asleep", "status"),
        ("shell=rm", None),
        ("sweep=%FF", "sweep"),
        ("12=34", None),
    ],
)
async def test_queries(
    query: str,
    field: str | None,
    http_server_client: Any,
    jp_base_url: str,
    jp_auth_header: Any,
    worker: Any,
) -> None:
    """A query that is not what the operation wants is refused before the worker hears of it."""
    response = await http_server_client.fetch(
        f"{jp_base_url}mlops/api/runs?project=work&{query}",
        headers=jp_auth_header,
        raise_error=False,
    )
    assert response.code == 400
    assert detail(response).field == field
    assert not worker.asked


async def test_body_where_none_belongs(ask: Any, worker: Any) -> None:
    """An operation without a body takes an empty object at most."""
    params = {"project": "work"}
    assert (await ask("POST", "/runs/r/cancel", params=params, body=b"{}")).code == 200
    response = await ask("POST", "/runs/r/cancel", params=params, body=b'{"now": true}')
    assert response.code == 400
    detail(response)


async def test_method(ask: Any, worker: Any) -> None:
    """A method that an address does not know is refused, and the known ones are named."""
    response = await ask("PATCH", "/sweeps", params={"project": "work"})
    assert response.code == 405
    assert response.headers["Allow"] == "POST, GET"
    assert detail(response).code == "method_not_allowed"


@pytest.mark.parametrize("path", ["/nothing", "", "/", "/runs/r/../../status", "/status/"])
async def test_unknown_address(path: str, ask: Any, worker: Any) -> None:
    """An address that does not exist says so."""
    response = await ask("GET", path, params={"project": "work"})
    assert response.code == 404
    assert detail(response).code == "not_found"


async def test_own_failure(
    ask: Any, extension: MlopsExtension, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours is told without its details, which belong in the log."""

    def fail(path: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(extension.projects, "containing", fail)
    response = await ask("GET", "/project")
    assert response.code == 500
    assert detail(response) == REFUSALS[500]
