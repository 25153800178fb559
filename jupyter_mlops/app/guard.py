"""The guard of memory: sees what attempts use, and has those ended that use too much."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..core import formats
from ..core.executors import Executor, Outcome
from ..core.resources import Capacity, Hold
from ..core.runs import Attempt, ProcessIdentity, Reason, Sweep
from ..execution.monitor import Monitor
from ..execution.usage import Usage


class MemoryGuard:
    """Watches the attempts of a scheduler. To be used in its event loop."""

    def __init__(self, machine: Capacity) -> None:
        self._monitor = Monitor(machine)
        self._executors: dict[str, Executor] = {}

    def begin(self) -> None:
        """Begin to end attempts."""
        loop = asyncio.get_running_loop()

        def exceeded(attempt_id: str, line: str) -> None:
            asyncio.run_coroutine_threadsafe(self._end(attempt_id, line), loop)

        self._monitor.begin(exceeded)

    def close(self) -> None:
        """Watch nothing any more."""
        self._monitor.close()

    def watch(
        self,
        attempt: Attempt,
        sweep: Sweep,
        hold: Hold | None,
        executor: Executor,
        kernel: ProcessIdentity,
    ) -> None:
        """Begin to watch the kernel of an attempt."""
        expected = hold.memory if hold is not None else 0
        self._executors[attempt.id] = executor
        self._monitor.watch(attempt.id, kernel, requested=sweep.memory, expected=expected or None)

    def forget(self, attempt: Attempt) -> Usage | None:
        """Watch an attempt no more; return what it was seen to use."""
        self._executors.pop(attempt.id, None)
        return self._monitor.forget(attempt.id)

    async def _end(self, attempt_id: str, line: str) -> None:
        executor = self._executors.get(attempt_id)
        if executor is not None:
            await executor.kill(attempt_id, line)


def with_usage(outcome: Outcome, seen: Usage | None) -> Outcome:
    """Return an outcome with the larger figures of what it says and of what was seen."""
    if seen is None:
        return outcome
    most = seen | Usage(outcome.peak_memory or 0, outcome.cpu_time or 0.0)
    error = outcome.error
    if outcome.reason is Reason.KERNEL_DIED and error is not None:
        error = error.replace(
            "maybe out of memory", f"maybe out of memory, peak {formats.size(most.peak_memory)}"
        )
    return replace(outcome, peak_memory=most.peak_memory, cpu_time=most.cpu_time, error=error)
