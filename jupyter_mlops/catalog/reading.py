"""The catalog: what the modules below ``features/`` define, read by their syntax alone.

Nothing is imported or executed, so that it can be read anywhere, also where the modules come from
somebody else.
"""

from __future__ import annotations

import difflib
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..core.exceptions import InvalidInput, NotFound
from ..core.features import Definition, Problem
from .graph import Groups, define
from .hashing import Hashes
from .modules import Module, parse
from .place import Place


@dataclass(frozen=True)
class Catalog:
    """All features of a project."""

    #: By their full names, in the order of groups and lines.
    definitions: Mapping[str, Definition]
    problems: tuple[Problem, ...] = ()

    def find(self, name: str) -> Definition:
        """Return a feature by its full name, or by its own if no other has that.

        Raises `NotFound`, with what could be meant.
        """
        if found := self.definitions.get(name):
            return found
        same = self._short.get(name, ())
        if len(same) == 1:
            return same[0]
        if same:
            names = " or ".join(each.full_name for each in same)
            raise NotFound(f"Several features are called {name}. Say which: {names}.")
        for each in self.problems:
            if name in (each.where, each.where.rpartition(".")[2]):
                raise NotFound(each.line)
        close = difflib.get_close_matches(name, self.definitions, n=1) or [
            each.full_name
            for short in difflib.get_close_matches(name, self._short, n=1)
            for each in self._short[short]
        ]
        meant = f"Did you mean {close[0]}?" if close else "See: jupyter mlops features list"
        raise NotFound(f"There is no feature {name}. {meant}")

    def checked(self, names: Iterable[str]) -> list[Definition]:
        """Return features by their names, each once. Raises `NotFound`, `InvalidInput`."""
        found = {each.full_name: each for each in map(self.find, names)}
        if not found:
            raise InvalidInput("Name at least one feature.", field="features")
        return list(found.values())

    def twins(self, definition: Definition) -> list[str]:
        """Return the full names of other features of the same code."""
        same = self._shapes.get(definition.shape, ())
        return [each for each in same if each != definition.full_name]

    def ancestors(self, definition: Definition) -> list[Definition]:
        """Return the features that one is made from, directly or not, the nearest first."""
        return self._reached(definition, lambda name: self.definitions[name].takes)

    def descendants(self, definition: Definition) -> list[Definition]:
        """Return the features that are made from one, directly or not, the nearest first."""
        return self._reached(definition, lambda name: self._takers.get(name, ()))

    def origins(self, definition: Definition) -> list[str]:
        """Return the names of the sources that a feature comes from, directly or not."""
        every = (definition, *self.ancestors(definition))
        return sorted({name for each in every for name in each.sources})

    def _reached(
        self, definition: Definition, step: Callable[[str], Iterable[str]]
    ) -> list[Definition]:
        found: dict[str, Definition] = {}
        waiting = deque(step(definition.full_name))
        while waiting:
            name = waiting.popleft()
            if name not in found and name in self.definitions:
                found[name] = self.definitions[name]
                waiting += step(name)
        return list(found.values())

    @cached_property
    def _takers(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for each in self.definitions.values():
            for name in each.takes:
                found[name].append(each.full_name)
        return dict(found)

    def group(self, name: str) -> tuple[Definition, ...]:
        """Return the features of a group, in the order of their lines."""
        return self._groups.get(name, ())

    @cached_property
    def _groups(self) -> dict[str, tuple[Definition, ...]]:
        found = defaultdict(list)
        for each in self.definitions.values():
            found[each.group].append(each)
        return {name: tuple(each) for name, each in found.items()}

    @cached_property
    def _short(self) -> dict[str, list[Definition]]:
        found = defaultdict(list)
        for each in self.definitions.values():
            found[each.name].append(each)
        return dict(found)

    @cached_property
    def _shapes(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for each in self.definitions.values():
            found[each.shape].append(each.full_name)
        return dict(found)


@dataclass
class Reader:
    """Reads a catalog, again only if a file was changed. Threads may share it."""

    place: Place
    _parsed: dict[Path, tuple[tuple[int, int], Module | str]] = field(default_factory=dict)
    _state: object = None
    _catalog: Catalog = field(default_factory=lambda: Catalog({}))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Catalog:
        """Return the catalog as it is now."""
        state = self._stats(), tuple(sorted(self.place.sources))
        with self._lock:
            if state != self._state:
                self._catalog = self._read()
                self._state = state
            return self._catalog

    def _stats(self) -> tuple[tuple[Path, int, int], ...]:
        """Return what tells whether a module, or one of the project that it may import, changed."""
        own = self.place.modules.rglob("*.py")
        beside = self.place.root.glob("*.py")
        found = []
        for path in sorted({*own, *beside}):
            try:
                facts = path.stat()
            except OSError:
                continue  # it was removed just now
            found.append((path, facts.st_mtime_ns, facts.st_size))
        return tuple(found)

    def _read(self) -> Catalog:
        modules: Groups = {}
        problems: list[Problem] = []
        for path in modules_in(self.place.modules):
            parsed = self._module(path)
            if isinstance(parsed, str):
                where = self._relative(path)
                problems.append(Problem(where=where, path=where, line=parsed))
                continue
            group = group_of(self.place.modules, path)
            modules[group] = parsed
            problems += (
                Problem(where=f"{group}.{name}", path=self._relative(path), line=line)
                for name, line in parsed.problems
            )
        hashes = Hashes(self.place.root, self.place.modules)
        definitions, further = define(modules, self.place, hashes)
        return Catalog(definitions, (*problems, *further))

    def _module(self, path: Path) -> Module | str:
        """Return a module, or what is wrong with it."""
        facts = path.stat()
        state = facts.st_mtime_ns, facts.st_size
        known = self._parsed.get(path)
        if known is None or known[0] != state:
            try:
                known = state, parse(path)
            except InvalidInput as error:
                known = state, error.message
            self._parsed[path] = known
        return known[1]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.place.root).as_posix()


def read_catalog(place: Place) -> Catalog:
    """Read the features of a project."""
    return Reader(place).read()


def modules_in(folder: Path) -> list[Path]:
    """Return the modules of a folder and those below it, but for private and hidden ones."""
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    ]


def group_of(folder: Path, path: Path) -> str:
    """Return the name of the group that a module defines."""
    return ".".join(path.relative_to(folder).with_suffix("").parts)
