"""A directive that writes tables of settings, as the product reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from described import field_texts
from msgspec import inspect

from jupyter_mlops.app.projects import Settings
from jupyter_mlops.app.variables import Variable
from jupyter_mlops.server.extension import MlopsExtension

#: How a type is called in the file.
_WORDS = {
    inspect.StrType: "text",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.AnyType: "value",
    inspect.BoolType: "`true` or `false`",
}


def settings() -> Iterator[str]:
    """Write what ``mlops.toml`` may say, one table for each of its tables."""
    yield "## At the top\n"
    yield from _table(Settings, "")


def server_settings() -> Iterator[str]:
    """Write what ``jupyter_server_config.py`` may say."""
    for name, trait in sorted(MlopsExtension.class_own_traits(config=True).items()):
        place = f"c.{MlopsExtension.__name__}.{name}"
        yield f"[`{place} = {trait.default_value!r}`]{{#{_anchor(place)}}}\n"
        yield f"> {' '.join(trait.help.split())}\n"


def _table(kind: type[msgspec.Struct], path: str) -> Iterator[str]:
    """Write a table of a class's fields, then those of the classes that they are made of."""
    yield "| setting | takes | default | |"
    yield "| --- | --- | --- | --- |"
    texts = field_texts(kind)
    fields = inspect.type_info(kind).fields
    for field in fields:
        place = f"{path}{field.encode_name}"
        name = f"[`{field.encode_name}`]{{#{_anchor(place)}}}"
        text = texts.get(field.name, "")
        yield f"| {name} | {_takes(field.type)} | {_default(field)} | {text} |"
    yield ""
    for field in fields:
        for nested, form in _nested(field.type, f"{path}{field.encode_name}"):
            yield f"## {form}\n"
            yield from _table(nested, f"{form.strip('[]')}.")


def _anchor(place: str) -> str:
    return f"setting-{place.replace('.', '-').lower()}"


def _takes(kind: inspect.Type) -> str:
    """Write what a setting may be."""
    match kind:
        case inspect.Metadata(type=inner):
            words = _takes(inner)
        case inspect.UnionType(types=types):
            given = (each for each in types if not isinstance(each, inspect.NoneType))
            words = " or ".join(map(_takes, given))
        case inspect.VarTupleType(item_type=item):
            words = f"list of {_takes(item)}"
        case inspect.DictType(value_type=value):
            words = f"by name: {_takes(value)}"
        case inspect.LiteralType(values=values):
            words = " or ".join(f'`"{each}"`' for each in values)
        case inspect.EnumType(cls=cls):
            words = " or ".join(f'`"{each.value}"`' for each in cls)
        case inspect.StructType(cls=cls):
            words = '`{ env = "VARIABLE" }`' if cls is Variable else "table"
        case _:
            words = _WORDS[type(kind)]
    return words


def _nested(kind: inspect.Type, path: str) -> Iterator[tuple[type[msgspec.Struct], str]]:
    """Yield the classes that a setting is made of, and how TOML names their tables."""
    match kind:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _nested(each, path)
        case inspect.StructType(cls=cls) if cls is not Variable:
            yield cls, f"[{path}]"
        case inspect.VarTupleType(item_type=inspect.StructType(cls=cls)):
            yield cls, f"[[{path}]]"
        case inspect.DictType(value_type=inspect.StructType(cls=cls)):
            yield cls, f"[{path}.NAME]"


def _default(field: inspect.Field) -> str:
    default: Any = field.default
    if default in (None, msgspec.NODEFAULT, "", {}):
        return ""
    return f"`{msgspec.json.encode(default).decode()}`"
