"""The files of the contract say what the server does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from jupyter_events.schema import EventSchema

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.operation import Operation
from jupyter_mlops.app.operations import DOWNLOADS
from jupyter_mlops.server import contract
from jupyter_mlops.server.events import SCHEMA_FILE, SCHEMA_ID
from jupyter_mlops.server.routes import FORWARDED, ROUTES

DOCUMENT = contract.openapi()


def described(operation: Operation[Any]) -> dict[str, Any]:
    """Return what the document says of an operation."""
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def schema_of(content: dict[str, Any]) -> dict[str, Any]:
    """Return a body's schema with the components that it refers to."""
    return content["content"]["application/json"]["schema"] | {"components": DOCUMENT["components"]}


def references(value: Any) -> set[str]:
    """Return every reference in a part of the document."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set()


def test_files_are_current() -> None:
    """The committed files are what the table of routes makes of them."""
    assert contract.main(["--check"]) == 0


def test_check_notices_and_writing_mends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--check`` names a file that is missing or stale; without it the files are written."""
    openapi, event = tmp_path / "api" / "openapi.json", tmp_path / "change.v1.yaml"
    monkeypatch.setattr(contract, "OPENAPI_FILE", openapi)
    monkeypatch.setattr(contract, "SCHEMA_FILE", event)
    assert contract.main(["--check"]) == 1
    assert not openapi.exists()
    assert contract.main([]) == 0
    assert contract.main(["--check"]) == 0
    openapi.write_text(openapi.read_text() + " ")
    assert contract.main(["--check"]) == 1
    assert "openapi.json is stale" in capsys.readouterr().err


def test_document_is_stable() -> None:
    """The same table gives the same bytes: sorted, ending in a newline, without NaN."""
    text = contract.files()[contract.OPENAPI_FILE]
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


def test_every_route_is_described() -> None:
    """Each route has one operation with its own name, its path's parameters and its errors."""
    names = [each["operationId"] for path in DOCUMENT["paths"].values() for each in path.values()]
    routes = (*ROUTES, *DOWNLOADS)
    assert sorted(names) == sorted(route.name for route in routes)
    for route in routes:
        said = described(route)
        parameters = {each["name"]: each for each in said["parameters"]}
        inside = {name for name, each in parameters.items() if each["in"] == "path"}
        assert inside == set(re.findall(r"{(\w+)}", route.path))
        assert all(parameters[name]["required"] for name in inside)
        assert ("project" in parameters) == (route in (*FORWARDED, *DOWNLOADS))
        assert said["responses"]["default"] == {"$ref": "#/components/responses/Error"}


def test_files_are_described() -> None:
    """What answers with a file says so."""
    for route in DOWNLOADS:
        (media,) = described(route)["responses"]["200"]["content"].items()
        schema = {"schema": {"type": "string", "format": "binary"}}
        assert media == ("application/octet-stream", schema)


def test_schemas_are_sound() -> None:
    """All schemas are JSON Schema, and every reference leads somewhere."""
    components = DOCUMENT["components"]
    for schema in components["schemas"].values():
        Draft202012Validator.check_schema(schema)
    known = {f"#/components/{kind}/{name}" for kind in components for name in components[kind]}
    assert references(DOCUMENT) <= known


@pytest.mark.parametrize("operation", ROUTES, ids=lambda operation: operation.name)
def test_answers_fit_the_document(operation: Operation[Any], sample_of: Any) -> None:
    """An answer as the worker encodes it is what the document promises."""
    answer = json.loads(msgspec.json.encode(sample_of(operation.response)))
    validator = Draft202012Validator(schema_of(described(operation)["responses"]["200"]))
    validator.validate(answer)
    views = answer if isinstance(answer, list) else [answer]
    if any(views):
        missing = [dict(list(view.items())[1:]) for view in views]
        assert not validator.is_valid(missing if isinstance(answer, list) else missing[0])


@pytest.mark.parametrize("name", ["SweepView", "RunDetail", "Counts", "ErrorDetail", "ChangeEvent"])
def test_answers_are_complete(name: str) -> None:
    """Every field of an answer is always there, so that the browser need not guess."""
    schema = DOCUMENT["components"]["schemas"][name]
    assert sorted(schema["required"]) == sorted(schema["properties"])


def test_requests_need_what_they_must() -> None:
    """A request need only carry fields without a default, and no unknown ones."""
    schema = DOCUMENT["components"]["schemas"]["SubmitRequest"]
    assert schema["required"] == ["notebook"]
    assert schema["additionalProperties"] is False
    assert not any("default" in each for each in schema["properties"].values())
    # A field that is called so is not mistaken for one.
    assert "default" in DOCUMENT["components"]["schemas"]["ParameterView"]["properties"]


def test_event_schema_is_the_payload(sample_of: Any) -> None:
    """Jupyter's event schema and the OpenAPI component are one, and registered as version 1."""
    schema = EventSchema(SCHEMA_FILE)
    assert (schema.id, schema.version) == (SCHEMA_ID, "1")
    component = DOCUMENT["components"]["schemas"]["ChangeEvent"]
    assert schema.properties == component["properties"]
    schema.validate(json.loads(msgspec.json.encode(sample_of(contract.ChangeEvent))))


def test_errors_fit_the_document() -> None:
    """The one shape of errors is described."""
    error = m.ErrorView(m.ErrorDetail("not_found", "There is nothing."))
    schema = schema_of(DOCUMENT["components"]["responses"]["Error"])
    Draft202012Validator(schema).validate(json.loads(msgspec.json.encode(error)))
