"""Groups of features as Hamilton's graphs, and what their functions return."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidInput
from ..core.features import Definition, FeatureFailed
from .adapters import Adapter, lent
from .importing import load, project_modules
from .place import Place
from .quiet import in_one_line, quiet, watch
from .reading import Catalog
from .shapes import in_pandas

if TYPE_CHECKING:
    import pandas as pd
    from hamilton.driver import Driver

#: Groups that are kept built.
_KEPT = 64
_built: OrderedDict[tuple[object, ...], Group] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Value:
    """What the function of a feature returned."""

    definition: Definition
    result: Any
    #: The tables that it was made from, the nearest first.
    frames: Mapping[str, pd.DataFrame]
    #: What checks had to say that do not refuse.
    warnings: tuple[str, ...] = ()
    #: Why there is none.
    failure: FeatureFailed | None = None


@dataclass(slots=True)
class Group:
    """The graph of one module's functions."""

    name: str
    path: Path
    driver: Driver
    #: What runs the functions; None is for pandas.
    adapter: Adapter | None = None
    _needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _inner: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def needs(self, name: str) -> tuple[str, ...]:
        """Return the names that a function needs from outside of its module, directly or not."""
        if name not in self._needs:
            self._follow(name)
        return self._needs[name]

    def inner(self, name: str) -> tuple[str, ...]:
        """Return the nodes of the module that a function is made from, the nearest first."""
        if name not in self._inner:
            self._follow(name)
        return self._inner[name]

    def execute(
        self, definition: Definition, wanted: Sequence[str], inputs: Mapping[str, Any], **known: Any
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the values of nodes, and the warnings of checks. Raises `FeatureFailed`."""
        with quiet() as warnings:
            try:
                found = self.driver.execute(list(wanted), inputs=dict(inputs), overrides=known)
            except Exception as error:  # whatever a user's function does
                failure = self._failed(definition, error)
                traceback.clear_frames(error.__traceback__)  # which hold tables
                raise failure from error
        return found, tuple(warnings)

    def _follow(self, name: str) -> None:
        """Walk from a node to all that it needs, level by level."""
        nodes = self.driver.graph.nodes
        if name not in nodes:
            raise FeatureFailed(f"{self.name}.{name} is no function that Hamilton finds there.")
        outer: dict[str, None] = {}
        inner: dict[str, None] = {}
        pending = [nodes[name]]
        for node in pending:
            for each in node.dependencies:
                known = outer if each.user_defined else inner
                if each.name not in known:
                    known[each.name] = None
                    pending.append(each)
        optional = {each for each in outer if self._is_optional(each)}
        self._needs[name] = tuple(each for each in outer if each not in optional)
        self._inner[name] = tuple(inner)

    def _is_optional(self, name: str) -> bool:
        from hamilton.node import DependencyType

        users = self.driver.graph.nodes[name].depended_on_by
        kinds = [user.input_types[name][1] for user in users if name in user.input_types]
        return bool(kinds) and all(each is DependencyType.OPTIONAL for each in kinds)

    def _failed(self, definition: Definition, error: Exception) -> FeatureFailed:
        from hamilton.data_quality.base import DataValidationError

        name = definition.full_name
        if isinstance(error, DataValidationError):
            return FeatureFailed(f"{name}: a check failed: {_told_by_check(error)}")
        frames = traceback.extract_tb(error.__traceback__)
        lines = [each.lineno for each in frames if each.filename == str(self.path)]
        where = f" ({self.path.name}, line {lines[-1]})" if lines else ""
        reason = " ".join(str(error).split())
        what = type(error).__name__ + (f": {reason}" if reason else "")
        return FeatureFailed(f"{name} failed: {what}{where}")


def group_of(place: Place, catalog: Catalog, name: str, adapter: Adapter | None = None) -> Group:
    """Return the graph of a group, built once for the same code. Raises `FeatureFailed`."""
    members = catalog.group(name)
    path = place.root / members[0].path
    if adapter is not None:
        return Group(name, path, _driver(place, name, path, adapter), adapter)
    key = (str(place.root), name, *(each.code_hash for each in members))
    if key in _built:
        _built.move_to_end(key)
        return _built[key]
    built = Group(name, path, _driver(place, name, path))
    _built[key] = built
    while len(_built) > _KEPT:
        _built.popitem(last=False)
    return built


def compute_values(
    group: Group, definitions: Sequence[Definition], inputs: Mapping[str, Any]
) -> Iterator[Value]:
    """Yield what the features of a group return, one after the other.

    What several of them are made from is computed once, and kept no longer than it is needed.
    ``inputs`` are sources and stored features, by the names of arguments; those that no further
    feature needs are let go of, if nobody else holds them.
    """
    if group.adapter is not None:
        yield from _together(group, group.adapter, definitions, inputs)
        return
    left = dict(inputs)
    del inputs  # so that what nobody needs any more is let go of
    shared: dict[str, Any] = {}
    for place, definition in enumerate(definitions):
        later = definitions[place + 1 :]
        inner = group.inner(definition.name)
        given = {each: lent(left[each]) for each in group.needs(definition.name)}
        further = {each for other in later for each in (*group.inner(other.name), other.name)}
        tables = [each for each in inner if _is_table(group, each)]
        kept = [each for each in (*inner, definition.name) if each in further]
        known = {each: lent(shared[each]) for each in (*inner, definition.name) if each in shared}
        wanted = list(dict.fromkeys([definition.name, *tables, *kept]))
        try:
            found, warnings = group.execute(definition, wanted, given, **known)
        except FeatureFailed as error:
            yield Value(definition, None, {}, failure=error)
            continue
        finally:
            # Not before: as long as they are held here, what a function changes is a copy.
            outer = {each for other in later for each in group.needs(other.name)}
            left = {each: value for each, value in left.items() if each in outer}
        frames = _only_tables({**{name: found[name] for name in tables}, **given})
        shared = {each: value for each, value in {**shared, **found}.items() if each in further}
        yield Value(definition, found[definition.name], frames, warnings)
        del found, frames, given, known  # while the next one is computed


def _together(
    group: Group, adapter: Adapter, definitions: Sequence[Definition], inputs: Mapping[str, Any]
) -> Iterator[Value]:
    """Have an engine compute features at once; if one fails, one by one, to tell which."""
    given = {name: adapter.give(value) for name, value in inputs.items()}
    tables = {
        each.name: [name for name in group.inner(each.name) if _is_table(group, name)]
        for each in definitions
    }
    try:
        every = [*tables, *(name for names in tables.values() for name in names)]
        found, warnings = group.execute(definitions[0], list(dict.fromkeys(every)), given)
    except FeatureFailed:
        found, warnings = {}, ()
    for each in definitions:
        own, said = found, warnings
        if not found:
            try:
                own, said = group.execute(each, [each.name, *tables[each.name]], given)
            except FeatureFailed as error:
                yield Value(each, None, {}, failure=error)
                continue
        frames = {name: in_pandas(own[name]) for name in tables[each.name]}
        frames |= {name: inputs[name] for name in group.needs(each.name)}
        yield Value(each, in_pandas(own[each.name]), _only_tables(frames), said)


def _only_tables(frames: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    return {name: each for name, each in frames.items() if isinstance(each, pd.DataFrame)}


def on_demand(
    place: Place, catalog: Catalog, names: Iterable[str], frame: pd.DataFrame
) -> pd.DataFrame:
    """Compute features that depend on the request, row by row of ``frame``.

    It has the request's columns, and the values of stored features that these are made from, each
    called by its full name or its own. Returned are columns called by their full names, with the
    same index. Raises `InvalidInput` if a column is missing, and `FeatureFailed`.
    """
    import pandas as pd

    definitions = catalog.checked(names)
    found: dict[str, pd.Series[Any]] = {}
    for group in dict.fromkeys(each.group for each in definitions):
        own = [each for each in definitions if each.group == group]
        graph = group_of(place, catalog, group)
        values = _answers(graph, own, *_given(catalog, own, frame))
        for each in own:
            found[each.full_name] = _fitting(each, values[each.name], frame)
    columns = [each.full_name for each in definitions]
    return pd.DataFrame(found, index=frame.index, columns=columns)


def _given(
    catalog: Catalog, definitions: Sequence[Definition], frame: pd.DataFrame
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the functions get from outside, and the stored values of functions beside."""
    inputs: dict[str, Any] = {}
    known: dict[str, Any] = {}
    for definition in definitions:
        for name in definition.request:
            inputs[name] = _column(definition, frame, name, None)
        for name, full in _stored_inputs(definition, catalog).items():
            beside = full == f"{definition.group}.{name}"
            (known if beside else inputs)[name] = _column(definition, frame, name, full)
    return inputs, known


def _answers(
    group: Group,
    definitions: Sequence[Definition],
    inputs: Mapping[str, Any],
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """Compute features at once; if one fails, one by one, to tell which."""
    try:
        found, _ = group.execute(
            definitions[0], [each.name for each in definitions], inputs, **known
        )
    except FeatureFailed:
        found = {}
        for each in definitions:
            found |= group.execute(each, [each.name], inputs, **known)[0]
    return found


def _stored_inputs(definition: Definition, catalog: Catalog) -> dict[str, str]:
    """Return the full names of the stored features that one on demand needs, by their own."""
    return {
        name.rpartition(".")[2]: name
        for name in definition.upstream
        if not catalog.definitions[name].on_demand
    }


def _column(
    definition: Definition, frame: pd.DataFrame, name: str, full: str | None
) -> pd.Series[Any]:
    for each in (full, name):
        if each is not None and each in frame.columns:
            column: pd.Series[Any] = frame[each]
            return column.rename(name)
    what = f"values of {full}" if full else f"a column {name}"
    raise InvalidInput(f"{definition.full_name} needs {what} in the request.", field=name)


def _fitting(definition: Definition, value: Any, frame: pd.DataFrame) -> pd.Series[Any]:
    """Return values as a column of the request. Raises `FeatureFailed`."""
    import pandas as pd

    if not isinstance(value, pd.Series):
        try:
            return pd.Series(value, index=frame.index)
        except (TypeError, ValueError) as error:
            raise FeatureFailed(
                f"{definition.full_name} returned {type(value).__name__} for {len(frame)} rows. "
                "Return a Series with the index of its arguments."
            ) from error
    if not value.index.equals(frame.index):
        raise FeatureFailed(
            f"{definition.full_name} returned {len(value)} values that are not those of its "
            f"{len(frame)} rows. Return a Series with the index of its arguments."
        )
    return value


def _driver(place: Place, name: str, path: Path, adapter: Adapter | None = None) -> Driver:
    module = load(place, name, path)  # which says what Hamilton is to import
    from hamilton import driver

    from .leniency import ColumnOfTable, Forgetting

    watch()
    try:
        with quiet():
            builder = driver.Builder().with_modules(module)
            if adapter is None:
                built = builder.with_adapters(ColumnOfTable()).build()
                built.graph_executor = Forgetting()
                return built
            for each in (module, *project_modules(place)):
                adapter.send(each)
            return builder.with_adapters(adapter.hamilton).build()
    except Exception as error:  # Hamilton raises all sorts for what it cannot build
        reason = " ".join(str(error).split())
        raise FeatureFailed(f"{name}: Hamilton cannot make a graph of it: {reason}") from error


def _is_table(group: Group, name: str) -> bool:
    import pandas as pd

    kind = group.driver.graph.nodes[name].type
    return isinstance(kind, type) and issubclass(kind, pd.DataFrame)


def _told_by_check(error: Exception) -> str:
    """Return what checks said, in one line."""
    parts = error.args[0] if error.args and isinstance(error.args[0], list) else [str(error)]
    return "; ".join(in_one_line(str(each)) for each in parts)
