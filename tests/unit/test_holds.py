"""Cores for the commands of stages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jupyter_mlops.app.holds import Holds
from jupyter_mlops.core.resources import Request
from jupyter_mlops.execution.slots import Slots
from tests.support.records import a_machine


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    """A machine with two cores."""
    return Slots(tmp_path, "p", machine=a_machine(cores=2))


async def test_in_the_order_of_asking(slots: Slots) -> None:
    """Who asks for more than is free waits, and nobody passes."""
    holds, order = Holds(slots), []
    ends = {name: asyncio.Event() for name in "abcd"}

    async def use(name: str, cores: int) -> None:
        async with holds.hold(name, Request(cpus=cores)):
            order.append(name)
            await ends[name].wait()

    tasks = [
        asyncio.create_task(use(name, n)) for name, n in zip("abcd", (1, 2, 1, 1), strict=True)
    ]
    await asyncio.sleep(0)
    assert order == ["a"]
    ends["a"].set()
    await tasks[0]
    await asyncio.sleep(0)
    assert order == ["a", "b"]
    ends["b"].set()
    await tasks[1]
    await asyncio.sleep(0)
    assert order == ["a", "b", "c", "d"]
    for each in ends.values():
        each.set()
    await asyncio.gather(*tasks)
    assert slots.held == 0


async def test_who_no_longer_wants_it(slots: Slots) -> None:
    """A task that is cancelled leaves nothing held, before or after its turn."""
    holds = Holds(slots)
    async with holds.hold("a", Request(cpus=2)):
        waiting = asyncio.create_task(_take(holds, "b"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert slots.held == 0
    async with holds.hold("c", Request(cpus=2)):
        assert slots.held == 2
    assert slots.held == 0


async def test_who_only_waits_holds_no_core(slots: Slots) -> None:
    """A command that waits for runs of its own lets others have its cores, and gets them back."""
    holds = Holds(slots)
    async with holds.hold("a", Request(cpus=2)):
        assert holds.knows("a")
        with holds.waiting("a"):
            assert slots.held == 0
            async with holds.hold("b", Request(cpus=2)):
                assert slots.held == 2
        assert slots.held == 2
    assert slots.held == 0
    assert not holds.knows("a")


async def _take(holds: Holds, owner: str) -> None:
    async with holds.hold(owner, Request(cpus=1)):
        raise AssertionError("It was cancelled before.")
