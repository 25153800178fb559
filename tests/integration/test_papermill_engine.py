"""papermill's engine `mlops` gives what papermill's own engine gives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from tests.support.notebooks import write_notebook

#: The notebooks that papermill's own tests execute come with it.
NOTEBOOKS = Path(str(files("papermill") / "tests" / "notebooks"))
NAMES = (
    "binder",
    "broken1",
    "broken2",
    "complex_parameters",
    "line_magic_error",
    "nb_version_4.4",
    "no_parameters",
    "report_mode_test",
    "result_no_exec",
    "simple_execute",
    "sysexit",
    "sysexit0",
    "sysexit1",
    "systemexit",
    "test_autosave",
    "test_logging",
)


def executed(engine: str | None, name: str, folder: Path, **options: Any) -> tuple[str, Any]:
    """Execute one of papermill's notebooks; return the error and what is in the file."""
    output = folder / f"{engine}.ipynb"
    error = ""
    try:
        papermill.execute_notebook(
            str(NOTEBOOKS / f"{name}.ipynb"),
            str(output),
            kernel_name="python3",
            engine_name=engine,
            progress_bar=False,
            **options,
        )
    except PapermillExecutionError as failure:
        error = str(failure)
    nb = nbformat.read(output, as_version=4)
    return _plain(error), json.loads(_plain(json.dumps(_comparable(nb), sort_keys=True)))


def _plain(text: str) -> str:
    return re.sub(r"ipykernel_\d+/\d+\.py|0x[0-9a-f]{6,}|\d+\.\d+e-05", "…", text)


def _comparable(nb: nbformat.NotebookNode) -> Any:
    for part in (nb, *nb.cells):
        facts = part.metadata.get("papermill", {})
        for name in ("start_time", "end_time", "duration", "output_path"):
            assert name not in facts or facts.pop(name) != ""
        part.metadata.pop("execution", None)
        part.pop("id", None)
    for cell in nb.cells:
        cell.outputs = _joined(cell.get("outputs", []))
    return nb


def _joined(outputs: list[Any]) -> list[Any]:
    """Put together what was printed: it comes in pieces, by time."""
    joined: list[Any] = []
    for each in outputs:
        last = joined[-1] if joined else {}
        if each.get("name") is not None and last.get("name") == each["name"]:
            last["text"] += each["text"]
        else:
            joined.append(each)
    return joined


@pytest.mark.parametrize("name", NAMES)
def test_papermills_own_notebooks(name: str, tmp_path: Path) -> None:
    """Outputs, metadata and errors are the same."""
    assert executed("mlops", name, tmp_path) == executed(None, name, tmp_path)


def test_the_command(tmp_path: Path) -> None:
    """`papermill --engine mlops` takes papermill's options."""
    notebook = write_notebook(tmp_path / "in.ipynb", "x = 1", "print(x)")
    command = [sys.executable, "-m", "papermill", "--engine", "mlops", "--log-output"]
    options = ["-p", "x", "5", "--cwd", str(tmp_path), "--execution-timeout", "60"]
    done = subprocess.run(
        [*command, str(notebook), str(tmp_path / "out.ipynb"), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    nb = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert nb.cells[-1].outputs[0].text == "5\n"
    assert nb.metadata.papermill.parameters == {"x": 5}


def test_warm_from_the_second_on(tmp_path: Path) -> None:
    """In a loop, kernels are forked; none is left when the process has ended."""
    notebook = write_notebook(tmp_path / "in.ipynb", "x = 1", "import os; print(os.getppid())")
    code = (
        "import os, sys, papermill, psutil\n"
        "for n in range(3):\n"
        "    nb = papermill.execute_notebook(sys.argv[1], None, engine_name='mlops',\n"
        "        progress_bar=False)\n"
        "    print(int(nb.cells[-1].outputs[0].text) == os.getpid())\n"
    )
    command = [sys.executable, "-c", code, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False", "False"], done.stderr
