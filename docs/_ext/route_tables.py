"""What the server answers and tells, as its contract describes it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from described import Schema, anchor, field_texts, type_in_words

from jupyter_mlops.app import messages
from jupyter_mlops.app.operation import Operation
from jupyter_mlops.app.operations import DOWNLOADS
from jupyter_mlops.server import contract
from jupyter_mlops.server.events import SCHEMA_ID, ChangeEvent
from jupyter_mlops.server.handlers.endpoints import ROUTES as ENDPOINT_ROUTES
from jupyter_mlops.server.routes import API, ENDPOINTS, ROUTES


def routes() -> Iterator[str]:
    """Write what the server answers, by the first word of the path."""
    paths = contract.openapi()["paths"]
    for area, found in groupby(sorted((*ROUTES, *DOWNLOADS), key=_place), key=_area):
        yield f"## {area}\n"
        for route in found:
            yield from _route(route, paths[route.path][route.method.lower()])
    yield "## models that are served\n"
    for name, method in ENDPOINT_ROUTES.items():
        yield f"### {method} /{ENDPOINTS}/{{name}}/{name}\n"
        yield "As MLflow's scoring server answers. Action: `execute`.\n"


def types() -> Iterator[str]:
    """Write what bodies and answers are made of."""
    for name, schema in sorted(contract.openapi()["components"]["schemas"].items()):
        yield f"({anchor(name)})="
        yield f"### {name}\n"
        if "enum" in schema:
            yield f"{type_in_words(schema)}.\n"
            continue
        yield f"{schema.get('description', '')}\n"
        kind = getattr(messages, name, None)
        yield from _fields(schema, field_texts(kind) if kind is not None else {})


def event() -> Iterator[str]:
    """Write what is told through Jupyter's event socket."""
    schema = contract.event_schema()
    yield f"Schema: `{SCHEMA_ID}`.\n"
    yield f"{schema['description']}\n"
    yield from _fields(schema, field_texts(ChangeEvent))


def _place(route: Operation[Any]) -> tuple[str, str, str]:
    return _area(route), route.path, route.method


def _area(route: Operation[Any]) -> str:
    return route.path.split("/")[1]


def _route(route: Operation[Any], described: Schema) -> Iterator[str]:
    yield f"(route-{route.name})="
    yield f"### {route.method} /{API}{route.path}\n"
    yield f"{route.summary}. Action: `{route.action}`.\n"
    texts = field_texts(route.query) if route.query is not None else {}
    for each in described["parameters"]:
        text = each.get("description") or texts.get(each["name"], "")
        yield _line(each["name"], each["schema"], text, f"in the {each['in']}", each["required"])
    body = described.get("requestBody")
    if body is not None:
        yield f"- body: {type_in_words(_content(body))}"
    yield f"- answer: {type_in_words(_content(described['responses']['200']))}\n"


def _content(part: Schema) -> Schema:
    (found,) = part["content"].values()
    return dict(found["schema"])


def _fields(schema: Schema, texts: dict[str, str]) -> Iterator[str]:
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        yield _line(name, each, texts.get(name, ""), "", name in required)
    yield ""


def _line(name: str, schema: Schema, text: str, where: str, required: bool) -> str:
    facts = [where, type_in_words(schema), "" if required else "optional"]
    return f"- `{name}`: {', '.join(filter(None, facts))}. {text}".rstrip()
