"""What an executor is given in order to execute an attempt: files, parameters, environment."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from dotenv import dotenv_values

from ..core import values
from ..core.executors import Kept, Outcome, Task
from ..core.resources import Hold, thread_limits
from ..core.runs import (
    ATTEMPT_VARIABLE,
    PROJECT_VARIABLE,
    READS_VARIABLE,
    Attempt,
    Run,
    Sweep,
)
from ..core.stages import ErrorRule
from ..mlflow_client import kernel_defaults
from ..tracking import REPLACED_VARIABLES
from .declared import inputs
from .projects import Project
from .submission import snapshot_path


def make_task(
    project: Project,
    sweep: Sweep,
    run: Run,
    attempt: Attempt,
    variables: dict[str, str],
    hold: Hold | None = None,
) -> Task:
    """Describe an attempt for its executor, and make the folders of its files. Raises OSError."""
    output = output_path(project, run)
    output.parent.mkdir(parents=True, exist_ok=True)
    result = result_path(project, attempt)
    result.parent.mkdir(exist_ok=True)
    log = log_path(project, attempt)
    log.touch()
    resume, stage = run.resume, sweep.stage
    executed = sweep.notebook_hash if resume is None else resume.notebook_hash
    return Task(
        attempt_id=attempt.id,
        source=sweep.notebook,
        snapshot=snapshot_path(project, executed),
        output=output,
        result=result,
        log=log,
        cwd=project.root / stage.folder if stage else (project.root / sweep.notebook).parent,
        parameters=run.parameters,
        kernel=sweep.kernel,
        language=sweep.context.get("language", "python"),
        secrets=frozenset(name for name in run.parameters if values.looks_secret(name)),
        environment=variables,
        cpus=sweep.cpus,
        memory=sweep.memory,
        gpus=sweep.gpus,
        timeout=sweep.timeout,
        cell_timeout=sweep.cell_timeout,
        # Another notebook may have other cells at these positions.
        shared=tuple(sweep.context.get("shared", ())) if executed == sweep.notebook_hash else (),
        kept=Kept(before=resume.cell, notebook=kept_path(project, resume.attempt))
        if resume is not None
        else None,
        stream_limit=round(project.settings.max_output_mb * 1_000_000),
        errors=stage.errors if stage else ErrorRule.ALL,
        start_timeout=stage.start_timeout if stage else None,
        expected_memory=(hold.memory or None) if hold is not None else None,
        inputs=tuple(sorted(inputs(project, sweep))) if sweep.executor != "local" else (),
        node=hold.node if hold is not None else "",
    )


def why_unwritable(error: OSError) -> str:
    """Say in one line why the files of an attempt cannot be made, and what to do."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "Free some space." if full else "Mend the permissions of its folder."
    where = f" ({error.filename})" if error.filename else ""
    return f"The output cannot be written: {error.strerror}{where}. {advice}"


def environment(
    project: Project,
    sweep: Sweep,
    attempt: Attempt,
    submitted: dict[str, str] | None,
    gpus: Sequence[str],
) -> dict[str, str]:
    """Return the variables of a kernel: the submitter's, those of .env, the limits of its share.

    An attempt sees the GPUs that it holds; one that asked for none sees what there is.
    """
    base = submitted or {**os.environ, **kernel_defaults()}
    extra = {k: v for k, v in dotenv_values(project.root / ".env").items() if v}
    chosen = {k: v for k, v in {**base, **extra}.items() if k not in REPLACED_VARIABLES}
    own = {k: v for k, v in os.environ.items() if k.startswith("JUPYTER_MLOPS_")}
    ids = {
        ATTEMPT_VARIABLE: attempt.id,
        PROJECT_VARIABLE: str(project.root),
        READS_VARIABLE: str(reads_path(project, attempt)),
    }
    devices = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
    return thread_limits(sweep.cpus) | chosen | own | ids | devices


def output_path(project: Project, run: Run) -> Path:
    """Return where a run's output notebook lies: ``runs/<notebook>/<sweep>/<run>.ipynb``.

    Notebooks that we have written ourselves lie in ``runs`` already.
    """
    notebook = run.notebook.removeprefix("runs/")
    folder = project.root / "runs" / Path(notebook).with_suffix("")
    return folder / run.sweep_id / f"{run.id}.ipynb"


def recorded_output(project: Project, run: Run, outcome: Outcome) -> str | None:
    """Return the output notebook's path in the project; None if there is none."""
    if not outcome.has_output:
        return None
    return output_path(project, run).relative_to(project.root).as_posix()


def kept_path(project: Project, attempt: str) -> Path:
    """Return where an attempt's output notebook lies that a later one keeps the beginning of."""
    return project.state / "journals" / f"{attempt}.kept.ipynb"


def result_path(project: Project, attempt: Attempt) -> Path:
    """Return where an attempt's outcome is left for the case that nobody listens any more."""
    return project.state / "journals" / f"{attempt.id}.result"


def log_path(project: Project, attempt: Attempt) -> Path:
    """Return where what an attempt's kernel prints past its notebook is kept."""
    return project.state / "logs" / f"{attempt.id}.log"


def reads_path(project: Project, attempt: Attempt) -> Path:
    """Return where an attempt's kernel tells which files it reads."""
    return project.state / "journals" / f"{attempt.id}.reads"


def context_path(project: Project, attempt: Attempt) -> Path:
    """Return where the context of an attempt is kept."""
    return project.state / "journals" / f"{attempt.id}.context.json"


def journal_path(project: Project, attempt: Attempt) -> Path:
    """Return where an attempt's journal lies, until its output notebook is made of it."""
    return result_path(project, attempt).with_suffix(".jsonl")
