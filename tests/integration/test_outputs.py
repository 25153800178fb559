"""What kernels put out: kept within limits, told while they run, there after any end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest
from papermill.exceptions import PapermillExecutionError

from jupyter_mlops.core.executors import CellStarted, KernelStarted, OutputTail, Progress, Task
from jupyter_mlops.core.runs import Reason, Status
from jupyter_mlops.execution.assembly import assemble
from jupyter_mlops.execution.executors.local import LocalExecutor
from jupyter_mlops.execution.limits import files_beside
from tests.support.local import local_executor
from tests.support.tasks import a_task, executed
from tests.support.workers import FOREVER

#: Prints so many bytes as fast as it can.
PRINT = "line = 'x' * 999\nfor _ in range({count} // 1000): print(line)"

#: Everything that a notebook can put out, deterministic, but for the last cell an error.
MANY_THINGS = (
    "x = 1",
    "print('out'); import sys; print('err', file=sys.stderr); print('more')",
    (
        "from IPython.display import HTML, clear_output, display, update_display\n"
        "display('first', display_id='d'); display(HTML('<b>x</b>')); 42"
    ),
    "print('gone'); clear_output(); print('kept'); update_display('second', display_id='d')",
    "print('also gone'); clear_output(wait=True); print('é \\x1b[31mred\\x1b[0m\\r\\n')",
    "%%html\n<i>magic</i>",
    "x",
    "1 / 0",
    "print('never')",
)


@pytest.fixture
async def executor(tmp_path: Path) -> AsyncIterator[LocalExecutor]:
    """An executor with cold kernels."""
    made = local_executor(tmp_path / "runner.log")
    yield made
    await made.close()


def _outputs(path: Path) -> list[list[Any]]:
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    return [cell.outputs for cell in nb.cells if cell.cell_type == "code"]


def _statuses(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [each.metadata.papermill.status for each in cells if "papermill" in each.metadata]


async def test_the_notebook_is_papermills(executor: LocalExecutor, tmp_path: Path) -> None:
    """Outputs, counts, states and marks are those that papermill's own engine writes.

    Streams apart: what is printed in a row is one output here, as in JupyterLab.
    """
    task = a_task(tmp_path, *MANY_THINGS)
    await executed(executor, task)
    theirs = tmp_path / "theirs.ipynb"
    with pytest.raises(PapermillExecutionError):
        papermill.execute_notebook(
            str(task.snapshot), str(theirs), {"x": 2}, progress_bar=False, cwd=str(tmp_path)
        )
    ours, expected = _comparable(task.output), _comparable(theirs)
    assert ours.pop("cells") == expected.pop("cells")
    assert ours == expected
    # papermill says of cells that it did not execute that they were completed after a failure
    # of its engine, and pending after one of the notebook.
    assert _statuses(task.output) == _statuses(theirs)


def _comparable(path: Path) -> dict[str, Any]:
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        del cell["id"]
        if cell.cell_type == "code":
            cell["outputs"] = _merged(cell.outputs)
            cell["timed"] = sorted(cell.metadata.pop("execution", {}))
        facts = cell.metadata.get("papermill", {})
        cell["known"] = sorted(key for key in facts if facts[key] is not None)
        cell.metadata["papermill"] = {k: facts.get(k) for k in ("status", "exception")}
    facts = nb.metadata.papermill
    nb["known"] = sorted(key for key in facts if facts[key] is not None)
    nb.metadata["papermill"] = {k: facts[k] for k in ("parameters", "exception", "version")}
    return nb  # type: ignore[no-any-return]


def _merged(outputs: list[Any]) -> list[Any]:
    made: list[Any] = []
    for each in outputs:
        if made and "name" in each and made[-1].get("name") == each["name"]:
            made[-1]["text"] += each["text"]
        else:
            made.append(each)
    return made


async def test_a_partial_notebook_at_any_moment(executor: LocalExecutor, tmp_path: Path) -> None:
    """While a cell runs the journal has what it printed so far, and makes a valid notebook."""
    gate = tmp_path / "gate"
    wait = (
        "import os, time\nprint('so far')\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    )
    task = a_task(tmp_path, "x = 1", wait, "print('end')")
    seen = asyncio.Event()

    def report(progress: Progress) -> None:
        if isinstance(progress, OutputTail) and "so far" in progress.text:
            seen.set()

    running = asyncio.create_task(executor.execute(task, report))
    await seen.wait()
    assert assemble(task.journal, tmp_path / "partial.ipynb")
    assert _statuses(tmp_path / "partial.ipynb") == ["completed"] * 2 + ["running", "pending"]
    assert _outputs(tmp_path / "partial.ipynb")[2][0].text == "so far\n"
    gate.touch()
    assert (await running).status is Status.SUCCEEDED
    assert not task.journal.exists()
    assert _statuses(task.output) == ["completed"] * 4


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", {}),
        (FOREVER, {"timeout": 4.0}),
        (FOREVER, {"cell_timeout": 1.0}),
    ],
)
async def test_cells_after_the_end_were_not_run(
    cell: str, options: dict[str, Any], executor: LocalExecutor, tmp_path: Path
) -> None:
    """Of a kernel that died or was stopped, nothing that was not executed counts as completed.

    The notebook says why it ends there.
    """
    printed = "print('before', flush=True); import time; time.sleep(0.3)\n"
    task = a_task(tmp_path, "x = 1", printed + cell, "print('never')", **options)
    outcome, _ = await executed(executor, task)
    assert (outcome.status, outcome.failed_cell) == (Status.FAILED, 3)
    assert _statuses(task.output) == ["completed", "completed", "failed", "pending"]
    outputs = _outputs(task.output)
    assert outputs[2][0].text == "before\n"
    assert any(outcome.error in each.get("text", "") for each in outputs[2])
    assert outputs[3] == []
    nb = nbformat.read(task.output, as_version=4)
    assert "An Exception was encountered" in nb.cells[0].source
    assert nb.metadata.papermill.exception is True


async def test_a_killed_runner_leaves_the_notebook_so_far(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """What the cells had put out is in the journal, whoever reads it then."""
    task = a_task(tmp_path, "x = 1", "print('before', flush=True)", FOREVER)
    kernels: list[psutil.Process] = []

    def report(progress: Progress) -> None:
        if isinstance(progress, KernelStarted):
            kernels.append(psutil.Process(progress.process.pid))
        elif progress == CellStarted(cell=4):
            kernels[0].parent().kill()

    outcome = await executor.execute(task, report)
    assert outcome.reason is Reason.LOST
    assert assemble(task.journal, task.output, abandoned=True)
    assert _outputs(task.output)[2][0].text == "before\n"
    assert _statuses(task.output) == ["completed"] * 3 + ["failed"]


async def _much(executor: LocalExecutor, task: Task) -> int:
    """Execute a task; return by how many bytes the runner's memory grew at most."""
    grown: list[int] = []
    runner: list[psutil.Process] = []

    def report(progress: Progress) -> None:
        if isinstance(progress, KernelStarted):
            runner.append(psutil.Process(progress.process.pid).parent())
        elif isinstance(progress, CellStarted):
            grown.append(_peak(runner[0].pid))

    outcome = await executor.execute(task, report)
    assert outcome.status is Status.SUCCEEDED, outcome.error
    return _peak(runner[0].pid) - grown[0]


def _peak(pid: int) -> int:
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) * 1024


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        (PRINT.format(count=200_000_000), 200_000_000),
        ("print('x' * 199_999_999)", 200_000_000),
        pytest.param(
            "for _ in range(1000): print('x' * 999_999)", 1_000_000_000, marks=pytest.mark.slow
        ),
        pytest.param(PRINT.format(count=10**9), 10**9, marks=pytest.mark.slow),
    ],
)
async def test_much_output_takes_little_memory(
    cell: str, size: int, executor: LocalExecutor, tmp_path: Path
) -> None:
    """The notebook takes 10 MB of a stream, a file beside it the rest, byte for byte."""
    task = a_task(tmp_path, "x = 1", cell, "print('end')")
    assert await _much(executor, task) < 100_000_000
    (output,) = _outputs(task.output)[2]
    rest = tmp_path / "out.cell3.stdout.log"
    kept, note = output.text.rstrip("\n").rsplit("\n", 1)
    assert f"MB in {rest.name}.]" in note
    assert len(kept.rstrip("\n")) + 1 + rest.stat().st_size in range(size - 1, size + 2)
    assert 9_000_000 < len(kept) <= 10_000_000
    assert task.output.stat().st_size < 12_000_000
    assert _outputs(task.output)[3][0].text == "end\n"


async def test_each_stream_of_each_cell_has_its_limit(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """A file is made only for what is too much, and those of an earlier attempt go."""
    both = "import sys\nprint('a' * 50)\nprint('b' * 150, file=sys.stderr)\nprint('c')"
    (tmp_path / "out.cell9.stdout.log").write_text("of an earlier attempt")
    options = {"stream_limit": 100, "attempt_id": "s-1.2"}
    task = a_task(tmp_path, "x = 1", both, "print('d' * 90)", **options)
    await executed(executor, task)
    outputs = _outputs(task.output)
    texts = {each.name: each.text for each in outputs[2]}
    assert texts["stdout"] == "a" * 50 + "\nc\n"
    assert texts["stderr"].startswith("b" * 100 + "\n[stderr goes on for 51 B in out.cell3.stderr")
    assert outputs[3][0].text == "d" * 90 + "\n"
    assert [each.name for each in files_beside(task.output)] == ["out.cell3.stderr.log"]
    assert (tmp_path / "out.cell3.stderr.log").read_text() == "b" * 50 + "\n"


async def test_a_large_image_goes_to_a_file(executor: LocalExecutor, tmp_path: Path) -> None:
    """Of what is displayed, each item over 20 MB lies beside the notebook, which says where."""
    show = (
        "from IPython.display import publish_display_data\nimport base64\n"
        "image = base64.b64encode(b'i' * 16_000_000).decode()\n"
        "publish_display_data({'image/png': image, 'text/plain': '<Figure>'})\n"
        "publish_display_data({'text/html': 'h' * 20_000_001})"
    )
    task = a_task(tmp_path, "x = 1", show)
    await executed(executor, task)
    first, second = _outputs(task.output)[2]
    assert first.data == {"text/plain": "[image/png, 16.0 MB: out.cell3.1.png]\n<Figure>"}
    assert second.data == {"text/plain": "[text/html, 20.0 MB: out.cell3.2.html]"}
    assert (tmp_path / "out.cell3.1.png").read_bytes() == b"i" * 16_000_000
    assert (tmp_path / "out.cell3.2.html").stat().st_size == 20_000_001
    assert task.output.stat().st_size < 10_000


async def test_the_tail_is_told_while_a_cell_prints(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """Its last lines, at most four times a second, without colours and secrets."""
    printing = (
        "import time\nfor i in range(15):\n"
        "    print(f'\\x1b[31mline {i}\\x1b[0m {api_key}', flush=True); time.sleep(0.1)"
    )
    task = a_task(
        tmp_path,
        "api_key = ''",
        printing,
        parameters={"api_key": "hunter2hunter2"},
        secrets=frozenset({"api_key"}),
    )
    outcome, seen = await executed(executor, task)
    tails = [each for each in seen if isinstance(each, OutputTail) and each.cell == 3]
    assert 2 < len(tails) <= 4 * outcome.cell_times[2] + 2
    assert tails[0].text.startswith("line 0 ••••••\n")
    assert tails[-1].text == "".join(f"line {i} ••••••\n" for i in range(15))
    assert not [each for each in tails if "hunter" in each.text]


async def test_nothing_is_lost_of_many_small_outputs(
    executor: LocalExecutor, tmp_path: Path
) -> None:
    """However many messages a kernel sends, faster than anybody reads, all of them arrive."""
    storm = (
        "from IPython.display import display\n"
        "for i in range(3000): display(i)\n"
        "for i in range(3000): print(i, flush=True)"
    )
    task = a_task(tmp_path, "x = 1", storm)
    outcome, _ = await executed(executor, task)
    assert outcome.status is Status.SUCCEEDED, outcome.error
    outputs = _outputs(task.output)[2]
    assert [each.data["text/plain"] for each in outputs[:3000]] == [str(i) for i in range(3000)]
    assert outputs[3000].text == "".join(f"{i}\n" for i in range(3000))
