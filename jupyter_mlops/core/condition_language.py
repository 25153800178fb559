"""What a condition may say: a small part of Python's expressions, checked before it is evaluated.

Nothing is evaluated here. What passes consists of literals, operators, keys and calls of the
functions named here, so that there is no way from it to anything else.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .exceptions import InvalidInput
from .model_names import check_alias, check_model_name
from .values import quote

#: Longest condition in characters, most parts of one, and how deep they are nested.
MAX_LENGTH = 2_000
MAX_PARTS = 300
MAX_DEPTH = 40


class BadCondition(InvalidInput):
    """The condition cannot be read. Write it like metrics("a.json").auc > metrics("b.json").auc."""

    code = "bad_condition"


@dataclass(frozen=True, slots=True)
class _Function:
    """How a function is called."""

    usage: str
    #: Fewest and most arguments; None means any number.
    least: int
    most: int | None
    #: Types of arguments that must be written out, so that all it reads is known in advance.
    literal: tuple[type, ...] = ()
    #: Name by which the first argument may be given too.
    keyword: str | None = None


FUNCTIONS = {
    "metrics": _Function('metrics("metrics.json")', 1, 1, (str,), "path"),
    "params": _Function('params("params.yaml")', 0, 1, (str,), "path"),
    "exists": _Function('exists("model.pkl")', 1, 1, (str,), "path"),
    "champion": _Function('champion("late-flights")', 1, 1, (str,), "name"),
    "model": _Function('model("late-flights@challenger")', 1, 1, (str,)),
    "version": _Function('version("late-flights", 3)', 2, 2, (str, int)),
    "min": _Function("min(a, b)", 1, None),
    "max": _Function("max(a, b)", 1, None),
    "abs": _Function("abs(a)", 1, 1),
    "round": _Function("round(a, 3)", 1, 2),
    "len": _Function("len(a)", 1, 1),
}
#: Functions that read files, and those that ask the registry.
READERS = frozenset({"metrics", "params", "exists"})
REGISTRY = frozenset({"champion", "model", "version"})
PARAMS_FILE = "params.yaml"

_PLAIN = (
    *(ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Tuple, ast.List),
    *(ast.Subscript, ast.Load, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_WHAT: dict[type[ast.AST], str] = {
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.Slice: "a slice",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.IfExp: "if",
    ast.Is: '"is": use == or "not"',
    ast.IsNot: '"is not": use !=',
    ast.Invert: "~",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: '&: write "and"',
    ast.BitOr: '|: write "or"',
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_CAPITALS = {"true": "True", "false": "False", "none": "None", "null": "None"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that may be evaluated."""

    text: str
    tree: ast.Expression
    #: Names of the functions that it calls.
    functions: frozenset[str]
    #: Files that it reads, or looks for, as they are written there.
    files: tuple[str, ...]

    @property
    def uses_registry(self) -> bool:
        """Whether its result depends on registered models, which DVC does not see."""
        return not self.functions.isdisjoint(REGISTRY)

    def source(self, node: ast.AST) -> str:
        """Return a part of it as it was written."""
        return ast.get_source_segment(self.text, node) or ast.unparse(node)


def parse(text: str) -> Condition:
    """Read a condition. Raises `BadCondition` with the place of what is wrong."""
    line = " ".join(text.splitlines()).strip()
    if not line:
        raise BadCondition('condition: it is empty. Write one like metrics("a.json").auc > 0.7.')
    if len(line) > MAX_LENGTH:
        raise BadCondition(
            f"condition: it has {len(line):,} characters, at most {MAX_LENGTH:,} are read. "
            "Compute the difference in a stage of its own and compare that."
        )
    tree = _tree(line)
    checker = _Checker(line)
    checker.check(tree)
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    names = [(each.func.id, each) for each in calls if isinstance(each.func, ast.Name)]
    files = (path_of(call) for name, call in names if name in READERS)
    return Condition(line, tree, frozenset(name for name, _ in names), tuple(dict.fromkeys(files)))


def arguments_of(call: ast.Call) -> list[Any]:
    """Return the values of a call whose arguments are written out."""
    nodes = [*call.args, *(each.value for each in call.keywords)]
    return [each.value for each in nodes if isinstance(each, ast.Constant)]


def path_of(call: ast.Call) -> str:
    """Return the path that a reading function is called with."""
    given = arguments_of(call)
    return str(given[0]) if given else PARAMS_FILE


def split_alias(text: str) -> tuple[str, str]:
    """Split ``name@alias``. Raises `BadCondition`."""
    name, at, alias = text.rpartition("@")
    if not at:
        raise BadCondition(
            f'condition: model({quote(text)}) names no alias. Write model("{text}@champion").'
        )
    return name, alias


def _tree(line: str) -> ast.Expression:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(line, mode="eval")
    except SyntaxError as error:
        # Where it only ends too early, Python names no place.
        at = min(error.offset or len(line) + 1, len(line) + 1)
        rest = line[at - 1 :]
        where = f"before {quote(rest)}" if rest else "at its end"
        message = (error.msg or "invalid syntax").rstrip(".")
        raise BadCondition(f"condition: {message}, at character {at}, {where}.") from None
    except (ValueError, MemoryError, RecursionError):
        raise BadCondition(
            "condition: it is nested too deeply, or holds a character that Python does not read. "
            "Make it simpler."
        ) from None


class _Checker:
    """Looks at every part of a tree and refuses what the language has not."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._parts = 0

    def check(self, tree: ast.AST) -> None:
        """Refuse the first part that is not allowed."""
        pending = [(tree, 0)]
        while pending:
            node, depth = pending.pop()
            self._parts += 1
            if depth > MAX_DEPTH or self._parts > MAX_PARTS:
                raise BadCondition(
                    f"condition: it has more than {MAX_PARTS} parts, or is nested deeper than "
                    f"{MAX_DEPTH} levels. Make it simpler."
                )
            # Reversed, so that what stands first is refused first.
            pending += [(each, depth + 1) for each in reversed(list(self._inside(node)))]

    def _inside(self, node: ast.AST) -> Iterator[ast.AST]:
        match node:
            case ast.Call():
                return self._call(node)
            case ast.Name():
                raise self._unknown(node)
            case ast.Attribute(attr=name) if name.startswith("__"):
                raise self._refused(node, f'{name} is not allowed; a key is written ["{name}"]')
            case ast.Attribute(value=value):
                return iter((value,))
            case ast.Constant(value=value):
                if value is not None and type(value) not in (int, float, str, bool):
                    raise self._refused(node, f"{type(value).__name__} is not allowed")
            case _ if not isinstance(node, _PLAIN):
                what = _WHAT.get(type(node), type(node).__name__)
                raise self._refused(node, f"there is no {what}")
        return ast.iter_child_nodes(node)

    def _call(self, call: ast.Call) -> Iterator[ast.AST]:
        if isinstance(call.func, ast.Attribute):
            raise self._refused(call.func, f".{call.func.attr}(): values have no methods")
        if not isinstance(call.func, ast.Name):
            raise self._refused(call, "only functions are called")
        name = call.func.id
        if name not in FUNCTIONS:
            raise self._unknown(call.func, function=True)
        self._check_arguments(call, name, FUNCTIONS[name])
        return iter([*call.args, *(each.value for each in call.keywords)])

    def _check_arguments(self, call: ast.Call, name: str, function: _Function) -> None:
        nodes = [*call.args, *(each.value for each in call.keywords)]
        most = function.most if function.most is not None else len(nodes)
        named = [each.arg for each in call.keywords]
        known = named in ([], [function.keyword] if not call.args else [])
        if not known or not function.least <= len(nodes) <= most:
            raise self._refused(call, f"{name} is called like {function.usage}")
        for node, kind in zip(nodes, function.literal, strict=False):
            value = node.value if isinstance(node, ast.Constant) else None
            if type(value) is not kind or not value:
                raise self._refused(node, f"{name} is called like {function.usage}")
        if name in REGISTRY:
            self._check_model(call, name)

    def _check_model(self, call: ast.Call, name: str) -> None:
        model = arguments_of(call)[0]
        try:
            if name == "model":
                model, alias = split_alias(model)
                check_alias(alias)
            check_model_name(model)
        except InvalidInput as error:
            raise BadCondition(f"condition: {error.message.removeprefix('condition: ')}") from None

    def _unknown(self, node: ast.Name, *, function: bool = False) -> BadCondition:
        name = node.id
        if name in FUNCTIONS:
            return self._refused(node, f"{name} is a function: {FUNCTIONS[name].usage}")
        known = [*FUNCTIONS, *_CAPITALS]
        close = difflib.get_close_matches(name.lower(), known, n=1)
        meant = _CAPITALS.get(close[0], close[0]) if close else ""
        there = f"did you mean {meant}?" if close else f"there are {', '.join(FUNCTIONS)}"
        what = "function" if function else "name"
        return self._refused(node, f"unknown {what} {name}; {there}")

    def _refused(self, node: ast.AST, what: str) -> BadCondition:
        offset = getattr(node, "col_offset", None)
        if offset is None:
            return BadCondition(f"condition: {what}.")
        if isinstance(node, ast.Attribute):
            offset = (node.end_col_offset or 0) - len(node.attr.encode())
        at = len(self._line.encode()[:offset].decode("utf-8", "replace")) + 1
        end = "" if what.endswith("?") else "."
        return BadCondition(f"condition, at character {at}: {what}{end}")
