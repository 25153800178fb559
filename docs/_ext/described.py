"""What the product's types say of themselves: fields, their comments, types in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from sphinx.pycode import ModuleAnalyzer

Schema = Mapping[str, Any]


@cache
def field_texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the comment ``#:`` above each field of a class, its parents' fields included."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if issubclass(each, msgspec.Struct) and each is not msgspec.Struct:
            found = ModuleAnalyzer.for_module(each.__module__).find_attr_docs()
            texts |= {
                name: " ".join(lines).strip()
                for (owner, name), lines in found.items()
                if owner == each.__name__
            }
    return texts


def type_in_words(schema: Schema) -> str:
    """Write a type of JSON; types that have a name lead to their description."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(map(type_in_words, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_in_words(schema.get('items') or {})}"
    if schema.get("format") in ("binary", "date-time"):
        return {"binary": "bytes", "date-time": "time"}[schema["format"]]
    return str(schema.get("type", "any value"))


def anchor(name: str) -> str:
    """Return where a named type is described."""
    return f"type-{name.lower()}"
