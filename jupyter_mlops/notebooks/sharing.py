"""Which cells of a notebook can be executed once for all runs of a sweep, and which cannot.

The check reads the cells' text: a cell whose text does not depend on parameters, directly or
through other cells, does the same in every run, so that one execution serves all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..core.exceptions import InvalidInput
from .accesses import AMBIENT, PRIVATE, UNKNOWN, Access, Index, Reader, related
from .dataflow import Flow, flow_of
from .magics import NotReadable, translate
from .parameters import source_of, tags_of
from .sources import NOT_PYTHON

#: The tag of cells that are executed once.
TAG = "shared"
#: Names that are named in a message.
_NAMED = 3


class State(StrEnum):
    """What a cell is to the runs of a sweep."""

    #: It declares the parameters, or holds injected ones.
    PARAMETERS = "parameters"
    #: It is tagged, or one that is tagged needs it: it is executed once.
    SHARED = "shared"
    #: It is tagged but cannot be shared.
    REFUSED = "refused"
    #: It does not depend on parameters and could be tagged.
    FREE = "free"
    #: It depends on parameters.
    DEPENDENT = "dependent"
    #: It does not depend on parameters, but has to be executed in every run.
    UNFIT = "unfit"


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeCell:
    """A code cell as it stands in the notebook."""

    source: str
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class CellSharing:
    """What is known of one code cell."""

    #: Its position among the code cells, from 0.
    index: int
    state: State
    tagged: bool
    #: For a refused cell the sentences that say so; for others the end of "cell 4 …", or nothing.
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharing:
    """What is known of all code cells, in their order."""

    cells: tuple[CellSharing, ...]

    @property
    def shared(self) -> tuple[int, ...]:
        """Positions of the cells that are executed once, among the code cells from 0."""
        return tuple(each.index for each in self.cells if each.state is State.SHARED)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why tagged cells cannot be shared; what to do about it stands there too."""
        return tuple(each.why for each in self.cells if each.state is State.REFUSED)


def code_cells(cells: Iterable[Mapping[str, Any]]) -> list[CodeCell]:
    """Return the code cells among the cells of a notebook's JSON."""
    return [
        CodeCell(source=source_of(cell), tags=frozenset(map(str, tags_of(cell))))
        for cell in cells
        if cell.get("cell_type") == "code"
    ]


def check_shared(
    cells: Sequence[CodeCell], given: Iterable[str] = (), *, is_python: bool = True
) -> tuple[int, ...]:
    """Return the positions of the cells that are executed once for all runs of a sweep.

    They are those that are tagged, and those that these need. Raises `InvalidInput` if one that is
    tagged cannot be shared.
    """
    tagged = [index for index, cell in enumerate(cells) if TAG in cell.tags]
    if not tagged:
        return ()
    if not is_python:
        raise InvalidInput(
            f"Cell {tagged[0] + 1} is tagged {TAG}, but only cells of Python notebooks can be "
            "shared. Remove the tag."
        )
    found = analyse(cells, given)
    if found.refusals:
        raise InvalidInput(found.refusals[0])
    return found.shared


def analyse(cells: Sequence[CodeCell], given: Iterable[str] = ()) -> Sharing:
    """Tell which cells are shared, which could be, and what stands in the way of the others.

    ``given`` are parameters that a sweep sets, whether or not the parameters cell declares them.
    """
    return _Analysis(cells, given).result()


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a cell cannot be shared: the end of "cell 4 …", and what to do."""

    what: str
    advice: str = "Remove the tag."


@dataclass(frozen=True, slots=True)
class _Taint:
    """The parameters that something depends on, and through which names of which cells."""

    parameters: frozenset[str]
    steps: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Relations:
    """What a cell has to do with others: keys by their positions."""

    #: Those before it among them.
    others: list[int]
    #: What it needs of them, what it changes of what they read, and what they bind as well.
    needed: dict[int, set[str]]
    used: dict[int, set[str]]
    bound: dict[int, set[str]]


class _Analysis:
    def __init__(self, cells: Sequence[CodeCell], given: Iterable[str]) -> None:
        self._cells = cells
        #: By cell, why it has to be executed in every run although it depends on no parameter.
        self._obstacles: dict[int, _Obstacle] = {}
        self._flows = [self._flow(index, cell) for index, cell in enumerate(cells)]
        self._declaring = {i for i, cell in enumerate(cells) if _declares(cell)}
        self._parameters = set(given)
        for index in self._declaring:
            self._parameters |= self._flows[index].assigns
        self._accesses: list[Access] = []
        self._taints: dict[int, _Taint] = {}
        self._late_reads: set[str] = set()
        self._trace()
        self._readers = Index(each.reads for each in self._accesses)
        self._writers = Index(each.writes for each in self._accesses)
        self._importers = Index(each.imports for each in self._accesses)
        self._relations: dict[int, _Relations] = {}

    def _flow(self, index: int, cell: CodeCell) -> Flow:
        if "skip-execution" in cell.tags:
            self._obstacles[index] = _Obstacle(
                "is tagged skip-execution", "Remove one of the tags."
            )
            return Flow()
        try:
            program = translate(cell.source)
            flow = flow_of(program.body)
        except NotReadable as error:
            self._obstacles[index] = _Obstacle(str(error))
            return Flow()
        except NOT_PYTHON as error:
            self._obstacles[index] = _Obstacle(f"cannot be read ({error})")
            return Flow()
        own = [*program.shells_own, *({"get_ipython"} & flow.reads)]
        if own:
            self._obstacles[index] = _Obstacle(
                f"uses {own[0]}, which each kernel needs for itself",
                "Move that to a cell of its own.",
            )
        return flow

    # -- what depends on parameters ----------------------------------------------------------------

    def _trace(self) -> None:
        """Follow the parameters through the cells."""
        tainted = {name: _Taint(frozenset([name])) for name in self._parameters}
        reader = Reader(self._parameters)
        for index, flow in enumerate(self._flows):
            access = reader.take(flow)
            self._accesses.append(access)
            if index in self._declaring:
                # What the parameters cell imports is not there either before it was executed.
                tainted |= {name: _Taint(frozenset([name])) for name in access.imports}
                continue
            found = [
                taint
                for key, taint in sorted(tainted.items())
                if any(related(key, each) for each in access.reads)
            ]
            if found:
                self._taints[index] = taint = _merged(found)
                for key in sorted(access.writes | access.imports):
                    steps = (*taint.steps, (_shown(key), index))
                    tainted[key] = _Taint(taint.parameters, steps)
            else:
                reader.settle(flow)
                self._settle(index, tainted)
            if obstacle := _obstacle_in(access):
                self._obstacles.setdefault(index, obstacle)
        self._late_reads = reader.late_reads

    def _settle(self, index: int, tainted: dict[str, _Taint]) -> None:
        """Let names be independent that an independent cell imports as others did before it."""
        for name in self._accesses[index].imports:
            tainted.pop(name, None)
            for other in self._taints:
                if self._flows[other].imports.get(name) == self._flows[index].imports[name]:
                    self._accesses[other].imports.discard(name)

    def _dependence(self, taint: _Taint) -> str:
        """Write the end of "cell 4 …": on what it depends."""
        parameters = sorted(taint.parameters & self._parameters)
        if parameters:
            noun = "the parameter" if len(parameters) == 1 else "the parameters"
            what = f"depends on {noun} {_listed(parameters)}"
        else:
            imported = sorted(taint.parameters)
            what = f"depends on {_listed(imported)}, which the parameters cell imports,"
        steps = [f"{name} (cell {index + 1})" for name, index in taint.steps[-_NAMED:]]
        return f"{what} through {_listed(steps)}" if steps else what.rstrip(",")

    # -- what is shared ----------------------------------------------------------------------------

    def result(self) -> Sharing:
        tagged = {index for index, cell in enumerate(self._cells) if TAG in cell.tags}
        refused: dict[int, str] = {}
        for index in sorted(tagged):
            obstacle = self._obstacle(index) or self._needed({index})[1]
            if obstacle is not None:
                what = f"Cell {index + 1} is tagged {TAG} but {obstacle.what}."
                refused[index] = f"{what} {obstacle.advice}"
        shared, _ = self._needed(tagged - refused.keys())
        cells = []
        for index in range(len(self._cells)):
            state, why = State.REFUSED, refused.get(index, "")
            if not why:
                state, why = self._judge(index, shared)
            cells.append(CellSharing(index=index, state=state, tagged=index in tagged, why=why))
        return Sharing(cells=tuple(cells))

    def _judge(self, index: int, shared: dict[int, int]) -> tuple[State, str]:
        if index in shared:
            by = shared[index]
            return State.SHARED, f"is shared too, since cell {by + 1} needs it" * (by != index)
        if index in self._declaring:
            return State.PARAMETERS, ""
        if index in self._taints:
            return State.DEPENDENT, self._dependence(self._taints[index])
        obstacle = self._obstacle(index) or self._needed({*shared, index})[1]
        return (State.UNFIT, obstacle.what) if obstacle is not None else (State.FREE, "")

    def _obstacle(self, index: int) -> _Obstacle | None:
        if index in self._declaring:
            return _Obstacle("is the parameters cell")
        if index in self._taints:
            advice = "Remove the tag, or the dependency."
            return _Obstacle(self._dependence(self._taints[index]), advice)
        return self._obstacles.get(index)

    def _needed(self, chosen: set[int]) -> tuple[dict[int, int], _Obstacle | None]:
        """Return what has to be shared with some cells, each with the one of them that needs it.

        The shared cells are executed before all others, so that they need what comes before them
        and what would else see what they change. With that comes what stands in the way.
        """
        found = {index: index for index in chosen}
        pending = sorted(chosen)
        while pending:
            member = pending.pop()
            relations = self._relations_of(member)
            for other in relations.others:
                link = None if other in found else self._link(other, member, found)
                if link is None:
                    continue
                if obstacle := self._obstacle(other):
                    prefix = f"needs cell {member + 1}, which " * (member not in chosen)
                    return found, _Obstacle(f"{prefix}{link} {obstacle.what}", obstacle.advice)
                found[other] = found[member]
                pending.append(other)
        return found, None

    def _link(self, other: int, member: int, found: dict[int, int]) -> str | None:
        """Say why an earlier cell has to be shared with a shared one, if it has to."""
        relations = self._relations_of(member)
        if needed := relations.needed.get(other):
            return f"needs {_listed(map(_shown, sorted(needed)))} of cell {other + 1}, which"
        if used := relations.used.get(other):
            names = _listed(map(_shown, sorted(used)))
            return f"changes {names}, which cell {other + 1} uses before; that cell"
        bound = relations.bound.get(other, set())
        later = self._readers.find(bound).items()
        seen = {key for i, keys in later if i > member and i not in found for key in keys}
        if matter := sorted(seen | (bound & self._late_reads)):
            return f"binds {_listed(matter)} anew after cell {other + 1}, which"
        return None

    def _relations_of(self, member: int) -> _Relations:
        """Return what a cell has to do with those before it."""
        if member not in self._relations:
            access = self._accesses[member]
            needed = self._writers.find(access.reads)
            for cell, names in self._importers.find(access.reads).items():
                needed.setdefault(cell, set()).update(names)
            changed = self._readers.find(access.writes - AMBIENT.keys())
            used = {i: {k for k in keys if self._exists(k, i)} for i, keys in changed.items()}
            bound = self._writers.find(access.writes)
            others = sorted({each for each in (*needed, *used, *bound) if each < member})
            self._relations[member] = _Relations(others, needed, used, bound)
        return self._relations[member]

    def _exists(self, key: str, index: int) -> bool:
        """Whether something is there before a cell is executed."""
        before = (*self._writers.find([key]), *self._importers.find([key]))
        return key.startswith(":") or any(each < index for each in before)


def _obstacle_in(access: Access) -> _Obstacle | None:
    """Return what of a cell's doings only the kernel itself can do."""
    for key in sorted(access.writes & PRIVATE.keys()):
        return _Obstacle(f"sets {AMBIENT[key]}, which is each kernel's own", PRIVATE[key])
    if any(related(":mlflow", key) for key in access.reads):
        what = "uses mlflow, and no run is open when it is executed"
        return _Obstacle(what, "Move that to another cell.")
    return None


def _declares(cell: CodeCell) -> bool:
    return not cell.tags.isdisjoint({"parameters", "injected-parameters"})


def _merged(taints: Sequence[_Taint]) -> _Taint:
    parameters = frozenset(name for each in taints for name in each.parameters)
    steps = {step for each in taints for step in each.steps}
    return _Taint(parameters, tuple(sorted(steps, key=lambda step: (step[1], step[0]))))


def _shown(key: str) -> str:
    if key == UNKNOWN:
        return "names that its text does not tell"
    return AMBIENT.get(key, key.removeprefix(":"))


def _listed(names: Iterable[str]) -> str:
    """Write some names: ``a, b and c``."""
    every = list(names)
    if len(every) > _NAMED:
        every = [*every[:_NAMED], "others"]
    return " and ".join(filter(None, [", ".join(every[:-1]), every[-1]]))
