"""Values, names and types of parameters."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import BadSpace, InvalidInput, UnknownParameter
from jupyter_mlops.core.language import undeclared
from jupyter_mlops.core.parameters import Parameter, ParameterKind, check_names, convert
from jupyter_mlops.core.values import (
    MASK,
    Value,
    decode,
    encode,
    looks_secret,
    masked,
    same,
    text,
)


def parameter(kind: str, **changes: Any) -> Parameter:
    """Make an annotated declaration of a parameter called ``p``."""
    declared: dict[str, Any] = {"kind": ParameterKind(kind), "annotation": kind, "optional": False}
    return replace(undeclared("p"), **declared | changes)


def attempt(make: Callable[[], object]) -> object:
    """Return what is made, or the refusal."""
    try:
        return make()
    except BadSpace as error:
        return error


# JSON-like values that a notebook can receive.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXTS | st.sampled_from(["$float", "$$float"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_values_survive_strict_json(value: Value) -> None:
    """Encoded values pass through strict JSON and come back with their types."""
    carried = json.loads(json.dumps(encode(value), allow_nan=False))
    assert same(decode(carried), value)


def test_floats_that_are_not_finite_are_encoded_and_keys_escaped() -> None:
    """The form in JSON is part of the contract with the front end."""
    assert encode([math.nan, -math.inf, 1.5]) == [{"$float": "nan"}, {"$float": "-inf"}, 1.5]
    assert encode({"$float": "nan"}) == {"$$float": "nan"}
    assert encode({"$$float": 1, "$other": 2}) == {"$$$float": 1, "$other": 2}


def test_what_encode_cannot_have_written_is_refused() -> None:
    """A damaged float or a bottomless list is the sender's mistake."""
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    broken: tuple[Value, ...] = ({"$float": "x"}, {"$float": 1}, {"$float": "nan", "a": 1}, deep)
    for value in broken:
        with pytest.raises(BadSpace):
            decode(value)


def test_sameness_knows_types() -> None:
    """Equal in Python is not the same to a notebook."""
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same(0.0, -0.0)
    assert not same([1], [True])
    assert not same({"a": 1}, {"a": 1.0})
    assert same(math.nan, float("nan"))
    assert same({"a": 1, "b": [math.nan]}, {"b": [math.nan], "a": 1})


def test_shown_values_are_short_and_on_one_line() -> None:
    """Tables show text without quotes, without control characters, cut to their width."""
    assert text("a\nb\u202ec\ud800") == "a\\nb\\u202ec\\ud800"
    assert [text(v) for v in (None, True, 1, 0.1, [1, "x"])] == [
        "null",
        "true",
        "1",
        "0.1",
        '[1, "x"]',
    ]
    assert text("x" * 10_000_000, limit=10) == "x" * 9 + "…"
    assert len(text(list(range(1000)))) == 60


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "PASSWORD2",
        "passwd",
        "secret",
        "client_secret",
        "SECRET_KEY",
        "token",
        "hf_token",
        "AWS_SESSION_TOKEN",
        "accessToken",
        "token2",
        "api_key",
        "apikey",
        "APIKey",
        "openai_api_key",
        "credentials",
        "private_key",
        "access_key_id",
        "aws_access_key",
    ],
)
def test_names_of_secrets_are_recognised(name: str) -> None:
    """Whatever its style, a name that says secret is one."""
    assert looks_secret(name)
    assert masked({name: "x", "depth": 3}) == {name: MASK, "depth": 3}


@pytest.mark.parametrize(
    "name",
    [
        "tokens_per_batch",
        "max_tokens",
        "max_token",
        "pad_token",
        "tokenizer",
        "keyboard",
        "key",
        "monkey",
        "secretary",
        "passes",
        "depth",
        "api",
        "key_api",
        "n_tokens",
        "größe",
        "_",
        "",
    ],
)
def test_harmless_names_are_not_masked(name: str) -> None:
    """Words are compared whole."""
    assert not looks_secret(name)


@given(VALUES, st.sampled_from(list(ParameterKind)))
def test_conversion_gives_the_declared_kind_or_refuses(value: Value, kind: ParameterKind) -> None:
    """A converted value is of the parameter's type, and converting again changes nothing."""
    types: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
    types |= {"list": list, "dict": dict}
    declared = parameter(kind, choices=(1, "a") if kind == "choice" else None)
    found = attempt(partial(convert, value, declared))
    if isinstance(found, BadSpace):
        assert found.field == "p"
        assert "\n" not in found.message
    else:
        assert kind == "any" or type(found) in (types.get(kind, int), types.get(kind, str))
        assert same(convert(cast("Value", found), declared), cast("Value", found))


def test_declared_names_pass_and_others_are_refused_with_a_proposal() -> None:
    """A mistyped name is answered with the near one and the list of all."""
    check_names(["depth", "rate"], ["depth", "rate", "x"])
    with pytest.raises(UnknownParameter) as caught:
        check_names(["dpth"], ["depth", "rate"])
    assert caught.value.message == (
        "dpth is not a parameter of the notebook. Did you mean depth? It declares depth, rate."
        " Permit others with --allow-undeclared."
    )
    assert caught.value.field == "dpth"
    with pytest.raises(UnknownParameter, match="It declares none"):
        check_names(["x"], [])
    check_names(["anything", "größe"], [], allow_undeclared=True)


@pytest.mark.parametrize(
    "name",
    [
        "x = __import__('os').getpid(); y",
        "a\nb",
        "a.b",
        "1a",
        "",
        "a b",
        "class",
        "None",
        "__import__",
        "print",
        "display",
        "ﬁt",
        "a\u202eb",
        "\ud800",
    ],
)
def test_names_that_are_code_are_refused_even_where_others_are_permitted(name: str) -> None:
    """Names are written into the notebook: only plain identifiers may pass."""
    with pytest.raises(InvalidInput) as caught:
        check_names([name], [], allow_undeclared=True)
    assert caught.value.message.isprintable()


def test_a_builtin_may_be_a_parameter_if_the_notebook_declares_it() -> None:
    """The notebook's author knows best."""
    check_names(["input"], ["input"])
