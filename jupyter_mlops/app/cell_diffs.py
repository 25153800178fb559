"""Comparing two notebooks in a process of its own, which is ended if it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from pathlib import Path

import msgspec

from ..core.exceptions import InvalidInput, MlopsError, NotebookUnreadable
from . import messages as m

#: Seconds that a comparison may take.
TIMEOUT = 60.0


async def compare_notebooks(left: Path, right: Path) -> list[m.CellDiff]:
    """Return the cells of both notebooks with what differs. Raises `InvalidInput`."""
    if importlib.util.find_spec("nbdime") is None:
        raise InvalidInput(
            'Comparing notebooks needs nbdime. Install it with: pip install "jupyter-mlops[diff]"'
        )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "jupyter_mlops.notebooks.diff", str(left), str(right)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    except TimeoutError:
        raise InvalidInput(
            f"The notebooks differ too much to be compared within {TIMEOUT:.0f} s. "
            "Compare them in JupyterLab, or clear large outputs."
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _failure(errors.decode("utf-8", "replace"))
    return msgspec.json.decode(output, type=list[m.CellDiff])


def _failure(errors: str) -> MlopsError:
    """Return the error that the last line of a traceback tells of."""
    line = errors.strip().rpartition("\n")[2]
    name, _, message = line.partition(": ")
    if name.rpartition(".")[2] == NotebookUnreadable.__name__:
        return NotebookUnreadable(message)
    return MlopsError(f"The notebooks cannot be compared: {line or 'nbdime ended early'}.")
