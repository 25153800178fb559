"""The language in which runs are searched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.run_query import (
    Comparison,
    Every,
    Field,
    Not,
    Some,
    SortKey,
    fields_of,
    parse_condition,
    parse_order,
)

AUC = Field("metrics", "auc")
DEPTH = Field("params", "depth")
STATUS = Field("fact", "status")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.auc > 0.9", Comparison(AUC, ">", 0.9)),
        ("metrics.auc>.9", Comparison(AUC, ">", 0.9)),
        ("metrics.auc<=-1e-3", Comparison(AUC, "<=", -0.001)),
        ("metrics.auc > -inf", Comparison(AUC, ">", float("-inf"))),
        ("params.depth = 3", Comparison(DEPTH, "=", 3)),
        ("parameters.depth == 3", Comparison(DEPTH, "=", 3)),
        ("params.depth <> 3", Comparison(DEPTH, "!=", 3)),
        ("params.depth = TRUE", Comparison(DEPTH, "=", True)),
        ("params.depth = null", Comparison(DEPTH, "=", None)),
        ("params.depth = None", Comparison(DEPTH, "=", None)),
        ("params.depth = deep", Comparison(DEPTH, "=", "deep")),
        ("params.depth = a/b.c-d", Comparison(DEPTH, "=", "a/b.c-d")),
        ("params.depth = 1-2", Comparison(DEPTH, "=", "1-2")),
        ("params.depth = 'null'", Comparison(DEPTH, "=", "null")),
        ("params.depth = 'it''s'", Comparison(DEPTH, "=", "it's")),
        (r'params.depth = "a \"b\" \\"', Comparison(DEPTH, "=", 'a "b" \\')),
        ("params.depth > metrics.auc", Comparison(DEPTH, ">", AUC)),
        ("metrics['auc'] > 1", Comparison(AUC, ">", 1)),
        ('metrics."auc" > 1', Comparison(AUC, ">", 1)),
        ("metrics.val/auc > 1", Comparison(Field("metrics", "val/auc"), ">", 1)),
        ("metrics.`a b` > 1", Comparison(Field("metrics", "a b"), ">", 1)),
        ("metrics.a.b > 1", Comparison(Field("metrics", "a.b"), ">", 1)),
        ("params.and = 1", Comparison(Field("params", "and"), "=", 1)),
        ("status = failed", Comparison(STATUS, "=", "failed")),
        ("status like 'fail%'", Comparison(STATUS, "like", "fail%")),
        ("status NOT LIKE 'fail%'", Not(Comparison(STATUS, "like", "fail%"))),
        ("sweep = 12345678", Comparison(Field("fact", "sweep"), "=", "12345678")),
        (
            "status in (failed, queued)",
            Some((Comparison(STATUS, "=", "failed"), Comparison(STATUS, "=", "queued"))),
        ),
        ("params.depth not in [3]", Not(Some((Comparison(DEPTH, "=", 3),)))),
        (
            "metrics.auc > 1 and params.depth = 3 or not status = failed",
            Some(
                (
                    Every((Comparison(AUC, ">", 1), Comparison(DEPTH, "=", 3))),
                    Not(Comparison(STATUS, "=", "failed")),
                )
            ),
        ),
        (
            "metrics.auc > 1 and (params.depth = 3 or params.depth = 4)",
            Every(
                (
                    Comparison(AUC, ">", 1),
                    Some((Comparison(DEPTH, "=", 3), Comparison(DEPTH, "=", 4))),
                )
            ),
        ),
        (
            "started >= 2026-01-31",
            Comparison(Field("fact", "started"), ">=", datetime(2026, 1, 31, tzinfo=UTC)),
        ),
        (
            "started >= '2026-01-31T12:30+01:00'",
            Comparison(Field("fact", "started"), ">=", datetime(2026, 1, 31, 11, 30, tzinfo=UTC)),
        ),
    ],
)
def test_conditions(text: str, expected: object) -> None:
    """Each is read like this."""
    assert parse_condition(text) == expected


def test_ages() -> None:
    """A time may be told by how long ago it was."""
    found = parse_condition("started > '2d ago'")
    assert isinstance(found, Comparison)
    assert isinstance(found.value, datetime)
    assert (
        timedelta(0) <= datetime.now(UTC) - timedelta(days=2) - found.value < timedelta(minutes=1)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "where, at the end: it is empty. Write one like metrics.auc > 0.9."),
        ("metrics.auc", "where, at the end: expected a comparison such as = or >."),
        ("metrics.auc > ", "where, at the end: expected a value"),
        ("metrics.auc > 1 status", 'where, at character 17, before "status": expected and, or'),
        ("metrics.auc > 1 and", "where, at the end: expected a field such as metrics.auc"),
        ("(metrics.auc > 1", "where, at the end: expected )."),
        ("0.9 < metrics.auc", 'where, at character 1, before "0.9": expected a field'),
        ("metrics.auc > 1 > 2", 'where, at character 17, before ">": a comparison has two sides'),
        ("metric.auc > 1", 'before "metric.auc": there is no metric.auc. Write params.,'),
        ("metrics > 1", 'before "metrics": there is no field metrics. Did you mean metrics.NAME?'),
        ("statsu = failed", "there is no field statsu. Did you mean status?"),
        ("xyzzy = 1", "there is no field xyzzy. There are params.NAME, metrics.NAME, tags.NAME"),
        ("status = faild", 'before "faild": status is one of queued, running, succeeded, failed'),
        ("duration > long", 'before "long": duration is a number.'),
        ("duration > true", 'before "true": duration is a number.'),
        ("started > yesterday", 'a time is written "2026-01-31", "2026-01-31T12:00" or "2d ago".'),
        ("started > 5", "a time is written"),
        ("status = metrics.auc", "status is not compared with other fields."),
        ("params.depth > null", "null is compared with = or != only."),
        ("params.depth >= true", "true and false are compared with = or != only."),
        ("params.depth = -x", "only a number can be negative."),
        ("params.depth like 3", "like compares text"),
        ("params.depth not = 3", 'before "=": not is followed by in or like here.'),
        ("params.depth in 3", 'before "3": expected (.'),
        ("params.depth in (3", "at the end: expected )."),
        ("params.depth = 'abc", 'where, at character 16: "\'abc" has no closing quote.'),
        ("metrics['auc' > 1", "where, at character 14: expected ]."),
        ("a = 1 && b = 2", 'where, at character 7: "&" is not known. Write == or =, and, or, not.'),
        ("params.depth = 1; drop table runs", 'where, at character 17: ";" is not known.'),
        ("__import__('os')", "there is no field __import__."),
        ("params.api_key = x", "api_key looks like a secret, whose values are not searched."),
        ("(" * 30 + "status = failed" + ")" * 30, "it is nested deeper than 20 levels."),
        ("not " * 30 + "status = failed", "it is nested deeper than 20 levels."),
        (" or ".join(["params.a = 1"] * 51), "it has more than 50 comparisons."),
        ("params.a = '" + "x" * 2000 + "'", "where: it has 2,013 characters, at most 2,000 are"),
    ],
)
def test_bad_conditions(text: str, message: str) -> None:
    """What is wrong is told in one line, with its place."""
    with pytest.raises(InvalidInput) as caught:
        parse_condition(text)
    assert message in caught.value.message
    assert caught.value.field == "where"
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.auc", [SortKey(AUC, False)]),
        ("-metrics.auc", [SortKey(AUC, True)]),
        ("-metrics['auc'], params.depth", [SortKey(AUC, True), SortKey(DEPTH, False)]),
        ("status", [SortKey(STATUS, False)]),
    ],
)
def test_orders(text: str, expected: list[SortKey]) -> None:
    """A minus puts the highest first; several fields have commas between them."""
    assert list(parse_order(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sort, at the end: expected a field"),
        ("metrics.auc,", "sort, at the end: expected a field"),
        ("metrics.auc desc", 'sort, at character 13, before "desc": expected a comma, or the end.'),
        ("params.password", "sort, at character 1"),
        (",".join(["index"] * 11), "sort: at most 10 fields are sorted by."),
    ],
)
def test_bad_orders(text: str, message: str) -> None:
    """What is wrong is told in one line, with its place."""
    with pytest.raises(InvalidInput) as caught:
        parse_order(text)
    assert caught.value.message.startswith(message)


def test_named_fields() -> None:
    """The fields of a condition and an order are told once each, in their order."""
    condition = parse_condition("not (metrics.auc > params.depth or status = failed)")
    assert fields_of(condition, parse_order("-params.depth,index")) == [
        AUC,
        DEPTH,
        STATUS,
        Field("fact", "index"),
    ]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but an InvalidInput of one line comes of any text."""
    messages = []
    for parse in (parse_condition, parse_order):
        try:
            parse(text)
        except InvalidInput as error:
            messages.append(error.message)
    assert all(len(each.splitlines()) == 1 for each in messages)


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_any_name_and_text_can_be_written(name: str, value: str) -> None:
    """In quotes every name and every text is itself."""
    quoted = ['"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in (name, value)]
    found = parse_condition(f"metrics[{quoted[0]}] = {quoted[1]}")
    assert found == Comparison(Field("metrics", name), "=", value)
