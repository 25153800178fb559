"""What to say about sweeps and runs: from the worker's answers to reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..app import messages as m
from ..core import formats
from ..core.runs import Environment, Reason, Status
from ..core.values import decode, identity
from . import resources, states
from .artifacts import artifact_hints, artifact_lines
from .form import Column, Report, Table

#: Rows of a table, and failures that are told one by one.
MAX_ROWS = 20
MAX_FAILURES = 3

_ORDER = (Status.SUCCEEDED, Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELLED)


def ranked(runs: Iterable[m.RunView]) -> list[m.RunView]:
    """Return runs best first; those follow that did not succeed with a finite value."""

    def key(run: m.RunView) -> tuple[bool, float, int, int]:
        value = decode(run.value)
        place = _ORDER.index(run.status), run.index
        if run.status is not Status.SUCCEEDED or not isinstance(value, (int, float)):
            return True, 0.0, *place
        if not math.isfinite(value):
            return True, 0.0, *place
        return False, -value if run.maximize else value, *place

    return sorted(runs, key=key)


def counts_text(counts: m.Counts) -> str:
    """Write ``✓ 10  ◐ 1  ✗ 1``, leaving out states without runs."""
    shown = (
        (Status.SUCCEEDED, counts.succeeded),
        (Status.RUNNING, counts.running),
        (Status.QUEUED, counts.queued),
        (Status.FAILED, counts.failed),
        (Status.CANCELLED, counts.cancelled - counts.pruned),
    )
    parts = [f"{formats.MARKS[status]} {count:,}" for status, count in shown if count]
    if counts.pruned:
        parts.append(f"{formats.MARKS[Status.CANCELLED]} {counts.pruned:,} pruned")
    return "  ".join(parts)


def done(counts: m.Counts) -> int:
    """Return how many runs have finished."""
    return counts.succeeded + counts.failed + counts.cancelled


def left(counts: m.Counts) -> int:
    """Return how many runs have not finished."""
    return counts.queued + counts.running


def best_text(sweep: m.SweepView, *, limit: int = 60) -> str:
    """Write ``best auc 0.731 at depth=3``; empty as long as there is none."""
    if sweep.best is None:
        return ""
    where = formats.pairs(sweep.best.parameters, limit=limit)
    at = f" at {where}" if where else ""
    return f"best {sweep.metric} {formats.value(sweep.best.value)}{at}"


def sweep_headline(sweep: m.SweepView) -> str:
    """Say in one line what a sweep is and how far it is."""
    parts = [
        sweep.notebook,
        formats.counted(sweep.total, "run"),
        counts_text(sweep.counts),
        best_text(sweep),
        formats.duration(sweep.duration),
        formats.remaining(sweep.remaining),
    ]
    return " · ".join(part for part in parts if part)


def sweep_report(sweep: m.SweepView, runs: Sequence[m.RunView], *, rows: int = MAX_ROWS) -> Report:
    """Report a sweep: its ranking, best first, and what failed."""
    order = ranked(runs)
    varying, constant = _parameters(order)
    details = [*_failures(order), *search_lines(sweep), *states.others(order)]
    if constant:
        details.append(f"The same in all: {formats.pairs(constant, limit=200)}")
    if sweep.source_changed:
        details.append(f"{sweep.notebook} has changed since it was submitted.")
    if len(order) > rows:
        details.append(f"The first {rows} of {formats.counted(len(order), 'run')}:")
    return Report(
        headline=sweep_headline(sweep),
        details=tuple(details),
        table=_ranking(order[:rows], varying, sweep.metric),
        hints=_sweep_hints(sweep, shown_all=len(order) <= rows),
    )


def search_lines(sweep: m.SweepView) -> list[str]:
    """Say who chooses the points of a sweep, and which runs are stopped early."""
    lines = []
    if (search := sweep.search) is not None:
        made = f"{search.trials:,} trials"
        if search.exhaustive:
            made = f"all points of the space, which are no more than {made}"
        lines.append(f"Sampler {search.sampler} · seed {search.seed} · {made}")
    if (pruning := sweep.pruning) is not None:
        first = "learned from the first run that succeeds"
        if pruning.steps is not None:
            first = f"step {pruning.steps:,}"
        lines.append(
            f"Pruning {pruning.rule} by {sweep.metric} · first look: {first}"
            f" · 1 in {pruning.factor} goes on"
        )
    return lines


def receipt(sweep: m.SweepView) -> Report:
    """Report a sweep that goes on by itself: what it is, and how to come back to it."""
    return Report(
        headline=f"{sweep.id}  {sweep_headline(sweep)}", hints=_sweep_hints(sweep, shown_all=True)
    )


def _sweep_hints(sweep: m.SweepView, *, shown_all: bool) -> tuple[tuple[str, str], ...]:
    hints = []
    if not shown_all:
        hints.append(("All runs", f"mlops runs list --sweep {sweep.id}"))
    if not sweep.status.finished:
        hints.append(("Follow", f"mlops runs show {sweep.id} --follow"))
        hints.append(("Cancel", f"mlops runs cancel {sweep.id}"))
        return tuple(hints)
    if sweep.counts.failed or sweep.counts.cancelled > sweep.counts.pruned:
        hints.append(("Run again what did not succeed", f"mlops runs retry {sweep.id}"))
    if sweep.best is not None:
        hints.append(("Look closer", f"mlops runs show {sweep.best.run_id}"))
        hints.append(("Register the best", f"mlops register NAME {sweep.id}"))
    hints.append(("Open the notebooks", "jupyter lab"))
    return tuple(hints)


def _parameters(runs: Sequence[m.RunView]) -> tuple[list[str], dict[str, Any]]:
    """Split parameters into those that vary among the runs, and those that do not."""
    names = list(dict.fromkeys(name for run in runs for name in run.parameters))
    varying = [name for name in names if len({_identity(run, name) for run in runs}) > 1]
    constant = {name: runs[0].parameters[name] for name in names if name not in varying}
    return varying, constant


def _identity(run: m.RunView, name: str) -> object:
    return identity(run.parameters[name]) if name in run.parameters else None


def _failures(runs: Sequence[m.RunView]) -> list[str]:
    failed = [run for run in runs if run.status is Status.FAILED]
    lines = [failure_line(run) for run in failed[:MAX_FAILURES]]
    if len(failed) > MAX_FAILURES:
        lines.append(f"✗ and {len(failed) - MAX_FAILURES:,} more")
    return lines


def failure_line(run: m.RunView) -> str:
    """Say in one line which run failed, where and why."""
    parts = [f"{formats.MARKS[Status.FAILED]} {run.id}", formats.pairs(run.parameters)]
    if run.cell:
        parts.append(f"cell {run.cell}")
    parts.append(run.error or str(run.reason or "failed"))
    return " · ".join(part for part in parts if part)


def _metrics(runs: Iterable[m.RunView], first: str | None) -> list[str]:
    names = sorted({name for run in runs for name in run.metrics})
    if first in names:
        names.remove(first)
        names.insert(0, first)
    return names


def _ranking(runs: Sequence[m.RunView], varying: Sequence[str], metric: str | None) -> Table:
    metrics = _metrics(runs, metric)
    columns = [
        Column("run"),
        Column("status"),
        *(Column(name, right=_numeric(runs, name), spare=i > 5) for i, name in enumerate(varying)),
        *(Column(name, right=True, spare=name != metric) for name in metrics),
        Column("duration", right=True),
    ]
    rows = (
        [
            run.id,
            states.marked(run),
            *(_cell(run.parameters, name) for name in varying),
            *(_cell(run.metrics, name) for name in metrics),
            states.took(run),
        ]
        for run in runs
    )
    return Table.of(columns, rows)


def _numeric(runs: Iterable[m.RunView], name: str) -> bool:
    values = [run.parameters[name] for run in runs if name in run.parameters]
    return all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values)


def _cell(values: dict[str, Any], name: str) -> str:
    return formats.value(values[name]) if name in values else ""


def progress_line(run: m.RunView) -> str:
    """Say in one line that a run has finished, and how."""
    if run.status is Status.FAILED:
        return failure_line(run)
    parts = [f"{formats.MARKS[run.status]} {run.id}", formats.pairs(run.parameters)]
    if stopped := _pruned(run):
        parts.append(stopped.rstrip("."))
    elif run.metric is not None and run.value is not None:
        parts.append(f"{run.metric} {formats.value(run.value)}")
    parts.append(formats.duration(run.duration))
    return " · ".join(part for part in parts if part)


def _pruned(run: m.RunView) -> str:
    return (run.error or "") if run.reason is Reason.PRUNED else ""


class ProgressLines:
    """A line for each run that has finished, counted one by one even if several came at once."""

    def __init__(self, sweep: m.SweepView) -> None:
        """Count on from where the sweep is."""
        self._total = sweep.total
        self._before = done(sweep.counts)
        self._seen: set[str] = set()

    def of(self, finished: Iterable[m.RunView]) -> Iterator[str]:
        """Yield the lines of runs that have just finished."""
        for run in finished:
            self._seen.add(run.id)
            number = min(self._before + len(self._seen), self._total)
            yield f"{number}/{self._total}  {progress_line(run)}"


def run_headline(run: m.RunView) -> str:
    """Say in one line what a run is and how far it is."""
    parts = [
        run.id,
        states.marked(run),
        run.notebook,
        formats.pairs(run.parameters),
        states.took(run),
        states.left(run),
    ]
    return " · ".join(part for part in parts if part)


def run_report(
    detail: m.RunDetail, tail: m.TailView | None = None, kept: m.ArtifactsView | None = None
) -> Report:
    """Report all that is known of a run, what it is printing, and what it kept."""
    run = detail.run
    facts = [
        ("Stopped" if _pruned(run) else "Error", run.error),
        ("Output", run.output),
        ("Stage", run.stage and f"{run.stage} of pipeline run {run.pipeline_id}"),
        ("Reserved", resources.asked(detail.sweep)),
        ("Used", resources.used(detail.attempts[-1]) if detail.attempts else ""),
        ("Node", detail.attempts[-1].node if detail.attempts else None),
        ("Kernel start", detail.attempts[-1].start if detail.attempts else ""),
        ("Shared cells", ", ".join(str(each + 1) for each in detail.context.get("shared", ()))),
        ("Experiment", run.experiment),
        ("MLflow run", run.mlflow_run_id),
        ("Environment", _environment(detail)),
        ("Not recorded yet", "it waits here until the tracking server answers" * run.unsynced),
        *(("Note", note) for note in (detail.attempts[-1].notes if detail.attempts else ())),
        *((_title(name), _fact(each)) for name, each in detail.context.items()),
    ]
    lines = [f"{name}: {fact}" for name, fact in facts if fact]
    if len(detail.attempts) > 1:
        lines += [_attempt_line(attempt) for attempt in detail.attempts]
    if tail is not None:
        lines += tail_lines(tail)
    if kept is not None:
        lines += artifact_lines(kept)
    metrics = Table.of(
        (Column("metric"), Column("value", right=True)),
        ((name, formats.value(each)) for name, each in run.metrics.items()),
    )
    return Report(
        headline=run_headline(run),
        details=tuple(lines),
        table=metrics,
        hints=(*_run_hints(run), *(artifact_hints(kept) if kept else ())),
    )


def _environment(detail: m.RunDetail) -> str:
    """Say that a run had the packages of the lock; a note tells in what others differ."""
    if detail.run.environment is not Environment.SAME:
        return ""
    return f"the packages of {(detail.context.get('lock') or {}).get('path', 'the lock')}"


def tail_lines(tail: m.TailView) -> list[str]:
    """Say what the current cell is doing, and show the last lines that it printed."""
    if tail.cell is None:
        return []
    elapsed = f" for {formats.duration(tail.cell_elapsed)}" if tail.cell_elapsed else ""
    printed = tail.text.rstrip("\n").split("\n") if tail.text.strip() else []
    return [f"Cell {tail.cell}{elapsed}{':' if printed else ''}", *(f"  {x}" for x in printed)]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, (str, int, float)) else ""


def _attempt_line(attempt: m.AttemptView) -> str:
    parts = [
        f"Attempt {attempt.number}: {formats.state(attempt.status, reason=attempt.reason)}",
        f"from cell {attempt.resumed_at} on" if attempt.resumed_at else "",
        attempt.error or str(attempt.reason or ""),
        formats.duration(attempt.duration),
    ]
    return " · ".join(part for part in parts if part)


def _run_hints(run: m.RunView) -> tuple[tuple[str, str], ...]:
    hints = []
    if not run.status.finished:
        hints.append(("Follow", f"mlops runs show {run.id} --follow"))
        hints.append(("Cancel", f"mlops runs cancel {run.id}"))
    elif run.status is not Status.SUCCEEDED:
        hints.append(("Run it again", f"mlops runs retry {run.id}"))
        if run.status is Status.FAILED and run.cell is not None and run.cell > 1:
            again = f"mlops runs retry {run.id} --from-failed-cell"
            hints.append(("Go on from the failed cell, once mended", again))
    return tuple(hints)
