"""Stages whose command executes a notebook: the files are those of papermill and nbconvert."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import nbformat
import pytest
import pytest_asyncio

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.stage_runs import recognise
from jupyter_mlops.core.runs import Reason, Status
from tests.support.notebooks import tag, write_notebook
from tests.support.stage_runs import ENVIRONMENT, Stages, normalised, really, stages

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Prints and shows what a notebook can.
SHOW = (
    "import os, sys\n"
    "print(repr(x), os.path.basename(os.getcwd()))\n"
    "print('careful', file=sys.stderr)\n"
    "display({'a': 1}); print('again')\n"
    "[x, None]"
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    made = Path(mkdtemp(prefix="mlops-"))
    yield made
    shutil.rmtree(made)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> AsyncIterator[Stages]:
    """A project that carries out stages' commands, which all tests of this file share."""
    async with stages(tmp_path_factory.mktemp("stages"), runtime) as found:
        yield found


def _folders(made: Stages, name: str, *cells: str, **metadata: Any) -> tuple[Path, Path]:
    """Two folders of the same notebook: for the real program, and for us."""
    found = []
    for who in ("theirs", "ours"):
        folder = made.project.root / name / who / "work"
        write_notebook(folder / "nb" / "in.ipynb", *cells, **metadata)
        (folder / "params.yaml").write_text("x: 7\nday: 2026-01-02\n", "utf-8")
        found.append(folder)
    return found[0], found[1]


async def _both(made: Stages, name: str, command: str, *cells: str) -> tuple[Path, Path]:
    """Carry out a command really and by us; both succeed, or both fail."""
    theirs, ours = _folders(made, name, *cells)
    folder = ours.relative_to(made.project.root).as_posix()
    code, outcome = await asyncio.gather(really(command, theirs), made.run(command, folder))
    assert (outcome.status is Status.SUCCEEDED) == (code == 0), outcome
    return theirs, ours


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("typed", "-p x 3 -r name 3 -p rate 1e-3 -p top None -p early True"),
        ("files", "-f params.yaml -y '{more: [1, {deep: 2}], x: 8}'"),
        ("unknown", "-p never_declared 1 --no-progress-bar --log-output"),
        ("report", "--report-mode --inject-paths -k python3 --execution-timeout 600"),
        ("cwd", "--cwd nb -p x 3"),
        ("plain", ""),
    ],
)
async def test_papermill_writes_the_same_notebook(made: Stages, name: str, options: str) -> None:
    """Cells, outputs, tags and metadata are those of papermill, but for times."""
    command = f"papermill nb/in.ipynb out.ipynb {options}".strip()
    theirs, ours = await _both(made, name, command, "x = 1", SHOW)
    expected = normalised(theirs / "out.ipynb")
    assert normalised(ours / "out.ipynb") == expected
    assert expected["metadata"]["papermill"]["input_path"] == "nb/in.ipynb"


async def test_a_failure_of_papermill_leaves_its_output(made: Stages) -> None:
    """The notebook has papermill's marks; the error line names the cell and the exception."""
    cells = ("x = 1", "print('before')", "raise ValueError('bad lr')", "print('never')")
    theirs, ours = _folders(made, "failing", *cells)
    command = "papermill nb/in.ipynb out.ipynb -p x 3"
    assert await really(command, theirs) == 1
    said: list[str] = []
    folder = ours.relative_to(made.project.root).as_posix()
    outcome = await made.run(command, folder, say=said.append)
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.ERROR)
    assert outcome.error == f"{folder}/nb/in.ipynb, cell 4: ValueError: bad lr"
    assert outcome.output == ours / "out.ipynb"
    assert normalised(ours / "out.ipynb") == normalised(theirs / "out.ipynb")
    assert outcome.run_id is not None
    assert any(outcome.run_id in line for line in said)
    assert f"Output notebook: runs/{folder}/nb/in/{outcome.run_id[:-2]}/{outcome.run_id}.ipynb" in (
        said
    )


async def test_papermill_in_place(made: Stages) -> None:
    """The output may be the input, and be executed again with other parameters or none."""
    theirs, ours = _folders(made, "inplace", "x = 1", "print(x)")
    folder = ours.relative_to(made.project.root).as_posix()
    for options in ("-p x 3", "-p x 4", ""):
        command = f"papermill nb/in.ipynb nb/in.ipynb {options}".strip()
        assert await really(command, theirs) == 0
        assert (await made.run(command, folder)).status is Status.SUCCEEDED
        assert normalised(ours / "nb/in.ipynb") == normalised(theirs / "nb/in.ipynb")


@pytest.mark.parametrize(
    ("name", "options", "written"),
    [
        ("suffix", "", "nb/in.nbconvert.ipynb"),
        ("named", "--output done", "nb/done.ipynb"),
        ("elsewhere", "--output-dir a/b --ExecutePreprocessor.timeout=-1", "a/b/in.ipynb"),
        ("over", "--inplace --ExecutePreprocessor.kernel_name=python3", "nb/in.ipynb"),
    ],
)  # fmt: skip
async def test_nbconvert_writes_the_same_notebook(
    made: Stages, name: str, options: str, written: str
) -> None:
    """Nothing is injected; the times are where nbconvert writes them; names are the same."""
    command = f"jupyter nbconvert --execute --to notebook {options} nb/in.ipynb"
    theirs, ours = await _both(made, name, command, "x = 1", SHOW, "")
    assert normalised(ours / written) == normalised(theirs / written)
    assert _files(ours) == _files(theirs)


async def test_nbconvert_goes_on_behind_errors_that_are_allowed(made: Stages) -> None:
    """With --allow-errors all cells are executed; without it nothing is written."""
    cells = ("x = 1", "1 / 0", "print('reached')")
    command = "jupyter nbconvert --execute --to notebook --output out nb/in.ipynb"
    theirs, ours = await _both(made, "allowed", f"{command} --allow-errors", *cells)
    assert normalised(ours / "nb/out.ipynb") == normalised(theirs / "nb/out.ipynb")
    assert "reached" in (ours / "nb/out.ipynb").read_text("utf-8")
    theirs, ours = await _both(made, "refused", command, *cells)
    assert _files(ours) == _files(theirs)


async def test_nbconvert_takes_a_tagged_error_for_a_success(made: Stages) -> None:
    """A cell tagged raises-exception may fail; papermill runs on behind it, but fails."""
    for name, command, status in (
        ("tagged", "jupyter nbconvert --execute --inplace nb/in.ipynb", Status.SUCCEEDED),
        ("tagged2", "papermill nb/in.ipynb nb/in.ipynb", Status.FAILED),
    ):
        theirs, ours = _folders(made, name, "x = 1", "1 / 0", "print('reached')")
        for folder in (theirs, ours):
            tag(folder / "nb/in.ipynb", 2, name="raises-exception")
        assert (await really(command, theirs) == 0) == (status is Status.SUCCEEDED)
        outcome = await made.run(command, ours.relative_to(made.project.root).as_posix())
        assert outcome.status is status
        assert normalised(ours / "nb/in.ipynb") == normalised(theirs / "nb/in.ipynb")


async def test_nbconvert_to_another_format(made: Stages) -> None:
    """The executed notebook is converted to the files that nbconvert itself would have made."""
    plot = (
        "from IPython.display import display, Image\nimport base64\n"
        "display(Image(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42"
        "mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')))"
    )
    command = "jupyter nbconvert --execute --to markdown --no-input nb/in.ipynb"
    theirs, ours = await _both(made, "markdown", command, "x = 1", "print(x)", plot)
    assert _files(ours) == _files(theirs)
    assert "nb/in_files/in_2_0.png" in _files(ours)
    assert (ours / "nb/in.md").read_text("utf-8") == (theirs / "nb/in.md").read_text("utf-8")
    assert not list((made.project.state / "stages").iterdir())


async def test_mlops_run_is_carried_out_by_this_worker(made: Stages) -> None:
    """Values are read as the command reads them; the kernel's folder is the notebook's."""
    folder = made.project.root / "own"
    write_notebook(
        folder / "nb" / "in.ipynb", "depth: float = 1.0", "import os; print(depth, os.getcwd())"
    )
    outcome = await made.run("jupyter mlops run nb/in.ipynb depth=3 --timeout 60", "own")
    assert (outcome.status, outcome.output) == (Status.SUCCEEDED, None)
    run = made.store.history.run(outcome.run_id or "")
    assert run.parameters == {"depth": 3.0}
    assert f"3.0 {folder / 'nb'}" in (made.project.root / (run.output or "")).read_text("utf-8")
    refused = await made.run("jupyter mlops run nb/in.ipynb deep=3", "own")
    assert refused.run_id is None
    assert "deep" in (refused.error or "")


async def test_a_run_knows_its_stage(made: Stages) -> None:
    """The stage and its pipeline run are shown with the run; its variables reach the kernel."""
    folder = made.project.root / "tracked"
    write_notebook(folder / "in.ipynb", "x = 1", "import os; print(os.environ['DVC_STAGE'])", "x")
    begun: list[str] = []
    cells: list[tuple[int | None, int | None]] = []
    outcome = await made.run(
        "papermill in.ipynb out.ipynb",
        "tracked",
        facts={"environment": {**ENVIRONMENT, "DVC_STAGE": "train@a"}, "name": "train@a"},
        started=begun.append,
        progress=lambda cell, number: cells.append((cell, number)),
    )
    assert begun == [outcome.run_id]
    assert cells
    assert {number for _, number in cells} <= {3, None}
    detail = await made.sweeps.get_run(outcome.run_id or "")
    assert (detail.run.stage, detail.run.pipeline_id) == ("train@a", "p1")
    assert detail.sweep.cpus == 1
    assert "train@a" in (folder / "out.ipynb").read_text("utf-8")


async def test_what_cannot_work_is_told_before_a_run_begins(made: Stages) -> None:
    """One line for a missing notebook, folder, file of parameters or kernel."""
    folder = made.project.root / "wrong"
    write_notebook(folder / "in.ipynb", "x = 1")
    (folder / "list.yaml").write_text("- 1", "utf-8")
    for command, words in (
        ("papermill gone.ipynb out.ipynb", "no such notebook"),
        ("papermill in.ipynb missing/out.ipynb", "missing/out.ipynb does not exist"),
        ("papermill in.ipynb out.ipynb -f gone.yaml", "gone.yaml cannot be read"),
        ("papermill in.ipynb out.ipynb -f list.yaml", "list.yaml is no YAML of parameters"),
        ("papermill in.ipynb out.ipynb -k julia-9", "is not installed (installed: python3)"),
    ):
        said: list[str] = []
        outcome = await made.run(command, "wrong", say=said.append)
        assert (outcome.status, outcome.run_id) == (Status.FAILED, None)
        assert words in (outcome.error or "")
        assert said == [outcome.error]
    assert not (folder / "out.ipynb").exists()


async def test_a_cancelled_stage_ends_its_run(made: Stages) -> None:
    """By its id, or by cancelling who waits: the run is over when that returns."""
    folder = made.project.root / "stopped"
    write_notebook(folder / "in.ipynb", "import threading; threading.Event().wait()")
    begun: asyncio.Queue[str] = asyncio.Queue()
    executing = asyncio.Event()
    running = asyncio.create_task(
        made.run(
            "papermill in.ipynb out.ipynb",
            "stopped",
            started=begun.put_nowait,
            progress=lambda cell, _: executing.set() if cell else None,
        )
    )
    run_id = await begun.get()
    await executing.wait()
    await made.runs.cancel(run_id)
    outcome = await running
    assert (outcome.status, outcome.reason) == (Status.CANCELLED, Reason.USER)
    running = asyncio.create_task(
        made.run("papermill in.ipynb out.ipynb", "stopped", started=begun.put_nowait)
    )
    run_id = await begun.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert made.store.history.run(run_id).status is Status.CANCELLED


async def test_many_stages_at_once(made: Stages) -> None:
    """Each learns of the end of its own run, and all have kernels of one template."""
    folder = made.project.root / "many"
    write_notebook(folder / "in.ipynb", "x = 1", "print(x)")
    outcomes = await asyncio.gather(
        *(
            made.run(
                f"papermill in.ipynb {n}.ipynb -p x {n}",
                "many",
                facts={"environment": {**ENVIRONMENT, "DVC_STAGE": f"s{n}"}},
            )
            for n in range(8)
        )
    )
    assert [each.status for each in outcomes] == [Status.SUCCEEDED] * 8
    for each in outcomes:
        (attempt,) = made.store.history.attempts(each.run_id or "")
        assert attempt.start == "warm"
    for number in range(8):
        nb = json.loads((folder / f"{number}.ipynb").read_text("utf-8"))
        assert nb["cells"][-1]["outputs"][0]["text"] == [f"{number}\n"]
    listed = await made.sweeps.list_runs(m.RunsQuery(limit=8))
    assert {each.stage for each in listed} == {"train"}


async def test_notebooks_elsewhere_are_left_to_a_subprocess(made: Stages, tmp_path: Path) -> None:
    """A notebook outside the project is none of ours, nor one of a project inside it."""
    write_notebook(tmp_path / "in.ipynb", "x = 1")
    inner = made.project.root / "inner"
    write_notebook(inner / "in.ipynb", "x = 1")
    (inner / "mlops.toml").touch()
    root = made.project.root
    assert recognise(made.project, "papermill in.ipynb out.ipynb", tmp_path, ENVIRONMENT) is None
    assert recognise(made.project, "jupyter mlops run in.ipynb", inner, ENVIRONMENT) is None
    assert recognise(made.project, "papermill inner/in.ipynb o.ipynb", root, ENVIRONMENT)


async def test_secrets_stay_out_of_the_notebook(made: Stages) -> None:
    """A parameter that looks like a secret reaches the kernel, but no file."""
    folder = made.project.root / "secret"
    write_notebook(folder / "in.ipynb", "api_key = ''", "print(len(api_key))")
    outcome = await made.run("papermill in.ipynb out.ipynb -p api_key hunter2", "secret")
    assert outcome.status is Status.SUCCEEDED
    nb = nbformat.read(folder / "out.ipynb", as_version=4)
    assert nb.cells[-1].outputs[0].text == "7\n"
    assert "hunter2" not in (folder / "out.ipynb").read_text("utf-8")


def _files(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()
    )
