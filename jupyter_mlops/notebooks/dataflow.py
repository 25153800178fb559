"""Which names a cell reads, binds and changes, as far as its text tells."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

# fmt: off
#: Methods that leave their object as it is, even if nobody takes what they return.
_READING = frozenset((
    "all", "any", "copy", "corr", "count", "describe", "display", "get", "groupby", "head",
    "info", "isna", "items", "keys", "log", "max", "mean", "median", "memory_usage",
    "min", "nunique", "predict", "query", "sample", "score", "std", "sum",
    "summary", "tail", "transform", "unique", "value_counts", "values",
))
#: Functions that change their first argument.
_IN_PLACE = frozenset((
    "copyto", "delattr", "fill_diagonal", "heapify", "heappop", "heappush", "insort",
    "place", "put", "setattr", "shuffle",
))
# fmt: on
_BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display"}
_COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Change(NamedTuple):
    """Something that is changed in place."""

    #: ``df``, ``np.random`` or, if it is called, ``items.append``.
    path: str
    called: bool = False


@dataclass(slots=True)
class Late:
    """What a function or class does once it is used, with names of the notebook."""

    #: ``depth``, ``np.random.rand``.
    reads: set[str] = field(default_factory=set)
    changes: set[Change] = field(default_factory=set)


@dataclass(slots=True)
class Flow:
    """What a cell does with the names of its notebook."""

    #: Names that it reads before it has bound them, or in functions that it defines.
    reads: set[str] = field(default_factory=set)
    #: All that it reads, as far as attributes follow one another: ``np.random.rand``.
    paths: set[str] = field(default_factory=set)
    #: Names that it binds in another way than by an import.
    assigns: set[str] = field(default_factory=set)
    #: Names that it imports, and what they stand for: ``pd`` for ``pandas``.
    imports: dict[str, str] = field(default_factory=dict)
    changes: set[Change] = field(default_factory=set)
    #: Names passed to functions that are called for their effect alone: function, argument.
    passes: set[tuple[str, str]] = field(default_factory=set)
    #: What functions and classes do that it defines, by their names.
    late: dict[str, Late] = field(default_factory=dict)
    #: Whether it may bind names that its text does not tell, as ``import *`` does.
    binds_unknown: bool = False


class _Uses(NamedTuple):
    """Names of a piece of code."""

    #: Those that are read at once, and those that functions in it read when they are called.
    reads: set[str]
    late: set[str]
    assigns: set[str]
    imports: set[str]


def flow_of(statements: list[ast.stmt]) -> Flow:
    """Follow a cell's statements. Raises what Python's compiler does for what is no program."""
    flow = Flow()
    _follow(statements, frozenset(), flow)
    return flow


def is_builtin(name: str) -> bool:
    """Whether a name means something that no cell has bound."""
    return name in _BUILTINS


def root_of(path: str) -> str:
    """Return the name that a path begins with."""
    return path.partition(".")[0]


Names = frozenset[str]


def _follow(statements: Iterable[ast.stmt], bound: Names, flow: Flow) -> Names:
    """Add what statements do, given the names that are bound by then; return those afterwards."""
    for statement in statements:
        bound = _follow_one(statement, bound, flow)
    return bound


def _follow_one(statement: ast.stmt, bound: Names, flow: Flow) -> Names:
    match statement:
        case ast.If(test=test):
            bound |= _take(test, bound, flow)
            first = _follow(statement.body, bound, flow)
            return first & _follow(statement.orelse, bound, flow)
        case ast.While(test=test):
            bound |= _take(test, bound, flow)
            _follow(statement.orelse, _follow(statement.body, bound, flow), flow)
            return bound
        case ast.For() | ast.AsyncFor():
            bound |= _take(statement.iter, bound, flow)
            inside = bound | _take(statement.target, bound, flow)
            _follow(statement.orelse, _follow(statement.body, inside, flow), flow)
            return bound
        case ast.With() | ast.AsyncWith():
            for item in statement.items:
                bound |= _take(item.context_expr, bound, flow)
                if item.optional_vars is not None:
                    bound |= _take(item.optional_vars, bound, flow)
            return _follow(statement.body, bound, flow)
        case ast.Try() | ast.TryStar():
            return _follow_try(statement, bound, flow)
    found = _take(statement, bound, flow)
    return bound if isinstance(statement, (ast.Match, ast.Delete)) else bound | found


def _follow_try(statement: ast.Try | ast.TryStar, bound: Names, flow: Flow) -> Names:
    after = _follow(statement.orelse, _follow(statement.body, bound, flow), flow)
    for handler in statement.handlers:
        own = {handler.name} if handler.name else set()
        flow.assigns |= own
        if handler.type is not None:
            _take(handler.type, bound, flow)
        after &= _follow(handler.body, bound | own, flow)
    return after | _follow(statement.finalbody, bound, flow)


def _take(node: ast.expr | ast.stmt, bound: Names, flow: Flow) -> Names:
    """Add what a piece of code does that has no statements of its own; return what it binds."""
    uses = _uses(node)
    paths = set(_paths(node))
    flow.reads |= (uses.reads - bound) | uses.late
    flow.paths |= paths
    flow.assigns |= uses.assigns | _declared_global(node)
    flow.changes |= set(_changes(_of_this_scope(node)))
    flow.passes |= set(_passed(node))
    _take_imports(node, flow)
    if uses.late or isinstance(node, _DEFINITIONS):
        changes = {each for each in _changes(ast.walk(node)) if root_of(each.path) in uses.late}
        for name in uses.assigns:
            late = flow.late.setdefault(name, Late())
            late.reads |= {each for each in paths if root_of(each) in uses.late}
            late.changes |= changes
    return frozenset(uses.assigns | uses.imports)


def _uses(node: ast.expr | ast.stmt) -> _Uses:
    """Ask Python's own symbol table which names a piece of code reads and binds."""
    reads, late, assigns, imports = set[str](), set[str](), set[str](), set[str]()
    table = symtable.symtable(_program(node), "cell", "exec")
    for symbol in table.get_symbols():
        name = symbol.get_name()
        if symbol.is_referenced():
            reads.add(name)
        if symbol.is_assigned():
            assigns.add(name)
        if symbol.is_imported():
            imports.add(name)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        reads.add(node.target.id)
    for child in table.get_children():
        _add_inner(child, reads, late)
    return _Uses(reads, late, assigns, imports)


def _program(node: ast.expr | ast.stmt) -> str:
    """Write a piece of code so that it can stand alone: a target is assigned to."""
    is_target = isinstance(getattr(node, "ctx", None), ast.Store)
    return f"{ast.unparse(node)} = None" if is_target else ast.unparse(node)


def _add_inner(table: symtable.SymbolTable, reads: set[str], late: set[str]) -> None:
    """Add the globals of an inner scope: a function's are read later, all others at once."""
    at_once = table.get_type() != "function" or table.get_name().strip("<>") in _COMPREHENSIONS
    is_class = table.get_type() == "class"
    chosen = reads if at_once else late
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or (is_class and symbol.is_local())):
            chosen.add(symbol.get_name())
    for child in table.get_children():
        _add_inner(child, chosen, late)


def _declared_global(node: ast.AST) -> set[str]:
    found = (each.names for each in ast.walk(node) if isinstance(each, ast.Global))
    return {name for names in found for name in names}


def _take_imports(node: ast.AST, flow: Flow) -> None:
    for each in _of_this_scope(node):
        match each:
            case ast.Import(names=aliases):
                for alias in aliases:
                    top = root_of(alias.name)
                    flow.imports[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(names=aliases):
                origin = f"{'.' * each.level}{each.module or ''}"
                for alias in aliases:
                    if alias.name == "*":
                        flow.binds_unknown = True
                    else:
                        flow.imports[alias.asname or alias.name] = f"{origin}.{alias.name}"
            case ast.Call(func=ast.Name(id="exec" | "globals")):
                flow.binds_unknown = True


def _of_this_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but for functions."""
    if isinstance(node, _FUNCTIONS):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _of_this_scope(child)


def _changes(nodes: Iterable[ast.AST]) -> Iterator[Change]:
    """Yield what is changed in place."""
    for node in nodes:
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield from _change(node)
            case ast.Subscript(ctx=ast.Store() | ast.Del()):
                yield from _change(node.value)
            case ast.AugAssign(target=ast.Name() as target):
                yield from _change(target)
            case ast.Expr(value=ast.Call() as call):
                yield from _changes_by(call)
            case ast.Expr(value=ast.Await(value=ast.Call() as call)):
                yield from _changes_by(call)


def _changes_by(call: ast.Call) -> Iterator[Change]:
    """Yield what a call changes whose result nobody takes."""
    name = ""
    match call.func:
        case ast.Name(id=name):
            if name == "load_dotenv":
                yield Change("os.environ")
        case ast.Attribute(attr=name):
            if name not in _READING or any(each.arg == "inplace" for each in call.keywords):
                yield from (each._replace(called=True) for each in _change(call.func))
    if name in _IN_PLACE and call.args:
        yield from _change(call.args[0])


def _change(node: ast.expr) -> Iterator[Change]:
    """Yield the change of what an expression stands for: of ``a.b[0].c`` it is ``a.b``."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)) and not _path(node):
        node = node.value
    if path := _path(node):
        yield Change(path)


def _path(node: ast.AST) -> str:
    """Return ``a.b.c``; nothing for what is no such chain."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = _path(value)
            return f"{before}.{name}" if before else ""
    return ""


def _paths(node: ast.AST) -> Iterator[str]:
    """Yield all chains of names that are read."""
    path = _path(node)
    if not path:
        for child in ast.iter_child_nodes(node):
            yield from _paths(child)
    elif not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Load):
        yield path


def _passed(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what a function is given that is called for its effect alone."""
    for each in _of_this_scope(node):
        match each:
            case ast.Expr(value=ast.Call(func=ast.Name(id=function), args=arguments)):
                yield from ((function, arg.id) for arg in arguments if isinstance(arg, ast.Name))
