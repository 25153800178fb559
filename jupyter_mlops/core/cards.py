"""Model cards: the eight parts that every model version answers for, and when each is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

#: Version of the card's form; ``registry/model_card.v1.json`` is its schema.
FORM = 1

#: What the tags that are ours or MLflow's begin with.
RESERVED = ("mlops.", "mlflow.")

Facts = Mapping[str, Any]
#: What is missing, as the one line that says how to complete it; None where nothing is.
Lack = str | None


class PartName(StrEnum):
    """What a card tells, in the order in which it is told."""

    DEFINITION = "definition"  #: class, hyperparameters, loss, layers and parameter counts
    PARAMETERS = "parameters"  #: the files of the weights, their size and sha256
    FUNCTIONS = "functions"  #: the source of featurize and predict, and a model that runs both
    DEPENDENCIES = "dependencies"  #: Python, exact versions of packages, platform, container
    DATA = "data"  #: which data in which version, and how they were split
    GENERATION = "generation"  #: notebook, commit and changes, and the space that was searched
    ARTIFACTS = "artifacts"  #: metrics, curves, plots and the output notebook
    TAGS = "tags"  #: owner, task, stakeholders, and free tags


class PartStatus(StrEnum):
    """How much of a part is known."""

    PRESENT = "present"  #: all of it
    PARTIAL = "partial"  #: some of it
    MISSING = "missing"  #: nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a card."""

    name: PartName
    status: PartStatus
    #: What would complete it, in one line; None if it is complete.
    line: str | None
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """The complete record of a model version."""

    model: str
    version: int
    created_at: datetime
    #: Our run that made it and the tracker's; None if it came from elsewhere.
    run_id: str | None
    mlflow_run_id: str | None
    parts: tuple[Part, ...]

    @property
    def complete(self) -> int:
        """Number of parts that are present."""
        return sum(each.status is PartStatus.PRESENT for each in self.parts)

    def part(self, name: PartName) -> Part:
        """Return a part."""
        return next(each for each in self.parts if each.name is name)

    def record(self) -> dict[str, Any]:
        """Return it as ``model_card.json`` has it."""
        return {
            "form": FORM,
            "model": self.model,
            "version": self.version,
            "created_at": self.created_at.isoformat(),
            "run_id": self.run_id,
            "mlflow_run_id": self.mlflow_run_id,
            "complete": self.complete,
            "parts": {
                each.name.value: {
                    "status": each.status.value,
                    "line": each.line,
                    "facts": each.facts,
                }
                for each in self.parts
            },
        }


def read_card(record: Mapping[str, Any]) -> Card:
    """Undo `Card.record`. Raises KeyError, TypeError, ValueError for what is no card."""
    if record["form"] != FORM:
        raise ValueError(f"form {record['form']}")
    parts = tuple(
        Part(
            name=PartName(name),
            status=PartStatus(part["status"]),
            line=part["line"],
            facts=dict(part["facts"]),
        )
        for name, part in record["parts"].items()
    )
    return Card(
        model=record["model"],
        version=record["version"],
        created_at=datetime.fromisoformat(record["created_at"]),
        run_id=record["run_id"],
        mlflow_run_id=record["mlflow_run_id"],
        parts=parts,
    )


def tagged(card: Card, tags: Mapping[str, str]) -> Card:
    """Return a card with the tags that its version has got since, which may complete it."""
    own = {name: text for name, text in tags.items() if not name.startswith(RESERVED)}
    parts = tuple(
        judge(each.name, {**each.facts, **own}) if each.name is PartName.TAGS else each
        for each in card.parts
    )
    return replace(card, parts=parts)


def judge(name: PartName, facts: Facts) -> Part:
    """Return a part with its completeness, which its facts decide."""
    known = {key: value for key, value in facts.items() if value not in (None, "", [], {}, ())}
    anything, line = _JUDGES[name](known)
    if line is None:
        status = PartStatus.PRESENT
    else:
        status = PartStatus.PARTIAL if anything else PartStatus.MISSING
    return Part(name=name, status=status, line=line, facts=dict(facts))


def _definition(facts: Facts) -> tuple[bool, Lack]:
    if "class" not in facts:
        return False, "Log the model with mlops.log_model(model, NAME), which describes it."
    if "hyperparameters" not in facts and "layers" not in facts and "source" not in facts:
        return True, "Nothing tells its hyperparameters: pass them as tags, or as run parameters."
    return True, None


def _parameters(facts: Facts) -> tuple[bool, Lack]:
    files = facts.get("files", [])
    if not files:
        return False, "The model's files cannot be read. Log the model again, and register it."
    return True, None


def _functions(facts: Facts) -> tuple[bool, Lack]:
    missing = [name for name in ("featurize", "predict") if not facts.get(name, {}).get("source")]
    if len(missing) == 2:
        words = "featurize=…, predict=…" if "signature" in facts else "featurize=…, example=…"
        return False, f"Log it with mlops.log_model(model, NAME, {words})."
    if missing:
        return True, f"Pass {missing[0]}=… to mlops.log_model, and register the new run."
    if not facts.get("takes_raw_requests"):
        return True, "Log it with mlops.log_model, so that it takes raw requests."
    if "signature" not in facts:
        return True, "Nothing tells what it asks for: pass example=… to mlops.log_model."
    return True, None


def _dependencies(facts: Facts) -> tuple[bool, Lack]:
    if "python" not in facts:
        return False, "Register a run that the project's worker executed: jupyter mlops run NB."
    if not isinstance(facts.get("packages"), Mapping):
        return True, "Its packages are unknown. Run the notebook with: jupyter mlops run NB"
    if "platform" not in facts:
        return True, "Its platform is unknown. Run the notebook with: jupyter mlops run NB"
    return True, None


def _data(facts: Facts) -> tuple[bool, Lack]:
    files, splits = facts.get("files", []), facts.get("splits", {})
    if not files and not splits and "datasets" not in facts:
        return False, 'Pass data={"train": …, "validation": …} to mlops.log_model.'
    unknown = [each["path"] for each in files if not (each.get("sha256") or each.get("dvc_md5"))]
    if unknown:
        return True, f"{unknown[0]} has no version. Track it with: dvc add {unknown[0]}"
    if not files:
        return True, 'Where the data come from is unknown. Name their file: mlops.data("PATH")'
    if not splits:
        return True, 'Say what was held out: mlops.log_model(…, data={"train": …, "test": …}).'
    loose = [each["path"] for each in files if not each.get("kept_by")]
    if loose:
        return True, f"Nothing keeps {loose[0]}. Track it with: dvc add {loose[0]}"
    return True, None


def _generation(facts: Facts) -> tuple[bool, Lack]:
    if "notebook" not in facts:
        return "run" in facts, "Train it in a notebook: jupyter mlops run NB"
    git = facts.get("git") or {}
    if not git.get("commit"):
        return True, "Its code has no commit. Put the project under git, commit, and run it again."
    changes = git.get("changes") or {}
    if (git.get("dirty") or changes.get("new_files")) and not changes.get("patch"):
        return True, changes.get("left_out") or "Its changes were not kept. Commit, run it again."
    return True, None


def _artifacts(facts: Facts) -> tuple[bool, Lack]:
    if "metrics" not in facts and "notebook" not in facts:
        return False, "Log metrics in the notebook: mlops.log(auc=0.7)"
    if "metrics" not in facts:
        return True, "Log metrics in the notebook: mlops.log(auc=0.7)"
    if "notebook" not in facts:
        return True, "It has no output notebook. Run the notebook with: jupyter mlops run NB"
    return True, None


def _tags(facts: Facts) -> tuple[bool, Lack]:
    missing = [name for name in ("owner", "task", "stakeholders") if name not in facts]
    if not missing:
        return True, None
    words = " ".join(f"{name}=…" for name in missing)
    return bool(facts), f"Tag it: jupyter mlops models tag NAME VERSION {words}"


_JUDGES: dict[PartName, Callable[[Facts], tuple[bool, Lack]]] = {
    PartName.DEFINITION: _definition,
    PartName.PARAMETERS: _parameters,
    PartName.FUNCTIONS: _functions,
    PartName.DEPENDENCIES: _dependencies,
    PartName.DATA: _data,
    PartName.GENERATION: _generation,
    PartName.ARTIFACTS: _artifacts,
    PartName.TAGS: _tags,
}
