"""Reads values and types from expressions without executing them."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from ..core.exceptions import BadSpace
from ..core.parameters import MAX_BITS, ParameterKind, from_python
from ..core.values import Value, same

_FLOAT_MODULES = ("math", "np", "numpy")

_KINDS = {
    "int": ParameterKind.INT,
    "float": ParameterKind.FLOAT,
    "str": ParameterKind.STR,
    "bool": ParameterKind.BOOL,
    **dict.fromkeys(("list", "List", "tuple", "Tuple", "Sequence", "Iterable"), ParameterKind.LIST),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), ParameterKind.DICT),
}
_WRAPPERS = ("Annotated", "Final", "ClassVar", "Required", "NotRequired")


class NotLiteralError(ValueError):
    """An expression has no value that could be known without executing it."""


@dataclass(frozen=True, slots=True)
class Type:
    """What an annotation says."""

    kind: ParameterKind
    choices: tuple[Value, ...] | None = None
    optional: bool = False


ANY = Type(ParameterKind.ANY, optional=True)
#: What ``None`` stands for in a union; told from ANY by identity.
_NOTHING = Type(ParameterKind.ANY, optional=True)


def evaluate(node: ast.expr) -> Value:
    """Return the value of a literal, or of simple arithmetic on literals.

    Raise NotLiteralError for everything that would have to be executed.
    """
    try:
        return from_python(_evaluate(node), "")
    except (BadSpace, RecursionError, ArithmeticError, TypeError, ValueError) as error:
        raise NotLiteralError from error


def _evaluate(node: ast.expr) -> Value:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return value
        case ast.List() | ast.Tuple():
            return [_evaluate(item) for item in node.elts]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {_key(key): _evaluate(item) for key, item in pairs}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            number = _number(_evaluate(node.operand))
            return -number if isinstance(node.op, ast.USub) else number
        case ast.BinOp():
            return _binary(node.op, _evaluate(node.left), _evaluate(node.right))
    return _named(node)


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise NotLiteralError


def _number(value: Value) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise NotLiteralError


def _binary(operator_: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str) and isinstance(operator_, ast.Add):
        return left + right
    operation = _OPERATORS.get(type(operator_))
    if operation is None:
        raise NotLiteralError
    result = operation(_number(left), _number(right))
    return _number(result)


def _power(base: float, exponent: float) -> float:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and int(base).bit_length() * abs(exponent) > MAX_BITS:
        # 9**9**9 must not keep the machine busy.
        raise NotLiteralError
    result: float = operator.pow(base, exponent)
    return result


_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


def _named(node: ast.expr) -> Value:
    """Evaluate the few names whose meaning is known: ``float("nan")``, ``np.inf``, ``list()``."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr="inf" | "nan" as name):
            if module in _FLOAT_MODULES:
                return math.inf if name == "inf" else math.nan
        case ast.Call(func=ast.Name(id="float"), args=[argument], keywords=[]):
            value = _evaluate(argument)
            if isinstance(value, (int, float, str)):
                return float(value)
        case ast.Call(func=ast.Name(id="list"), args=[], keywords=[]):
            return []
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=[]):
            return {}
    raise NotLiteralError


def type_of_value(value: Value) -> Type:
    """Return the type that a default suggests where there is no annotation."""
    if value is None:
        return ANY
    kinds: dict[type, ParameterKind] = {
        bool: ParameterKind.BOOL,
        int: ParameterKind.INT,
        float: ParameterKind.FLOAT,
        str: ParameterKind.STR,
        list: ParameterKind.LIST,
        dict: ParameterKind.DICT,
    }
    return Type(kinds[type(value)])


def type_of_annotation(node: ast.expr) -> Type:
    """Return what an annotation says; what is unknown takes anything."""
    try:
        return _type(node)
    except (SyntaxError, ValueError, RecursionError):
        return ANY


def _type(node: ast.expr) -> Type:
    match node:
        case ast.Constant(value=None):
            return _NOTHING
        case ast.Constant(value=str() as source):
            return _type(ast.parse(source.strip(), mode="eval").body)
        case ast.BinOp(op=ast.BitOr()):
            return _union([_type(node.left), _type(node.right)])
        case ast.Subscript():
            return _subscript(node)
        case ast.Name() | ast.Attribute():
            kind = _KINDS.get(_last_name(node))
            return Type(kind) if kind else ANY
    return ANY


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _subscript(node: ast.Subscript) -> Type:
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    name = _last_name(node.value)
    if name == "Literal":
        values = [evaluate(argument) for argument in arguments]
        members = tuple(value for value in values if value is not None)
        return Type(ParameterKind.CHOICE, members, len(members) < len(values))
    if name == "Optional":
        return _union([_type(node.slice), _NOTHING])
    if name == "Union":
        return _union([_type(argument) for argument in arguments])
    if name in _WRAPPERS:
        return _type(arguments[0])
    return _type(node.value)


def _union(types: list[Type]) -> Type:
    optional = any(each.optional for each in types)
    some = [each for each in types if each is not _NOTHING]
    if not some:
        return ANY
    if all(each.choices is not None for each in some):
        members: list[Value] = []
        for each in some:
            members.extend(v for v in each.choices or () if not any(same(v, m) for m in members))
        return Type(ParameterKind.CHOICE, tuple(members), optional)
    kinds = {each.kind for each in some}
    return Type(some[0].kind, optional=optional) if len(kinds) == 1 else ANY
