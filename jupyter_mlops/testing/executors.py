"""What every executor must do, as tests: for those who write one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from ..core.executors import (
    CellFinished,
    CellStarted,
    Executor,
    ExecutorState,
    KernelStarted,
    MetricsLogged,
    OutputTail,
    Site,
)
from ..core.runs import Reason, Status
from .attempts import DEAF, FOREVER, PATIENCE, Attempts, Seen, printed, processes_of
from .executor_parts import CommandTests, LedgerTests

__all__ = ["ExecutorTests"]

_METRICS = """
from IPython.display import publish_display_data
points = [{"key": "loss", "value": 0.5 / step, "step": step, "time": 1.5} for step in (1, 2)]
publish_display_data({"application/vnd.jupyter-mlops.metrics.v1+json": {"points": points}})
"""


@pytest.mark.asyncio
class ExecutorTests(CommandTests, LedgerTests):
    """Tests of all that `jupyter_mlops.core.executors.Executor` and its ledger promise.

    Subclass it in a test module, and give it a fixture ``executor`` that opens an executor for the
    ``site``, a project in an empty folder, and closes it afterwards::

        import pytest
        import pytest_asyncio

        pytest.register_assert_rewrite("jupyter_mlops.testing.executors")

        from jupyter_mlops.testing.executors import ExecutorTests

        class TestMine(ExecutorTests):
            @pytest.fixture
            def settings(self):
                return {"address": "somewhere"}

            @pytest_asyncio.fixture
            async def executor(self, site):
                made = open_executor(site)
                await made.prepare()
                yield made
                await made.close()

    It needs pytest and pytest-asyncio. What it executes are short notebooks for the kernel
    ``python3``, and commands for ``sh``, of one core each. Give it two cores at least, which are
    there when the fixture is, and two GPUs if your executor can have them: one without is not asked
    for them. Where attempts run on the machine of the tests, these see to it that no process is
    left.

    An executor need not know how a notebook is executed. On whichever machine it has taken a `Task`
    to, `jupyter_mlops.execution.executors.local.LocalExecutor` can execute it there.
    """

    @pytest.fixture
    def settings(self) -> dict[str, object]:
        """Return the executor's table of the project's settings: nothing, unless overridden."""
        return {}

    @pytest.fixture
    def site(self, tmp_path: Path, settings: dict[str, object]) -> Site:
        """Return what an executor is opened for."""
        root = tmp_path / "project"
        (root / ".mlops").mkdir(parents=True)
        return Site(
            project="0123456789ab",
            root=root,
            state=root / ".mlops",
            settings=settings,
            warm=True,
            preload=(),
            mark={},
        )

    @pytest.fixture
    def executor(self) -> Executor:
        """Return the executor, open and prepared. Override it."""
        raise NotImplementedError("A subclass of ExecutorTests has a fixture named executor.")

    @pytest.fixture
    def attempts(self, executor: Executor, site: Site) -> Attempts:
        """Return what makes attempts, and has them executed."""
        return Attempts(executor, site)

    # -- notebooks ---------------------------------------------------------------------------------

    async def test_executes_a_notebook(self, attempts: Attempts) -> None:
        """It returns the outcome, with the output notebook and the result file written."""
        task = attempts.task("print(x * 21)")
        outcome = await attempts.execute(task)
        assert (outcome.status, outcome.reason, outcome.error) == (Status.SUCCEEDED, None, None)
        assert outcome.has_output
        assert outcome.duration > 0
        assert len(outcome.cell_times) == 3
        assert printed(task.output) == ["", "", "42\n"]
        assert task.result.stat().st_size
        assert not task.journal.exists(), "the journal is left, although its notebook is written"

    async def test_tells_of_progress_in_order(self, attempts: Attempts) -> None:
        """First that the kernel runs, then each cell's begin and end, in the loop's thread."""
        seen = Seen()
        await attempts.execute(attempts.task("print(x)"), seen)
        kinds = [type(each) for each in seen.progress if not isinstance(each, OutputTail)]
        assert kinds == [KernelStarted, *[CellStarted, CellFinished] * 3]
        assert [each.cell for each in seen.of(CellStarted)] == [1, 2, 3]
        (kernel,) = seen.of(KernelStarted)
        assert kernel.cells == 3
        assert kernel.start.partition(" ")[0] in ("warm", "cold")

    async def test_injects_parameters(self, attempts: Attempts) -> None:
        """They keep their types."""
        parameters = {"x": 2.5, "y": "it's \N{GREEK SMALL LETTER ALPHA}", "z": [None, {"a": True}]}
        task = attempts.task("print(repr((x, y, z)))", parameters=parameters)
        await attempts.execute(task)
        assert printed(task.output)[-1] == f"{tuple(parameters.values())!r}\n"

    async def test_hides_secrets(self, attempts: Attempts) -> None:
        """The kernel knows the value, the output notebook does not."""
        task = attempts.task(
            "print(len(x))", parameters={"x": "hunter2hunter2"}, secrets=frozenset({"x"})
        )
        await attempts.execute(task)
        assert printed(task.output)[-1] == "14\n"
        assert "hunter2" not in task.output.read_text("utf-8")

    async def test_gives_variables_and_files(self, attempts: Attempts) -> None:
        """A kernel has the task's variables and files, and what it makes is there afterwards."""
        (attempts.root / "table.csv").write_text("1,2\n", "utf-8")
        task = attempts.task(
            "import os, pathlib\n"
            "pathlib.Path('made').mkdir()\n"
            "text = pathlib.Path('table.csv').read_text() + os.environ['VARIABLE_OF_KIT']\n"
            "pathlib.Path('made/answer.txt').write_text(text)",
            inputs=(attempts.root / "table.csv",),
        )
        outcome = await attempts.execute(task)
        assert outcome.status is Status.SUCCEEDED, outcome
        assert (attempts.root / "made" / "answer.txt").read_text("utf-8") == "1,2\nyes"

    async def test_a_cell_fails(self, attempts: Attempts) -> None:
        """The outcome names cell and exception in a line, and the notebook so far is there."""
        task = attempts.task("print('so far')", "raise ValueError('bad\\nmore')", "print('never')")
        outcome = await attempts.execute(task)
        assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.ERROR)
        assert (outcome.error, outcome.failed_cell) == ("ValueError: bad", 4)
        assert outcome.has_output
        assert (printed(task.output)[2], printed(task.output)[-1]) == ("so far\n", "")

    async def test_a_kernel_dies(self, attempts: Attempts) -> None:
        """That is another reason than an error, and the next attempt has a kernel of its own."""
        outcome = await attempts.execute(attempts.task("import os; os._exit(1)"))
        assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.KERNEL_DIED)
        assert outcome.failed_cell == 3
        assert outcome.error
        outcome = await attempts.execute(attempts.task("print(x)"))
        assert outcome.status is Status.SUCCEEDED

    async def test_a_kernel_is_missing(self, attempts: Attempts) -> None:
        """That fails the attempt in a line."""
        outcome = await attempts.execute(attempts.task("print(x)", kernel="none-such"))
        assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.KERNEL_MISSING)
        assert "none-such" in (outcome.error or "")

    async def test_keeps_a_time_limit(self, attempts: Attempts) -> None:
        """An attempt that takes longer fails, and its processes are gone."""
        task = attempts.task(FOREVER, timeout=3.0)
        outcome = await attempts.execute(task)
        assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.TIMEOUT)
        assert not processes_of(task.attempt_id)

    async def test_tells_of_metrics(self, attempts: Attempts) -> None:
        """Each value once, in order, and before the attempt has ended."""
        seen = Seen()
        await attempts.execute(attempts.task(_METRICS, "print(x)"), seen)
        points = [point for each in seen.of(MetricsLogged) for point in each.points]
        found = [(each.key, each.value, each.step, each.time) for each in points]
        assert found == [("loss", 0.5, 1, 1.5), ("loss", 0.25, 2, 1.5)]

    async def test_executes_several_at_once(self, attempts: Attempts) -> None:
        """Attempts that the ledger has room for run side by side, and are stopped one by one."""
        async with attempts.held() as first, attempts.held() as second:
            tasks = [attempts.task(FOREVER) for _ in range(2)]
            seen = [Seen(), Seen()]
            running = [
                asyncio.create_task(attempts.execute_at(hold, task, each))
                for hold, task, each in zip((first, second), tasks, seen, strict=True)
            ]
            for each in seen:
                await each.until_cell(3)
            await attempts.executor.cancel(tasks[0].attempt_id)
            assert (await running[0]).status is Status.CANCELLED
            assert not running[1].done()
            await attempts.executor.cancel(tasks[1].attempt_id)
            assert (await running[1]).status is Status.CANCELLED

    # -- stopping ----------------------------------------------------------------------------------

    async def test_cancels_a_deaf_kernel(self, attempts: Attempts) -> None:
        """When its outcome is there, it is gone with all that it has started."""
        seen = Seen()
        task = attempts.task(DEAF)
        running = asyncio.create_task(attempts.execute(task, seen))
        await seen.until(lambda each: isinstance(each, OutputTail) and "deaf" in each.text)
        await attempts.executor.cancel(task.attempt_id)
        outcome = await running
        assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
        assert not processes_of(task.attempt_id)

    async def test_cancels_before_the_kernel_runs(self, attempts: Attempts) -> None:
        """An attempt that has hardly begun executes no cell."""
        seen = Seen()
        task = attempts.task(FOREVER)
        async with attempts.held() as hold:
            running = asyncio.create_task(attempts.execute_at(hold, task, seen))
            await asyncio.sleep(0)
            await attempts.executor.cancel(task.attempt_id)
            outcome = await running
        assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
        assert not seen.of(CellStarted)
        assert not processes_of(task.attempt_id)

    async def test_cancels_before_it_is_executed(self, attempts: Attempts) -> None:
        """An attempt that is cancelled before anybody has it executed ends when that is done."""
        seen = Seen()
        task = attempts.task(FOREVER)
        await attempts.executor.cancel(task.attempt_id)
        outcome = await attempts.execute(task, seen)
        assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
        assert not seen.of(CellStarted)

    async def test_ignores_unknown_attempts(self, attempts: Attempts) -> None:
        """One that never was, and one that has ended."""
        task = attempts.task("print(x)")
        await attempts.execute(task)
        await attempts.executor.cancel("nobody")
        await attempts.executor.cancel(task.attempt_id)
        assert (await attempts.execute(attempts.task("print(x)"))).status is Status.SUCCEEDED

    async def test_close_ends_what_runs(self, attempts: Attempts) -> None:
        """Nothing goes on afterwards, no process is left, and it may be closed again."""
        seen = Seen()
        task = attempts.task(FOREVER)
        running = asyncio.create_task(attempts.execute(task, seen))
        await seen.until_cell(3)
        await attempts.executor.close()
        _, still = await asyncio.wait([running], timeout=PATIENCE)
        assert not still
        assert not isinstance(running.exception(), TimeoutError), "it has not ended by itself"
        assert running.exception() or running.result().status is not Status.SUCCEEDED
        _, alive = psutil.wait_procs(processes_of(task.attempt_id), timeout=10)
        assert not alive

    # -- how it stands -----------------------------------------------------------------------------

    async def test_tells_how_it_stands(self, attempts: Attempts) -> None:
        """It says where it runs attempts, and how many its nodes execute and have room for."""
        executor = attempts.executor
        assert executor.name
        assert executor.problem is None
        await executor.prepare()  # as before every submission
        seen = Seen()
        task = attempts.task(FOREVER)
        async with attempts.held() as hold:
            running = asyncio.create_task(attempts.execute_at(hold, task, seen))
            await seen.until_cell(3)
            state = executor.state()
            await executor.cancel(task.attempt_id)
            await running
        assert isinstance(state, ExecutorState)
        assert state.runs_on
        names = [each.name for each in state.nodes]
        assert len(set(names)) == len(names)
        assert not names or hold.place in names
        for each in state.nodes:
            busy = each.name == hold.place
            assert each.running == busy
            assert each.has.cores - each.free.cores == busy
            assert "python3" in each.kernels
