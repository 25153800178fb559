"""How sweeps, runs and metrics are written in MLflow's terms, within its rules and limits."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

from ..core.executors import Outcome
from ..core.runs import Attempt, Run, Status, Sweep
from ..core.values import masked, quote
from ..mlflow_client import ATTEMPT, DETACHED, METRIC, PARAMETER, PARENT, RUN, SWEEP

T = TypeVar("T")

#: Longest values that MLflow keeps.
PARAMETER_LIMIT = 6000
TAG_LIMIT = 8000
KEY_LIMIT = 250
#: Longest names of files, in bytes, before what we append.
FILE_LIMIT = 200
#: Most items in one request, and most bytes of them; MLflow refuses requests above 1 MB.
METRICS_PER_BATCH = 1000
PARAMETERS_PER_BATCH = 100
BYTES_PER_BATCH = 600_000

#: Marks the parent run of a sweep.
KIND = "mlops.kind"
#: Names of parameters whose text was longer than MLflow keeps.
TRUNCATED = "mlops.truncated"
#: Parameters that are logged at the end, as JSON; a number is appended where one is not enough.
PENDING = "mlops.parameters"
#: On attempts that were followed by another attempt.
SUPERSEDED = "mlops.superseded"

#: On runs that code started while the attempt's own could not be recorded: the attempt's id.
STRAY = "mlops.begun_by"

STATUSES = {
    Status.QUEUED: "SCHEDULED",
    Status.RUNNING: "RUNNING",
    Status.SUCCEEDED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "KILLED",
}

_UNUSABLE = re.compile(r"[^/\w.\- :]")


def key_for(name: str) -> str:
    """Return the key under which MLflow takes a metric or parameter.

    A name that it would refuse gets a short hash, so that two names never share a key.
    """
    if len(name) <= KEY_LIMIT and not _UNUSABLE.search(name) and _is_plain(name):
        return name
    parts = [part.lstrip(".") for part in _UNUSABLE.sub("_", name).split("/")]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{'/'.join(filter(None, parts))[: KEY_LIMIT - 50] or 'unnamed'}.{digest}"


def _is_plain(name: str) -> bool:
    """Whether the name, taken for a path, means itself."""
    path = posixpath.normpath(name)
    return path == name and path != "." and not path.startswith(("..", "/"))


def parameter_texts(parameters: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return parameters as MLflow's own ``log_param`` would write them, secrets masked.

    The same text as the notebook's own ``log_param(name, value)`` makes that call harmless. The
    second part holds the whole text of those that were cut.
    """
    texts = {key_for(name): _storable(str(value)) for name, value in masked(parameters).items()}
    cut = {name: text for name, text in texts.items() if len(text) > PARAMETER_LIMIT}
    return {name: text[:PARAMETER_LIMIT] for name, text in texts.items()}, cut


def given_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are neither ours nor MLflow's."""
    return {name: text for name, text in tags.items() if not name.startswith(("mlops.", "mlflow."))}


def renaming_tags(prefix: str, names: Iterable[str]) -> dict[str, str]:
    """Return tags that tell what MLflow would not take by its name, by the key that it has."""
    found = ((key_for(name), name) for name in names)
    return {f"{prefix}{key}": _storable(name)[:TAG_LIMIT] for key, name in found if key != name}


def file_for(name: str) -> str:
    """Return the path of the artifact that holds the whole text of a parameter or tag."""
    if len(name.encode()) <= FILE_LIMIT:
        return f"{name}.txt"
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name.encode()[:100].decode(errors='ignore')}.{digest}.txt"


def cut_notes(whole: Mapping[str, str], folder: str, limit: int) -> list[str]:
    """Say of each text that was cut where the whole of it is."""
    return [
        f"{name} has {len(text):,} characters, of which MLflow keeps {limit:,}. "
        f"The whole is the artifact {folder}/{file_for(name)}."
        for name, text in whole.items()
    ]


def renaming_notes(tags: Mapping[str, str]) -> list[str]:
    """Say of each name that MLflow would not take what it has become."""
    return [
        f"MLflow does not take the name {quote(name)}: there it is {key.removeprefix(prefix)}."
        for key, name in tags.items()
        for prefix in (PARAMETER, METRIC)
        if key.startswith(prefix)
    ]


def truncation_tags(cut: Collection[str]) -> dict[str, str]:
    """Return the tag that names the parameters whose text was cut."""
    return {TRUNCATED: ", ".join(cut)[:TAG_LIMIT]} if cut else {}


def pending_tags(texts: Mapping[str, str]) -> dict[str, str]:
    """Keep parameters in tags, until the notebook has logged its own."""
    whole = json.dumps(texts, ensure_ascii=False)
    pieces = [whole[at : at + TAG_LIMIT] for at in range(0, len(whole), TAG_LIMIT)]
    return {PENDING + (f".{number}" if number else ""): text for number, text in enumerate(pieces)}


def pending_texts(tags: Mapping[str, str]) -> dict[str, str]:
    """Undo `pending_tags`."""
    pieces: list[str] = []
    while (key := PENDING + (f".{len(pieces)}" if pieces else "")) in tags:
        pieces.append(tags[key])
    return dict(json.loads("".join(pieces))) if pieces else {}


def sweep_name(sweep: Sweep) -> str:
    """Return a readable name of a sweep's parent run, such as ``02_train k3f9x2``."""
    return f"{PurePosixPath(sweep.notebook).stem or sweep.kind} {sweep.id}"


def run_name(sweep: Sweep, run: Run) -> str:
    """Return a readable name of a run, such as ``02_train k3f9x2-7``."""
    return f"{PurePosixPath(sweep.notebook).stem or sweep.kind} {run.id}"


def sweep_tags(sweep: Sweep) -> dict[str, str]:
    """Return the tags of a sweep's parent run."""
    facts = {
        SWEEP: sweep.id,
        KIND: sweep.kind.value,
        "mlops.total": str(sweep.total),
        "mlops.mode": sweep.mode,
        "mlops.space": json.dumps(masked(sweep.space), ensure_ascii=False),
        "mlops.sampler": sweep.search and sweep.search.sampler.value,
        "mlops.seed": sweep.search and str(sweep.search.seed),
        "mlops.pruning": sweep.pruning and sweep.pruning.rule.value,
        "mlops.metric": sweep.metric,
        "mlops.direction": ("maximize" if sweep.maximize else "minimize") if sweep.metric else None,
    }
    return _source_tags(sweep) | _texts(facts)


def attempt_tags(sweep: Sweep, run: Run, attempt: Attempt) -> dict[str, str]:
    """Return the tags of an attempt's run."""
    facts = {
        SWEEP: sweep.id,
        RUN: run.id,
        ATTEMPT: attempt.id,
        "mlops.executor": attempt.executor,
        "mlops.kernel": sweep.kernel,
        "mlops.stage": sweep.stage and sweep.stage.name,
        "mlops.pipeline": sweep.stage and sweep.stage.pipeline_id,
    }
    if sweep.mlflow_run_id is not None:
        facts[PARENT] = sweep.mlflow_run_id
    if is_detached(sweep):
        facts[DETACHED] = "true"
    return _source_tags(sweep) | _texts(facts)


def child_tags(sweep: Sweep, run: Run, parent: str) -> dict[str, str]:
    """Return the tags of runs that the notebook's own code starts beside the attempt's run."""
    return _source_tags(sweep) | {PARENT: parent, SWEEP: sweep.id, RUN: run.id}


def stray_tags(sweep: Sweep, run: Run, attempt: Attempt) -> dict[str, str]:
    """Return the tags of runs that code starts before its attempt has a run in MLflow."""
    return _source_tags(sweep) | {STRAY: attempt.id, SWEEP: sweep.id, RUN: run.id}


def outcome_tags(outcome: Outcome) -> dict[str, str]:
    """Return the tags that tell how an attempt ended."""
    return _texts(
        {
            "mlops.status": outcome.status.value,
            "mlops.reason": outcome.reason.value if outcome.reason else None,
            "mlops.error": outcome.error or None,
            "mlops.failed_cell": outcome.failed_cell,
            "mlops.duration": f"{outcome.duration:.3f}",
        }
    )


def is_detached(sweep: Sweep) -> bool:
    """Whether the notebook's code chooses a store, or another experiment than the sweep's.

    MLflow refuses to continue a run after that, so the code makes runs of its own.
    """
    calls = sweep.context.get("mlflow") or {}
    others = [name for name in calls.get("experiments", ()) if name != sweep.experiment]
    return bool(calls.get("tracking_uri") or others)


def logs_parameters(sweep: Sweep) -> bool:
    """Whether the notebook's code may log parameters of its own.

    MLflow refuses to change a parameter, so ours come after the notebook's.
    """
    return bool((sweep.context.get("mlflow") or {}).get("parameters"))


def _source_tags(sweep: Sweep) -> dict[str, str]:
    """Return where a run comes from, in MLflow's own tags where it has some."""
    git = sweep.context.get("git") or {}
    facts = {
        "mlflow.source.name": sweep.notebook,
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": sweep.context.get("user"),
        "mlflow.source.git.commit": git.get("commit"),
        "mlflow.source.git.branch": git.get("branch"),
        "mlflow.source.git.repoURL": git.get("remote"),
        "mlops.notebook_hash": sweep.notebook_hash,
        "mlops.git.dirty": git.get("dirty"),
        "mlops.git.diff_sha256": git.get("diff_sha256"),
        "mlops.git.state": git.get("state"),
        "mlops.host": sweep.context.get("host"),
        "mlops.platform": sweep.context.get("platform"),
    }
    return _texts(facts)


def _texts(facts: Mapping[str, object]) -> dict[str, str]:
    """Return what is known, true and false in lower case."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in facts.items()
        if value is not None and value != ""
    }


def limited(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags whose keys and values MLflow takes."""
    return {key_for(name): _storable(text)[:TAG_LIMIT] for name, text in tags.items()}


def cut_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the whole text of tags that are longer than MLflow keeps."""
    texts = ((key_for(name), _storable(text)) for name, text in tags.items())
    return {name: text for name, text in texts if len(text) > TAG_LIMIT}


def _storable(text: str) -> str:
    """Escape what some databases refuse: half characters and NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def size_of(item: object) -> int:
    """Return the bytes that an item takes in a request, with what MLflow writes around it."""
    return len(json.dumps(repr(item))) + 100


def batches(items: Collection[T], *, most: int) -> Iterator[list[T]]:
    """Yield items in groups of at most ``most``, and of no more bytes than a request may have."""
    group: list[T] = []
    size = 0
    for item in items:
        more = size_of(item)
        if group and (len(group) == most or size + more > BYTES_PER_BATCH):
            yield group
            group, size = [], 0
        group.append(item)
        size += more
    if group:
        yield group
