"""What a condition may say, what it comes to, and that nothing else can be reached from it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from jupyter_mlops.conditions import Answer, Versioned, evaluate
from jupyter_mlops.core.condition_language import MAX_LENGTH, BadCondition, parse
from jupyter_mlops.core.exceptions import InvalidInput

A = {
    "auc": 0.8,
    "loss": math.nan,
    "big": math.inf,
    "count": 3,
    "name": "forest",
    "none": None,
    "ok": True,
    "a-b": {"c d": {"deep": 1}},
    "curve": [0.5, 0.7, {"auc": 0.9}],
    "empty": {},
    "text": "0.8",
}


class Sources:
    """Files and models in memory."""

    def read(self, path: str) -> Any:
        """Return what a file says."""
        return {"a.json": A, "params.yaml": {"threshold": 0.7}, "list.json": [1, 2]}[path]

    def exists(self, path: str) -> bool:
        """Whether there is a file."""
        return path == "a.json"

    def aliased(self, model: str, alias: str) -> Versioned:
        """Return a version by its alias: there is one of late-flights."""
        there = (model, alias) == ("late-flights", "champion")
        return Versioned(f"{model}@{alias}", 4 if there else None, {"auc": 0.75, "val/auc": 0.7})

    def numbered(self, model: str, version: int) -> Versioned:
        """Return a version by its number."""
        return Versioned(f"{model} v{version}", version if version < 5 else None, {"auc": 0.75})


def ask(text: str) -> Answer:
    """Evaluate a condition."""
    return evaluate(parse(text), Sources())


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('metrics("a.json").auc > 0.7', True),
        ("metrics('a.json')['auc'] <= 0.7", False),
        ('0.7 < metrics("a.json").auc < 0.9', True),
        ('metrics("a.json")["a-b"]["c d"].deep == 1', True),
        ('metrics("a.json").curve[-2] == 0.7', True),
        ('metrics("a.json").curve[2].auc == 0.9', True),
        ('metrics(path="a.json").count + 1 == 2 ** 2', True),
        ('metrics("a.json").count // 2 == 1 and 7 % metrics("a.json").count == 1', True),
        ('metrics("a.json").auc > params().threshold', True),
        ('metrics("a.json").auc - 0.1 > params("params.yaml").threshold + 0.05', False),
        ('not exists("b.json") and exists("a.json")', True),
        ('"auc" in metrics("a.json") and "f1" not in metrics("a.json")', True),
        ('metrics("a.json").name in ("forest", "tree")', True),
        ('"for" in metrics("a.json").name', True),
        ('metrics("a.json").none == None', True),
        ('metrics("a.json").ok', True),
        ('metrics("a.json").empty', False),
        ('max(metrics("a.json").auc, 0.9) == 0.9 and min([3, 2]) == 2', True),
        ('abs(-metrics("a.json").auc) == 0.8 and round(0.256, 2) == 0.26', True),
        ('len(metrics("a.json").curve) == 3 and len(metrics("a.json").name) == 6', True),
        ('metrics("list.json")[0] == 1', True),
        ('champion("late-flights").auc < metrics("a.json").auc', True),
        ('champion("late-flights")["val/auc"] == 0.7', True),
        ('model("late-flights@challenger") or champion("late-flights")', True),
        ('version("late-flights", 3).auc == 0.75', True),
        ('not version("late-flights", 9)', True),
        ('champion("other") == None', True),
        ('champion("late-flights") != None', True),
        ('not champion("other") or metrics("a.json").auc > champion("other").auc', True),
        ('champion("other") and metrics("a.json").auc > champion("other").auc', False),
        ('metrics("a.json").big > 1e308', True),
        ('metrics("a.json").auc >\n 0.7', True),
    ],
)
def test_answers(text: str, result: bool) -> None:
    """A condition means what it means in Python."""
    assert ask(text).result is result


@pytest.mark.parametrize(
    "text",
    [
        'metrics("a.json").loss > 0',
        'metrics("a.json").loss <= 0',
        'metrics("a.json").loss == metrics("a.json").loss',
        'metrics("a.json").loss != 0',
        '0 < metrics("a.json").loss < 1',
        'metrics("a.json").loss',
        'metrics("a.json").loss and True',
        'metrics("a.json").loss in [metrics("a.json").loss]',
        'max(metrics("a.json").loss, 1) > 0',
        'max(1, metrics("a.json").loss) > 0',
        'metrics("a.json").loss + 1 > 0',
    ],
)
def test_nan_is_never_better(text: str) -> None:
    """A comparison with NaN is false, whichever way, and the answer says that there was one."""
    answer = ask(text)
    assert not answer.result
    assert answer.nan == ('metrics("a.json").loss',)
    assert answer.values['metrics("a.json").loss'] == "NaN"


def test_values_are_told_as_they_were_written() -> None:
    """Only what was looked at is told; the rest of a short-circuit is not."""
    answer = ask('not champion("other") or metrics("a.json").auc > champion("other").auc')
    assert answer.values == {'champion("other")': None}
    answer = ask('metrics("a.json").curve and champion("late-flights").auc < metrics("a.json").big')
    assert answer.values == {
        'metrics("a.json").curve': "3 items",
        'champion("late-flights")': "v4",
        'champion("late-flights").auc': 0.75,
        'metrics("a.json").big': "Infinity",
    }
    assert json.dumps(answer.values, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('metrics("a.json").auk > 1', 'a.json has no "auk". Did you mean "auc"?'),
        ('metrics("a.json").zzz > 1', "There is: a-b, auc, big, "),
        ('metrics("a.json")["a-b"].x > 1', 'a.json: a-b has no "x". There is: c d.'),
        ('metrics("a.json") > 1', "the table a.json. Name one of its keys: a-b, auc,"),
        ('metrics("a.json") == metrics("a.json")', "the table a.json cannot be compared."),
        ('metrics("a.json").text > 0.7', 'a number is needed, but there is the text "0.8".'),
        ('metrics("a.json").none > 0.7', "there is nothing (null)."),
        ('metrics("a.json").auc.x', 'a number has no keys such as "x".'),
        ('metrics("a.json").curve["auc"]', 'a list of 3 has no "auc". Count from 0.'),
        ('metrics("a.json").curve[3]', "a list of 3 has no 3."),
        ('champion("other").auc > 1', "other has no champion. Set one with: jupyter mlops models"),
        ('champion("other") > 1', 'begin the condition with: not champion("other") or'),
        ('version("late-flights", 9).auc > 1', "There is no late-flights v9. See: jupyter mlops"),
        ('champion("late-flights").f1', 'late-flights@champion (v4) has no "f1".'),
        ('metrics("a.json").auc / 0', "it divides by zero"),
        ("10.0 ** 400", "a number is too large"),
        ("2 ** 99999999999", "a number is too large"),
        ("(-8) ** 0.5", "a power of a negative number"),
        ("round(5, -1000000000)", "round takes 0 to 15 digits"),
        ('"a" * 1000000000', "a number is needed"),
        ("[1] * 1000000000", "a number is needed"),
        ('"a" + "b" == "ab"', "a number is needed"),
        ('"%s" % 1', "a number is needed"),
        ("min([])", "min of an empty list"),
        ("1 in 5", "nothing is in a number"),
        ("len(5)", "a number has no length"),
    ],
)
def test_what_cannot_be_evaluated(text: str, message: str) -> None:
    """One line says what is wrong and what there is."""
    with pytest.raises(InvalidInput, match=re.escape(message)) as raised:
        ask(text)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ('metrics("a.json").auc > > 1', 'invalid syntax, at character 25, before "> 1".'),
        ('metrics("a.json', "at character 9"),
        ('metrics("a.json").auc >', "at its end"),
        ('metrics("ä.json").auc > x', "at character 25: unknown name x; there are metrics, "),
        ("a = 1", "at character 3"),
        ("metric('a')", "unknown function metric; did you mean metrics?"),
        ("true", "unknown name true; did you mean True?"),
        ("metrics", 'metrics is a function: metrics("metrics.json")'),
        ("metrics()", 'metrics is called like metrics("metrics.json")'),
        ("metrics(1)", "metrics is called like"),
        ('metrics("")', "metrics is called like"),
        ('metrics("a" if exists("a") else "b")', "metrics is called like"),
        ('version("m", "3")', 'version is called like version("late-flights", 3)'),
        ('version("m", True)', "version is called like"),
        ('max(1, key="x")', "max is called like max(a, b)"),
        ('model("m")', 'names no alias. Write model("m@champion").'),
        ('model("m@latest")', "latest means a version already"),
        ('champion("../m")', "a model's name must not"),
        ('metrics("a.json").auc is None', 'there is no "is"'),
        ('exists("a") & exists("b")', 'there is no &: write "and"'),
        ("1" + " + 1" * MAX_LENGTH, "characters, at most 2,000 are read"),
        ("+".join("1" * 400), "it has more than 300 parts"),
        ("(" * 60 + "1" + ")" * 60 + " < " + "-" * 60 + "1", "nested deeper than 40 levels"),
        ("not " * 490 + "1", "nested deeper"),
        ("(" * 900 + "1" + ")" * 900, "nested"),
        ("[" * 900 + "]" * 900, "nested"),
        ("\0", "condition: "),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    """The place and what was meant are told before anything is evaluated."""
    with pytest.raises(BadCondition, match=re.escape(message)) as raised:
        parse(text)
    assert "\n" not in raised.value.message


#: Ways out of sandboxes: those that simpleeval and asteval had, and those of Jinja and of eval.
ESCAPES = [
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()[117].__init__.__globals__['system']('id')",
    'metrics("a.json").__class__',
    'metrics("a.json")["auc"].__class__.__base__',
    "[].append.__self__",
    "''.format.__globals__",
    "'{0.__class__.__mro__}'.format(1)",
    "'{x.__class__}'.format_map({'x': 1})",
    "f'{1 .__class__}'",
    "f'{1:>1000000000}'",
    "__import__('os').system('id')",
    "eval('1')",
    "exec('import os')",
    "open('/etc/passwd')",
    "getattr(1, 'real')",
    "type(1)",
    "globals()",
    "breakpoint()",
    "help()",
    "lambda: 1",
    "(lambda: 1)()",
    "[x for x in [1] * 100000000]",
    "{x: x for x in [1]}",
    "{1, 2}",
    "{'a': 1}",
    "(x for x in [1])",
    "(x := 1)",
    "max(*[1, 2])",
    "max(**{'a': 1})",
    "(1).real.__class__",
    "(1).bit_length()",
    "'a'.upper()",
    "'a'.join(['b'])",
    'metrics("a.json").name.format(1)',
    'metrics("a.json").auc.fromhex("0")',
    'metrics("a.json").curve.append(1)',
    "metrics.__globals__",
    "max.__self__",
    "max.__self__.eval",
    "(max)(1).__class__",
    "[max][0](1)",
    "(metrics or max)(1)",
    "exists.__call__('a')",
    "b'x'",
    "1j",
    "...",
    "1 << 10000000",
    "1 if exists('a') else 2",
    "metrics('a.json')[0:1]",
    "print(1)",
    "await metrics('a')",
    "yield 1",
    "import os",
    "1; import os",
    "assert 1",
    "__builtins__",
    "_",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_way_out(text: str) -> None:
    """Known escapes are refused by their form, before anything is evaluated."""
    with pytest.raises(BadCondition):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        'metrics("a.json").mro',
        'metrics("a.json").func_globals',
        'metrics("a.json").gi_frame',
        'metrics("a.json").keys',
        'metrics("a.json").values',
        'metrics("a.json").source',
        'champion("late-flights").metrics',
        'champion("late-flights").missing',
        'metrics("a.json")["__class__"]',
        'metrics("a.json").curve["append"]',
        'metrics("a.json").auc.real',
        'metrics("a.json").name.upper',
        '"x".upper',
        "(1).real",
    ],
)
def test_attributes_are_keys(text: str) -> None:
    """A dot looks up a key of a file, and never an attribute of an object."""
    with pytest.raises(InvalidInput, match=r"has no |no keys"):
        ask(text)
