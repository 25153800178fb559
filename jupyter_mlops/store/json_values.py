"""Parameters and metrics as SQL sees them: what a JSON object holds under a name.

Each database has its own functions for it. What is not finite is kept as `core.values` encodes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

Expression = sa.ColumnElement[Any]

_NAN, _INF, _MINUS_INF = ('{"$float":"nan"}', '{"$float":"inf"}', '{"$float":"-inf"}')
#: Names that a path of SQLite's can hold the same way in all its versions.
_PLAIN_KEY = re.compile(r"[\w ./:@+*()-]+", re.ASCII)
#: Whole numbers from here on are infinite as a double.
_LARGEST = "1.7976931348623157e308"


@dataclass(frozen=True, slots=True)
class JsonValue:
    """One value of each row. What does not apply to a row is NULL there."""

    #: A number, infinity included.
    number: Expression
    text: Expression
    truth: Expression
    #: Never NULL: whether it is NaN, and whether it is there and not null.
    is_nan: Expression
    exists: Expression
    #: Numbers first, then texts, then all else, NaN next to last, last what is missing.
    rank: Expression


class JsonReader(Protocol):
    """Finds a value by its name in a column of JSON objects."""

    def value(self, column: Expression, key: str) -> JsonValue:
        """Return the expressions of a value."""
        ...

    def binary(self, text: Expression) -> Expression:
        """Return a text that is compared character by character, whatever the language is."""
        ...


def reader_for(dialect: sa.Dialect) -> JsonReader:
    """Return the reader for a kind of database."""
    return _PostgresReader() if dialect.name == "postgresql" else _SqliteReader()


class _SqliteReader:
    def value(self, column: Expression, key: str) -> JsonValue:
        kind, value = self._typed(column, key)
        is_object = kind == "object"
        return JsonValue(
            number=sa.case(
                (kind.in_(("real", "integer")), value),
                (sa.and_(is_object, value == _INF), sa.literal_column("9e999")),
                (sa.and_(is_object, value == _MINUS_INF), sa.literal_column("-9e999")),
            ),
            text=sa.case((kind == "text", value)),
            truth=sa.case((kind == "true", sa.true()), (kind == "false", sa.false())),
            is_nan=sa.func.coalesce(sa.and_(is_object, value == _NAN), sa.false()),
            exists=sa.func.coalesce(kind != "null", sa.false()),
            rank=sa.case(
                (kind.in_(("real", "integer")), 0),
                (sa.and_(is_object, value.in_((_INF, _MINUS_INF))), 0),
                (kind == "text", 1),
                (sa.and_(is_object, value == _NAN), 3),
                (kind != "null", 2),
                else_=4,
            ),
        )

    def _typed(self, column: Expression, key: str) -> tuple[Expression, Expression]:
        if _PLAIN_KEY.fullmatch(key):
            path = f'$."{key}"'
            return sa.func.json_type(column, path), sa.func.json_extract(column, path)
        # Whether a path's name may be escaped depends on the version.
        each = sa.func.json_each(column).table_valued("key", "type", "value")
        found = sa.select(each.c.type).where(each.c.key == key).limit(1)
        value = sa.select(each.c.value).where(each.c.key == key).limit(1)
        return found.scalar_subquery(), value.scalar_subquery()

    def binary(self, text: Expression) -> Expression:
        return text


class _PostgresReader:
    def value(self, column: Expression, key: str) -> JsonValue:
        # A NUL, which a text of PostgreSQL cannot hold, would make the whole search fail.
        clean = sa.func.replace(column, "\\u0000", "\\ufffd")
        whole = sa.cast(clean, JSONB)
        found = whole.op("->", return_type=JSONB())(key)
        written = whole.op("->>", return_type=sa.Text())(key)
        kind = sa.func.jsonb_typeof(found)
        special = sa.case((kind == "object", found.op("->>", return_type=sa.Text())("$float")))
        exact = sa.cast(found, sa.Numeric)
        fits = sa.func.abs(exact) <= sa.literal_column(_LARGEST)
        infinity: Expression = sa.literal_column("'Infinity'::float8")
        return JsonValue(
            number=sa.case(
                (
                    kind == "number",
                    sa.case(
                        (fits, sa.cast(exact, sa.Double)),
                        (exact > 0, infinity),
                        else_=-infinity,
                    ),
                ),
                (special == "inf", infinity),
                (special == "-inf", -infinity),
            ),
            text=sa.case((kind == "string", written)),
            truth=sa.case((kind == "boolean", sa.cast(written, sa.Boolean))),
            is_nan=sa.func.coalesce(special == "nan", sa.false()),
            exists=sa.func.coalesce(kind != "null", sa.false()),
            rank=sa.case(
                (kind == "number", 0),
                (special.in_(("inf", "-inf")), 0),
                (kind == "string", 1),
                (special == "nan", 3),
                (kind != "null", 2),
                else_=4,
            ),
        )

    def binary(self, text: Expression) -> Expression:
        return sa.collate(text, "C")
