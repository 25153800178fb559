"""Shell commands, started as DVC starts the commands of its stages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from .processes import end, identify, of_attempt

#: Seconds between asking a command to stop, having it terminated, and killing it.
_PATIENCE = 5.0
#: Bytes at the end of a log that are read for its last lines.
_TAIL = 20_000

#: Options by which DVC keeps a shell from reading the user's start-up files.
_QUIET: Mapping[str, tuple[str, ...]] = {
    "zsh": ("--no-rcs",),
    "bash": ("--noprofile", "--norc"),
}


def shell_argv(command: str, environment: Mapping[str, str]) -> list[str]:
    """Return how DVC (`dvc.stage.run`) has a command executed: by the user's own shell."""
    shell = environment.get("SHELL") or "/bin/sh"
    return [shell, *_QUIET.get(Path(shell).name.lower(), ()), "-c", command]


async def execute(
    argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, owner: str
) -> int:
    """Execute a program and return its exit code, negative for the signal that ended it.

    What it prints is added to ``log``. When the awaiting task is cancelled the program is
    interrupted, then terminated, then killed, with all processes whose attempt is ``owner``.
    Raises OSError if it cannot be started.
    """
    with log.open("ab") as output:
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *argv,
                cwd=folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        )
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # It may be there already, with what it has started.
            await asyncio.wait([starting])
            if starting.exception() is None:
                await asyncio.shield(asyncio.create_task(_stop(starting.result(), owner)))
            raise
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await asyncio.shield(asyncio.create_task(_stop(process, owner)))


async def _stop(process: asyncio.subprocess.Process, owner: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    victims = list(of_attempt(owner))
    with contextlib.suppress(psutil.Error):
        victims.append(identify(process.pid))
    if victims:
        await asyncio.to_thread(end, victims, grace=_PATIENCE)
    await process.wait()


def last_lines(log: Path, number: int) -> str:
    """Return the last lines of a log; nothing if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-number:])
