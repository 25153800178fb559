"""When each of the eight parts of a card is complete, and the line that says what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import jupyter_mlops.registry
from jupyter_mlops.core.card_differences import differences
from jupyter_mlops.core.cards import Card, PartName, PartStatus, judge, read_card
from jupyter_mlops.registry.markdown import markdown

SCHEMA = Path(jupyter_mlops.registry.__file__).with_name("model_card.v1.json")

FILE = {"path": "data/a.csv", "size": 3, "sha256": "ab", "kept_by": "dvc"}

COMPLETE: dict[PartName, dict[str, Any]] = {
    PartName.DEFINITION: {"class": "sklearn.Ridge", "hyperparameters": {"alpha": 1.0}},
    PartName.PARAMETERS: {"files": [FILE], "size": 3},
    PartName.FUNCTIONS: {
        "featurize": {"source": "def f(x): ..."},
        "predict": {"source": "def p(m, x): ..."},
        "takes_raw_requests": True,
        "signature": {"inputs": ["half: double"], "outputs": ["double"]},
    },
    PartName.DEPENDENCIES: {"python": "3.12.1", "packages": {"numpy": "2.0"}, "platform": "Linux"},
    PartName.DATA: {"files": [FILE], "splits": {"train": {"rows": 3}}},
    PartName.GENERATION: {"notebook": "train.ipynb", "git": {"commit": "c0ffee", "dirty": False}},
    PartName.ARTIFACTS: {"metrics": {"auc": 0.7}, "notebook": "runs/train/a.ipynb"},
    PartName.TAGS: {"owner": "ada", "task": "ranking", "stakeholders": "ops"},
}


def a_card(version: int = 1, **changes: dict[str, Any]) -> Card:
    """Return a card that is complete but for some changes."""
    facts = {name: changes.get(name.value, each) for name, each in COMPLETE.items()}
    return Card(
        model="flights",
        version=version,
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        run_id="k3m9x2ab-1",
        mlflow_run_id=None,
        parts=tuple(judge(name, each) for name, each in facts.items()),
    )


@pytest.mark.parametrize("name", list(PartName))
def test_present(name: PartName) -> None:
    """A part with all its facts is present, and nothing is to be done."""
    part = judge(name, COMPLETE[name])
    assert (part.status, part.line) == (PartStatus.PRESENT, None)


@pytest.mark.parametrize("name", list(PartName))
def test_missing(name: PartName) -> None:
    """A part without any facts is missing, and one line says what to do."""
    part = judge(name, {})
    assert part.status is PartStatus.MISSING
    assert part.line
    assert "\n" not in part.line


@pytest.mark.parametrize(
    ("name", "facts", "line"),
    [
        (PartName.DEFINITION, {"class": "a.B"}, "hyperparameters"),
        (PartName.FUNCTIONS, {"predict": {"source": "x"}}, "featurize=…"),
        (
            PartName.FUNCTIONS,
            {**COMPLETE[PartName.FUNCTIONS], "signature": {}},
            "example=… to mlops.log_model",
        ),
        (PartName.DEPENDENCIES, {"python": "3.12"}, "packages"),
        (PartName.DATA, {"files": [FILE]}, "held out"),
        (PartName.DATA, {"splits": {"train": {}}}, "mlops.data"),
        (PartName.DATA, {"files": [{**FILE, "kept_by": None}], "splits": {"a": {}}}, "dvc add"),
        (PartName.DATA, {"files": [{"path": "big.csv"}]}, "dvc add big.csv"),
        (PartName.GENERATION, {"notebook": "a.ipynb"}, "git"),
        (
            PartName.GENERATION,
            {
                "notebook": "a.ipynb",
                "git": {"commit": "c", "dirty": True, "changes": {"left_out": "Too large."}},
            },
            "Too large.",
        ),
        (PartName.ARTIFACTS, {"notebook": "a.ipynb"}, "mlops.log"),
        (PartName.TAGS, {"owner": "ada"}, "task=… stakeholders=…"),
    ],
)
def test_partial(name: PartName, facts: dict[str, Any], line: str) -> None:
    """A part that lacks something says what."""
    part = judge(name, facts)
    assert part.status is PartStatus.PARTIAL
    assert line in (part.line or "")


def test_schema() -> None:
    """Cards, complete or not, are what the published schema says, and no others are."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for card in (a_card(), a_card(data={}), a_card(definition={"class": "a.B"})):
        record = json.loads(json.dumps(card.record()))
        jsonschema.validate(record, schema)
        assert read_card(record) == card
    record["parts"]["data"]["status"] = "present"
    record["parts"]["data"]["line"] = "What else?"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema)


def test_other_form() -> None:
    """A card of a form that is not known is not read as if it were."""
    with pytest.raises(ValueError, match="form 2"):
        read_card(a_card().record() | {"form": 2})


def test_markdown() -> None:
    """The card as Markdown tells every part, and shows text as text."""
    text = markdown(a_card(tags={"owner": "<b>ada</b>"}, data={}))
    assert "6 of 8 parts are complete" in text
    assert r"\<b\>ada\</b\>" in text
    assert "## Data (missing)" in text
    assert "def p(m, x): ..." in text


def test_differences() -> None:
    """Two cards are compared fact by fact, and what differs comes first."""
    second = a_card(2, artifacts={"metrics": {"auc": 0.8}, "notebook": "runs/train/a.ipynb"})
    found = differences(a_card(), second)
    assert (found[0].name, found[0].first, found[0].second) == ("metrics.auc", 0.7, 0.8)
    assert [each.differs for each in found].count(True) == 1
    assert ("data/a.csv", "ab") in [(each.name, each.first) for each in found]
