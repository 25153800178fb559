"""Warm kernels: forked from a template that has imported what the notebook imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where an attempt's kernel comes from."""

    #: Socket of the template that has one.
    template: Path | None = None
    #: File with what the shared cells have put out, if there are any.
    shared: Path | None = None
    #: Why it is started cold, or why nothing is shared.
    reason: str | None = None


#: What a Python kernel that was not forked executes so that it tells which files it reads.
WATCH_READS = (
    "exec(compile(open({0!r}, encoding='utf-8').read(), {0!r}, 'exec'), "
    "{{'__name__': 'mlops_reads'}})"
).format(str(Path(__file__).parent / "mlops_template" / "reads.py"))
