"""Parts of the tests that every executor must pass: commands, and what it has to give."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from ..core.executors import Executor
from ..core.resources import Hold, Request, Shortage
from .attempts import PATIENCE, Attempts, acquired, printed, processes_of


class CommandTests:
    """Tests of `Executor.run`."""

    async def test_runs_a_command(self, attempts: Attempts) -> None:
        """Its exit code is returned, and what it prints is added to its log."""
        command = attempts.command("echo $VARIABLE_OF_KIT; echo wrong >&2; exit 3")
        command.log.write_text("before\n", "utf-8")
        assert await attempts.run(command) == 3
        assert command.log.read_text("utf-8") == "before\nyes\nwrong\n"

    async def test_gives_commands_files(self, attempts: Attempts) -> None:
        """A command finds its inputs in its folder, and what it makes is there afterwards."""
        (attempts.root / "table.csv").write_text("1,2\n", "utf-8")
        command = attempts.command(
            "mkdir made && cp table.csv made/copy.csv", inputs=(attempts.root / "table.csv",)
        )
        assert await attempts.run(command) == 0
        assert (attempts.root / "made" / "copy.csv").read_text("utf-8") == "1,2\n"

    async def test_a_signal_ends_a_command(self, attempts: Attempts) -> None:
        """Its number is told, negative."""
        assert await attempts.run(attempts.command("kill -9 $$")) == -9

    async def test_a_command_cannot_be_started(self, attempts: Attempts) -> None:
        """That is an OSError, as the shell itself is not there."""
        command = attempts.command("true")
        command.environment["SHELL"] = "/none-such/sh"
        with pytest.raises(OSError, match="none-such"):
            await attempts.run(command)

    @pytest.mark.parametrize("began", [True, False])
    async def test_stops_a_command(self, attempts: Attempts, *, began: bool) -> None:
        """When the waiting task is cancelled, it ends with all that it has started."""
        command = attempts.command("sleep 600 & sleep 600")
        running = asyncio.create_task(attempts.run(command))
        if began:
            await _until_begun(running, command.attempt_id)
        else:
            await asyncio.sleep(0)
        running.cancel()
        _, still = await asyncio.wait([running], timeout=PATIENCE)
        assert not still
        assert running.cancelled()
        assert not processes_of(command.attempt_id)


class LedgerTests:
    """Tests of `jupyter_mlops.core.resources.Ledger`."""

    async def test_gives_all_it_has(self, executor: Executor) -> None:
        """Core by core until there is none, and again what was given back."""
        ledger = executor.ledger
        holds = await _all_cores(executor)
        assert len(holds) >= 2, "the kit needs two cores"
        assert ledger.largest is not None
        assert ledger.largest.cores <= len(holds)
        told: list[bool] = []
        ledger.released.append(lambda: told.append(True))
        ledger.release(holds.pop())
        assert told, "nobody was told that something was given back"
        assert not ledger.full
        holds.append(await acquired(ledger, Request(cpus=1)))
        assert ledger.acquire(Request(cpus=1)) is Shortage.CORES
        for each in holds:
            ledger.release(each)

    async def test_takes_nothing_when_it_refuses(self, executor: Executor) -> None:
        """What is asked for comes whole or not at all."""
        ledger = executor.ledger
        before = await _all_cores(executor)
        for each in before:
            ledger.release(each)
        assert ledger.largest is not None
        too_much = Request(cpus=1, memory=ledger.largest.memory + 1)
        assert ledger.acquire(too_much) is Shortage.MEMORY
        ledger.content()
        after = await _all_cores(executor)
        assert len(after) == len(before)
        for each in after:
            ledger.release(each)

    async def test_lends_the_cores_of_who_waits(self, executor: Executor) -> None:
        """Suspended attempts leave their cores to others, and go on when there are some again."""
        ledger = executor.ledger
        waiting, *others = await _all_cores(executor)
        told: list[bool] = []
        ledger.released.append(lambda: told.append(True))
        ledger.suspend(waiting)
        assert waiting.cores == 0
        assert told, "nobody was told that cores were given back"
        taken = await acquired(ledger, Request(cpus=1))
        assert not ledger.resume(waiting, 1)
        assert waiting.cores == 0
        ledger.release(taken)
        assert ledger.resume(waiting, 1)
        assert waiting.cores == 1
        assert ledger.acquire(Request(cpus=1)) is Shortage.CORES
        for each in (waiting, *others):
            ledger.release(each)

    async def test_gives_no_gpu_twice(self, attempts: Attempts) -> None:
        """Each is held by one attempt at a time, and none is had when all are."""
        ledger = attempts.executor.ledger
        assert ledger.largest is not None
        if not ledger.largest.gpus:
            pytest.skip("this executor has no GPU")
        request = Request(cpus=1, gpus=1)
        holds = []
        while isinstance(hold := ledger.acquire(request), Hold):
            holds.append(hold)
        places = [(each.place, name) for each in holds for name in each.gpus]
        assert len(set(places)) == len(places) == len(holds)
        ledger.release(holds[-1])
        again = await acquired(ledger, request)
        assert again.gpus == holds.pop().gpus
        for each in (*holds, again):
            ledger.release(each)
        task = attempts.task("import os; print(os.environ['CUDA_VISIBLE_DEVICES'])", gpus=1)
        await attempts.execute(task)
        assert printed(task.output)[-1].strip() in {name for _, name in places}


async def _all_cores(executor: Executor) -> list[Hold]:
    """Take cores until there is none."""
    ledger = executor.ledger
    holds = [await acquired(ledger, Request(cpus=1))]
    while isinstance(hold := ledger.acquire(Request(cpus=1)), Hold):
        holds.append(hold)
        assert len(holds) < 100_000, "it gives without end"
    assert hold is Shortage.CORES
    ledger.content()
    return holds


async def _until_begun(running: asyncio.Task[int], attempt_id: str) -> None:
    """Wait until a command's processes are there; elsewhere they are not seen."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while not running.done() and len(processes_of(attempt_id)) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
