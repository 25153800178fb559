"""Executors that do not what they should fail the tests that every executor must pass."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops.core.executors import (
    ExecutorState,
    MetricsLogged,
    Outcome,
    Progress,
    Site,
    Task,
)
from jupyter_mlops.core.runs import Status
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.slots import Slots
from jupyter_mlops.testing import attempts as kit
from jupyter_mlops.testing import executors
from jupyter_mlops.testing.attempts import Attempts
from jupyter_mlops.testing.executors import ExecutorTests
from tests.support.records import a_machine

Report = Callable[[Progress], None]


class _Executor(LocalExecutor):
    """One that can be broken, and ends what it has begun all the same."""

    async def really_close(self) -> None:
        """End everything."""
        await LocalExecutor.close(self)


class _TellsSecrets(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        return await super().execute(replace(task, secrets=frozenset()), report)


class _KeepsNoTypes(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        texts = {name: str(value) for name, value in task.parameters.items()}
        return await super().execute(replace(task, parameters=texts), report)


class _TellsTwice(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        def twice(progress: Progress) -> None:
            for _ in range(2 if isinstance(progress, MetricsLogged) else 1):
                report(progress)

        return await super().execute(task, twice)


class _TellsFromAThread(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        def told(progress: Progress) -> None:
            def tell() -> None:
                with pytest.raises(AssertionError, match="in another thread"):
                    report(progress)

            thread = threading.Thread(target=tell)
            thread.start()
            thread.join()

        return await super().execute(task, told)


class _SeesNoFailure(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        outcome = await super().execute(task, report)
        return replace(outcome, status=Status.SUCCEEDED, reason=None, error=None)


class _ForgetsLimits(_Executor):
    async def execute(self, task: Task, report: Report) -> Outcome:
        return await super().execute(replace(task, timeout=None), report)


class _CancelsNothing(_Executor):
    async def cancel(self, attempt_id: str) -> None:
        pass


class _Closes(_Executor):
    async def close(self) -> None:
        pass


class _KnowsNothing(_Executor):
    def state(self) -> ExecutorState:
        return replace(super().state(), runs_on="")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project in an empty folder."""
    (state := tmp_path / "project" / ".mlops").mkdir(parents=True)
    return Site(
        project="p",
        root=state.parent,
        state=state,
        settings={},
        warm=False,
        preload=(),
        mark={},
    )


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[[type[_Executor]], _Executor]]:
    """Opens executors; they are closed in the end."""
    (slots := tmp_path / "slots").mkdir()
    made: list[_Executor] = []

    def open_executor(kind: type[_Executor]) -> _Executor:
        made.append(kind(tmp_path / "runner.log", Slots(slots, "p", machine=a_machine(cores=2))))
        return made[-1]

    yield open_executor
    for each in made:
        await each.really_close()


Check = Callable[[ExecutorTests, Attempts], Awaitable[None]]


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (_TellsSecrets, ExecutorTests.test_hides_secrets),
        (_KeepsNoTypes, ExecutorTests.test_injects_parameters),
        (_TellsTwice, ExecutorTests.test_tells_of_metrics),
        (_TellsFromAThread, ExecutorTests.test_tells_of_progress_in_order),
        (_SeesNoFailure, ExecutorTests.test_a_cell_fails),
        (_SeesNoFailure, ExecutorTests.test_a_kernel_dies),
        (_ForgetsLimits, ExecutorTests.test_keeps_a_time_limit),
        (_CancelsNothing, ExecutorTests.test_cancels_before_the_kernel_runs),
        (_CancelsNothing, ExecutorTests.test_cancels_before_it_is_executed),
        (_Closes, ExecutorTests.test_close_ends_what_runs),
        (_KnowsNothing, ExecutorTests.test_tells_how_it_stands),
    ],
)
async def test_is_found_out(
    opened: Callable[[type[_Executor]], _Executor],
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    broken: type[_Executor],
    check: Check,
) -> None:
    """The test of what it does wrong fails; those of `LocalExecutor` itself pass elsewhere."""
    for module in (kit, executors):
        monkeypatch.setattr(module, "PATIENCE", 5.0)
    with pytest.raises((AssertionError, TimeoutError)):
        await check(ExecutorTests(), Attempts(opened(broken), site))
