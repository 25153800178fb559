"""What each cell of a notebook reads and writes, in the terms of the cells before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .dataflow import Change, Flow, Late, is_builtin, root_of

#: What all code may depend on, and what it is called.
AMBIENT: Mapping[str, str] = {
    ":os.chdir": "the working folder",
    ":os.environ": "os.environ",
    ":sys.path": "sys.path",
}
#: What of that a process has for itself, so that no kernel takes it over; and what to do instead.
PRIVATE: Mapping[str, str] = {
    ":os.chdir": "Use paths from the notebook's folder, or do that behind the shared cells.",
    ":os.environ": "Put variables into the project's .env, or set them behind the shared cells.",
}
#: Modules whose functions change nothing that later code could see.
_STATELESS = frozenset(
    [
        *("csv", "gc", "glob", "io", "json", "math", "os", "pathlib", "pickle", "pprint"),
        *("shutil", "subprocess", "time"),
    ]
)
#: Stands for names whose origin is not known, as those of ``import *``.
UNKNOWN = "*"


@dataclass(slots=True)
class Access:
    """What a cell reads and writes.

    A key is a name of the notebook, or behind a colon what it reads or changes of a module:
    ``df``, ``:numpy.random.rand``.
    """

    reads: set[str] = field(default_factory=set)
    #: What it binds, but for imports, or changes.
    writes: set[str] = field(default_factory=set)
    #: Names that it imports and that meant nothing else before.
    imports: set[str] = field(default_factory=set)


class Reader:
    """Takes the cells of a notebook in order."""

    def __init__(self, given: Iterable[str]) -> None:
        """``given`` are names that have values from the start."""
        self._bound = set(given)
        #: What imported names stand for.
        self._modules: dict[str, str] = {}
        #: Those of cells that are settled.
        self._settled: dict[str, str] = {}
        self._late: dict[str, Late] = {}
        #: Names that some function reads when it is called.
        self.late_reads: set[str] = set()

    def take(self, flow: Flow) -> Access:
        """Return what the next cell does."""
        self._late.update(flow.late)
        modules = self._modules | flow.imports
        loaded = {root_of(path) for path in flow.paths}
        used = self._used(loaded)
        changes = flow.changes | {change for each in used for change in each.changes}
        paths = flow.paths | {path for each in used for path in each.reads}
        names = flow.reads | {root_of(path) for each in used for path in each.reads}
        access = Access()
        access.reads = {each for name in names for each in self._of_name(name)}
        access.reads |= {key for path in paths for key in _of_module(path, modules)}
        access.reads |= AMBIENT.keys()
        access.writes = flow.assigns | {k for each in changes for k in _changed(each, modules)}
        access.writes |= {name for function, name in flow.passes if function in self._late}
        if flow.binds_unknown:
            access.writes.add(UNKNOWN)
        access.imports = {
            name
            for name, origin in flow.imports.items()
            if name not in flow.assigns and self._settled.get(name) != origin
        }
        for name in flow.assigns:
            modules.pop(name, None)
            self._settled.pop(name, None)
        self._modules = modules
        self._bound |= flow.assigns | flow.imports.keys()
        self.late_reads |= {root_of(path) for each in flow.late.values() for path in each.reads}
        return access

    def settle(self, flow: Flow) -> None:
        """Let what that cell imports mean nothing new when it is imported again."""
        self._settled.update(flow.imports)

    def _of_name(self, name: str) -> Iterator[str]:
        if name in self._bound:
            yield name
        elif not is_builtin(name):
            yield from (name, UNKNOWN)

    def _used(self, names: set[str]) -> list[Late]:
        """Return what the functions among the names do, and those that they use in turn."""
        seen: dict[str, Late] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in self._late and name not in seen:
                seen[name] = self._late[name]
                pending += (root_of(path) for path in seen[name].reads)
        return list(seen.values())


def _of_module(path: str, modules: Mapping[str, str]) -> Iterator[str]:
    root = root_of(path)
    if root in modules:
        yield f":{modules[root]}{path[len(root) :]}"


def _changed(change: Change, modules: Mapping[str, str]) -> Iterator[str]:
    """Yield what a change is about: a name, or a part of a module."""
    root = root_of(change.path)
    if root not in modules and f":{change.path}" not in AMBIENT:
        yield root
        return
    key = f":{modules.get(root, root)}{change.path[len(root) :]}".replace("os.putenv", "os.environ")
    ambient = next((each for each in AMBIENT if f"{key}.".startswith(f"{each}.")), None)
    if ambient is not None:
        yield ambient
    elif not change.called:
        yield key
    elif root_of(key[1:]) not in _STATELESS:
        yield key.rpartition(".")[0] or key


class Index:
    """Which cells have to do with a key."""

    def __init__(self, keys: Iterable[Iterable[str]]) -> None:
        """Take the keys of all cells, in their order."""
        self._places: dict[str, list[tuple[int, str]]] = {}
        for cell, own in enumerate(keys):
            for key in own:
                self._places.setdefault(_group(key), []).append((cell, key))

    def find(self, keys: Iterable[str]) -> dict[int, set[str]]:
        """Return by cell which keys are about the same there, or about a part or the whole."""
        found: dict[int, set[str]] = {}
        for key in keys:
            for cell, other in self._places.get(_group(key), ()):
                if related(key, other):
                    found.setdefault(cell, set()).add(min(key, other, key=len))
        return found


def _group(key: str) -> str:
    return root_of(key) if key.startswith(":") else key


def related(one: str, other: str) -> bool:
    """Whether two keys are about the same, or one is about a part of the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
