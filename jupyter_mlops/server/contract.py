"""Write the contract as files: OpenAPI for the front end, the event's schema for jupyter_events.

``python -m jupyter_mlops.server.contract`` writes them, ``--check`` exits with 1 if they are stale.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
from jupyter_events import yaml

from ..app import messages as m
from ..app.operation import Operation
from ..app.operations import DOWNLOADS
from .events import SCHEMA_FILE, SCHEMA_ID, ChangeEvent
from .routes import API, FORWARDED, ROUTES

PACKAGE = Path(__file__).parent.parent
OPENAPI_FILE = PACKAGE.parent / "labextension" / "src" / "api" / "openapi.json"

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_FILE: Schema = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_PROJECT_PARAMETER: Schema = {
    "name": "project",
    "in": "query",
    "required": True,
    "description": "The project's folder, relative to the server's root; empty for the root.",
    "schema": {"type": "string"},
}


def openapi() -> Schema:
    """Return the OpenAPI description of every route and of the event's payload."""
    types: list[Any] = [m.ErrorView, ChangeEvent]
    types += [each for route in ROUTES for each in (route.response, route.body) if each]
    schemas, components = _schemas(types)
    named = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, Schema] = {}
    for route in (*ROUTES, *DOWNLOADS):
        parameters, used = _parameters(route)
        components |= used
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, parameters, named
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-mlops",
            "description": "What the browser asks of the server extension.",
            "version": str(m.PROTOCOL),
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": f"/{API}", "description": "Below the Jupyter server's base URL."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Error": {
                    "description": "What went wrong, and what to do.",
                    "content": _json(named[repr(m.ErrorView)]),
                }
            },
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
        },
    }


def event_schema() -> Schema:
    """Return the schema by which jupyter_events checks what is emitted."""
    _, components = _schemas([ChangeEvent])
    schema = components[ChangeEvent.__name__]
    return {
        "$id": SCHEMA_ID,
        "version": SCHEMA_ID.rpartition("/v")[2],
        "title": "A change in a project",
        "personal-data": False,
        "description": schema["description"],
        "type": "object",
        "required": schema["required"],
        "additionalProperties": False,
        "properties": schema["properties"],
    }


def files() -> dict[Path, str]:
    """Return what each file of the contract should hold."""
    return {
        OPENAPI_FILE: json.dumps(openapi(), indent=2, sort_keys=True, allow_nan=False) + "\n",
        SCHEMA_FILE: yaml.dumps(event_schema()),
    }


def _operation(route: Operation[Any], parameters: list[Schema], named: dict[str, Schema]) -> Schema:
    described: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer.",
                "content": _FILE if route in DOWNLOADS else _json(named[repr(route.response)]),
            },
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if route.body is not None:
        described["requestBody"] = {"required": True, "content": _json(named[repr(route.body)])}
    return described


def _parameters(route: Operation[Any]) -> tuple[list[Schema], Schema]:
    """Return a route's parameters and the components that they name."""
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if route in (*FORWARDED, *DOWNLOADS):
        found.append(_PROJECT_PARAMETER)
    if route.query is None:
        return found, {}
    _, components = _schemas([route.query])
    query = components.pop(route.query.__name__)
    for name, schema in query["properties"].items():
        required = name in query["required"]
        found.append(
            {"name": name, "in": "query", "required": required, "schema": _without_null(schema)}
        )
    return found, components


def _schemas(types: list[Any]) -> tuple[tuple[Schema, ...], Schema]:
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    for component in components.values():
        _complete(component)
        if component.get("type") == "object" and "additionalProperties" not in component:
            # An answer always carries all of its fields; requests forbid unknown ones.
            component["required"] = list(component["properties"])
    return schemas, components


def _complete(schema: Schema) -> None:
    """Say what code generators would otherwise misread, in place.

    An object without properties would hold nothing, and a field with a default would have to be
    sent.
    """
    schema.pop("default", None)
    if schema.get("type") == "object" and "properties" not in schema:
        schema.setdefault("additionalProperties", {})
    parts = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    parts += [schema[key] for key in ("items", "additionalProperties") if schema.get(key)]
    for part in parts:
        _complete(part)


def _without_null(schema: Schema) -> Schema:
    """Return a parameter's schema without the null that a query string cannot express."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with ``--check`` only compare them. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_mlops.server.contract")
    parser.add_argument("--check", action="store_true", help="only say whether they are stale")
    check = parser.parse_args(arguments).check
    stale = [
        (path, text)
        for path, text in files().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path, text in stale:
        if check:
            sys.stderr.write(
                f"{path.name} is stale. Run: python -m jupyter_mlops.server.contract\n"
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
