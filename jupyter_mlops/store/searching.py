"""Searching and sorting runs by parameters, metrics and facts.

All of it lies in our own tables, whichever tracker is used: the parameters from the start, metrics
as they come, and those that plain client code logged from the end of their attempt on. They are
JSON, which both databases read quickly enough, so that no second copy has to be kept in step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..core.run_query import (
    Comparison,
    Condition,
    Every,
    FactType,
    Field,
    Not,
    Some,
    SortKey,
    fields_of,
)
from ..core.runs import Attempt, Run, Status, Sweep
from . import reading
from .base import Database
from .json_values import Expression, JsonValue, reader_for
from .schema import attempts, run_tags, runs, sweeps


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSearch:
    """Which runs, in which order; no limit means all."""

    condition: Condition | None = None
    order: Sequence[SortKey] = ()
    sweep_id: str | None = None
    status: Status | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """A page of runs, and how many there are on all pages."""

    runs: list[Run]
    total: int


_COLUMNS: dict[str, Expression] = {
    "id": runs.c.id,
    "sweep": runs.c.sweep_id,
    "kind": sweeps.c.kind,
    "index": runs.c.index,
    "notebook": runs.c.notebook,
    "experiment": runs.c.experiment,
    "status": runs.c.status,
    "reason": runs.c.reason,
    "error": runs.c.error,
    "environment": runs.c.environment,
    "attempts": runs.c.attempts,
    "duration": runs.c.duration,
    "created": runs.c.created_at,
    "started": runs.c.started_at,
    "finished": runs.c.finished_at,
}
#: Where what has a name lies.
_VALUES: dict[str, Expression] = {
    "params": runs.c.parameters,
    "metrics": runs.c.metrics,
    "tags": run_tags.c.tags,
}
_OPERATORS: dict[str, Callable[[Any, Any], Expression]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
#: What the facts lie in that are not a run's own.
_OF_SWEEP = frozenset({"kind", "stage"})
#: Newest sweep first, each sweep's in their own order.
_DEFAULT_ORDER = (runs.c.created_at.desc(), runs.c.sweep_id, runs.c.index)


class Searching:
    """Finds the project's runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = reader_for(database.engine.dialect)

    def runs(self, search: RunSearch) -> FoundRuns:
        """Find runs. Without an order: newest sweep first, each sweep's in their own order."""
        where = self._where(search)
        source: sa.FromClause = runs
        named = fields_of(search.condition, search.order)
        if any(each.group == "fact" and each.name in _OF_SWEEP for each in named):
            same = sa.and_(sweeps.c.project == runs.c.project, sweeps.c.id == runs.c.sweep_id)
            source = runs.join(sweeps, same)
        if any(each.group == "tags" for each in named):
            tagged = sa.and_(run_tags.c.project == runs.c.project, run_tags.c.run_id == runs.c.id)
            source = source.outerjoin(run_tags, tagged)
        page = (
            sa.select(runs.c.id)
            .select_from(source)
            .where(*where)
            .order_by(*self._order(search.order))
            .limit(search.limit)
            .offset(search.offset)
        )
        counted = sa.select(sa.func.count()).select_from(source).where(*where)
        with self._database.snapshot() as connection:
            ids = [str(row.id) for row in connection.execute(page)]
            full = search.limit is not None and len(ids) == search.limit
            beyond = not ids and search.offset > 0
            total = search.offset + len(ids)
            if full or beyond:
                total = int(connection.scalar(counted) or 0)
            return FoundRuns(self._load(connection, ids), total)

    def sweeps(self, ids: Iterable[str]) -> dict[str, Sweep]:
        """Return sweeps by their ids; unknown ones are left out."""
        found: dict[str, Sweep] = {}
        with self._database.snapshot() as connection:
            for some in _batches(sorted(ids)):
                query = sa.select(sweeps).where(self._database.mine(sweeps), sweeps.c.id.in_(some))
                found |= {row.id: reading.sweep(row) for row in connection.execute(query)}
        return found

    def last_attempts(self, run_ids: Iterable[str]) -> dict[str, Attempt]:
        """Return the last attempts of runs by the runs' ids; those without one are left out."""
        same = sa.and_(attempts.c.project == runs.c.project, attempts.c.run_id == runs.c.id)
        found: dict[str, Attempt] = {}
        with self._database.snapshot() as connection:
            for some in _batches(list(run_ids)):
                query = (
                    sa.select(attempts)
                    .join(runs, sa.and_(same, attempts.c.number == runs.c.attempts))
                    .where(self._database.mine(runs), runs.c.id.in_(some))
                )
                for row in connection.execute(query):
                    found[row.run_id] = reading.attempt(row)
        return found

    def names(self, newest: int) -> tuple[list[str], list[str]]:
        """Return the names of parameters and of metrics that the newest runs have, sorted."""
        query = (
            sa.select(runs.c.parameters, runs.c.metrics)
            .where(self._database.mine(runs))
            .order_by(*_DEFAULT_ORDER)
            .limit(newest)
        )
        parameters: set[str] = set()
        metrics: set[str] = set()
        with self._database.snapshot() as connection:
            for row in connection.execute(query):
                parameters.update(row.parameters)
                metrics.update(row.metrics)
        return sorted(parameters), sorted(metrics)

    def _load(self, connection: sa.Connection, ids: Sequence[str]) -> list[Run]:
        found: dict[str, Run] = {}
        for some in _batches(ids):
            query = sa.select(runs).where(self._database.mine(runs), runs.c.id.in_(some))
            found |= {row.id: reading.run(row) for row in connection.execute(query)}
        return [found[each] for each in ids]

    # -- conditions --------------------------------------------------------------------------------

    def _where(self, search: RunSearch) -> list[Expression]:
        where: list[Expression] = [self._database.mine(runs)]
        if search.sweep_id is not None:
            where.append(runs.c.sweep_id == search.sweep_id)
        if search.status is not None:
            where.append(runs.c.status == search.status)
        if search.condition is not None:
            where.append(self._condition(search.condition))
        return where

    def _condition(self, condition: Condition) -> Expression:
        match condition:
            case Every(parts):
                return sa.and_(*map(self._condition, parts))
            case Some(parts):
                return sa.or_(*map(self._condition, parts))
            case Not(part):
                return sa.not_(self._condition(part))
            case Comparison(field):
                facts = field.group == "fact" and field.name != "stage"
                made = self._fact(condition) if facts else self._value(condition)
                # Nothing is true of what is missing, so that "not" is the opposite.
                return sa.func.coalesce(made, sa.false())

    def _fact(self, comparison: Comparison) -> Expression:
        column, value = _COLUMNS[comparison.field.name], comparison.value
        if value is None:
            missing = column.is_(None)
            return missing if comparison.operator == "=" else sa.not_(missing)
        if isinstance(value, Field):
            return _OPERATORS[comparison.operator](column, self._json(value).number)
        if comparison.operator == "like":
            return _like(column, str(value))
        if comparison.field.type is FactType.TEXT:
            column = self._reader.binary(column)
        if isinstance(value, (int, float)):
            exists = column.is_not(None)
            return _with_number(comparison.operator, column, sa.false(), exists, value)
        return _OPERATORS[comparison.operator](column, value)

    def _value(self, comparison: Comparison) -> Expression:
        """Compare a parameter, a metric or the stage."""
        found, operator, value = self._json(comparison.field), comparison.operator, comparison.value
        match value:
            case None:
                made = sa.not_(found.exists) if operator == "=" else found.exists
            case Field():
                made = _OPERATORS[operator](found.number, self._json(value).number)
            case bool():
                made = _same(operator, found, found.truth == sa.literal(value))
            case int() | float():
                made = _with_number(operator, found.number, found.is_nan, found.exists, value)
            case _ if operator == "like":
                made = _like(found.text, str(value))
            case _ if operator in ("=", "!="):
                made = _same(operator, found, found.text == value)
            case _:
                made = _OPERATORS[operator](self._reader.binary(found.text), value)
        return made

    def _json(self, field: Field) -> JsonValue:
        if field.group == "fact":
            return self._reader.value(sa.type_coerce(sweeps.c.stage, sa.Text), "name")
        column = _VALUES[field.group]
        return self._reader.value(sa.type_coerce(column, sa.Text), field.name)

    # -- order -------------------------------------------------------------------------------------

    def _order(self, keys: Iterable[SortKey]) -> list[Expression]:
        order: list[Expression] = []
        for key in keys:
            if key.field.group == "fact" and key.field.name != "stage":
                column = _COLUMNS[key.field.name]
                order.append(column.is_(None))
                if key.field.type is FactType.TEXT:
                    column = self._reader.binary(column)
                values: tuple[Expression, ...] = (column,)
            else:
                found = self._json(key.field)
                order.append(found.rank)
                values = found.number, found.truth, self._reader.binary(found.text)
            order += [each.desc() if key.descending else each for each in values]
        return [*order, *_DEFAULT_ORDER]


def _with_number(
    operator: str, number: Expression, is_nan: Expression, exists: Expression, value: float
) -> Expression:
    """Compare with a number, which NaN never is but by its name."""
    if value != value:  # noqa: PLR0124  # NaN alone differs from itself
        return {"=": is_nan, "!=": sa.and_(exists, sa.not_(is_nan))}.get(operator, sa.false())
    if operator == "!=":
        return sa.and_(exists, sa.not_(sa.func.coalesce(number == value, sa.false())))
    return _OPERATORS[operator](number, sa.literal(value, sa.Double))


def _same(operator: str, found: JsonValue, equal: Expression) -> Expression:
    """Return whether a value equals another one, or is there and does not."""
    if operator == "=":
        return equal
    return sa.and_(found.exists, sa.not_(sa.func.coalesce(equal, sa.false())))


def _like(text: Expression, pattern: str) -> Expression:
    """Compare with a pattern, in which % stands for any text and _ for any character."""
    return sa.func.lower(text).like(pattern.lower(), escape="\\")


def _batches(ids: Sequence[str], size: int = 1000) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
