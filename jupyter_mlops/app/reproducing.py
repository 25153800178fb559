"""Building a version again from its record, and comparing it with what was registered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from .. import registry, tracking
from ..core import formats, values
from ..core.cards import Card
from ..core.exceptions import InvalidInput, MlopsError, NotFound
from ..core.files import write_atomically
from ..core.runs import Status, SweepKind
from ..core.verdicts import Outcome, Verdict, compare_metrics, largest_difference
from ..registry import answering
from ..registry.mlops_scoring.loading import variables
from . import messages as m
from . import model_operations, records
from . import operations as ops
from .client import Client, connect
from .feature_operations import COMPUTE_FEATURES
from .following import follow
from .models import REPRODUCED
from .projects import Project, find_project
from .rebuilding import KERNEL, Workplace

#: What a record has when its version was built again.
VERDICT = "reproduction.json"
#: Seconds that the worker of the worktree may take to end.
_ENDING = 30


def reproduce(
    project: Project,
    name: str,
    version: int,
    *,
    here: bool,
    tolerance: float,
    note: Callable[[str], None],
) -> Verdict:
    """Build a version again from its record. Raises `NotFound` naming what is missing, `Conflict`.

    ``here`` uses the present environment in place of the recorded one.
    """
    record = records.place_of(project, name, version)
    card = records.read(project, name, version)
    if card is None:
        raise NotFound(
            f"There is no record models/{name}/v{version}. Bring it by git, or register the run "
            f"again: jupyter mlops models register {name} ID"
        )
    facts = {each.name.value: each.facts for each in card.parts}
    _check_parameters(facts["generation"])
    folder = Path(tempfile.mkdtemp(prefix="mlops-reproduce-"))
    place = Workplace(folder.resolve(), record, facts, note)
    try:
        place.check_out()
        place.bring_data()
        python = sys.executable if here else place.make_environment()
        with place.as_environment():
            verdict = _run(card, place, python, here=here, tolerance=tolerance, note=note)
    finally:
        _stop_worker(place)
        place.remove()
    _keep(project, record, verdict)
    return verdict


def _check_parameters(generation: dict[str, Any]) -> None:
    if not generation.get("notebook"):
        raise NotFound("The card names no notebook, so the model cannot be built again.")
    parameters = generation.get("parameters") or {}
    hidden = [name for name, value in parameters.items() if value == values.MASK]
    if hidden:
        raise InvalidInput(
            f"{hidden[0]} was a secret and is not recorded. Give it by the environment instead.",
            field=hidden[0],
        )


def _run(
    card: Card,
    place: Workplace,
    python: str,
    *,
    here: bool,
    tolerance: float,
    note: Callable[[str], None],
) -> Verdict:
    facts = {each.name.value: each.facts for each in card.parts}
    project = find_project(place.notebook)
    client = connect(project, python=sys.executable)
    request = m.SubmitRequest(
        notebook=project.relative(place.notebook),
        kind=SweepKind.RUN,
        values={name: [each] for name, each in _declared(facts["generation"]).items()},
        kernel=None if here else KERNEL,
        allow_undeclared=True,
    )
    request.environment = dict(os.environ)
    _compute_features(client, facts["data"], request, note)
    note(f"Running {request.notebook}")
    sweep = client.call(ops.SUBMIT, body=request)
    for _ in follow(client, sweep.id, 0):
        pass
    run = client.call(ops.LIST_RUNS, query=m.RunsQuery(sweep=sweep.id))[0]
    remarks = list(place.remarks)
    if run.status is not Status.SUCCEEDED:
        remarks.append(f"The notebook failed: {run.error}")
    metrics = compare_metrics(facts["artifacts"].get("metrics") or {}, run.metrics, tolerance)
    compared, difference = 0, None
    if run.status is Status.SUCCEEDED:
        sample = _sample(place)
        try:
            answers = _answers(project, run, python, sample, place.tree.parent) if sample else None
        except MlopsError as error:
            remarks.append(error.message)
            answers = None
        if answers is not None:
            compared = len(answers)
            difference = largest_difference(sample["predictions"], answers)
        elif not sample:
            remarks.append("No sample of requests was kept: pass example=… to mlops.log_model")
    outcome = _outcome(run, metrics, difference, tolerance, expected=bool(_sample(place)))
    return Verdict(
        model=card.model,
        version=card.version,
        outcome=outcome,
        tolerance=tolerance,
        metrics=metrics,
        predictions=compared,
        largest_difference=difference,
        environment="here" if here else "recorded",
        at=datetime.now(UTC),
        remarks=tuple(remarks),
    )


def _compute_features(
    client: Client,
    data: Mapping[str, Any],
    request: m.SubmitRequest,
    note: Callable[[str], None],
) -> None:
    """Compute the features of which the training set was made, as the notebook finds them."""
    # What comes from the request has no version, and is computed with the others.
    stored = [each["feature"] for each in data.get("features") or () if each["version"]]
    if not stored:
        return
    note(f"Computing {formats.counted(len(stored), 'feature')}")
    body = m.ComputeRequest(features=stored, kernel=request.kernel, environment=request.environment)
    sweep = client.call(COMPUTE_FEATURES, body=body)
    for _ in follow(client, sweep.id, 0):
        pass


def _outcome(
    run: m.RunView, metrics: Any, difference: float | None, tolerance: float, *, expected: bool
) -> Outcome:
    if run.status is not Status.SUCCEEDED or (expected and difference is None):
        return Outcome.FAILED
    same = all(each.same for each in metrics) and (difference is None or difference <= tolerance)
    return Outcome.SAME if same else Outcome.DIFFERENT


def _declared(generation: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = generation.get("parameters") or {}
    return parameters


def _sample(place: Workplace) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((place.record / records.SAMPLE).read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def _answers(
    project: Project, run: m.RunView, python: str, sample: dict[str, Any], folder: Path
) -> Any:
    """Return what the model that was built again predicts. Raises `MlopsError`."""
    uri = tracking.default_uri(project.state)
    files = folder / "model"
    files.mkdir()
    model = registry.open_registry(uri).fetch_model(run.mlflow_run_id or "", files)
    requests = folder / "requests.json"
    requests.write_text(json.dumps(sample["requests"]), "utf-8")
    done = subprocess.run(  # noqa: S603 - the model's own Python, and our script
        (python, answering.__file__, str(model), str(requests)),
        env=variables(model) | os.environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise InvalidInput(f"The model that was built again does not answer: {lines[-1]}")
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


def _stop_worker(place: Workplace) -> None:
    if place.root.is_dir():
        with suppress(MlopsError), place.as_environment():
            client = Client(find_project(place.root))
            health = client.alive()
            if health is not None:
                client.call(ops.DRAIN, body=m.DrainRequest(now=True))
                with suppress(psutil.Error):
                    psutil.Process(health.pid).wait(_ENDING)


def _keep(project: Project, record: Path, verdict: Verdict) -> None:
    """Record the verdict on the version: in its record, and where the registry knows it."""
    text = json.dumps(verdict.record(), indent=1, default=str)
    write_atomically(record / VERDICT, f"{text}\n".encode())
    body = m.AnnotateRequest(tags={REPRODUCED: f"{verdict.outcome} {verdict.at.isoformat()}"})
    with suppress(NotFound):
        connect(project).call(
            model_operations.ANNOTATE_MODEL,
            body=body,
            name=verdict.model,
            version=str(verdict.version),
        )
