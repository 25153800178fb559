"""%mlops and mlops.log in an environment that has IPython and this package alone."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import jupyter_mlops
from jupyter_mlops import api
from tests.support import workers
from tests.support.notebooks import write_notebook

PRELUDE = """
import sys
sys.path[:0] = [{site!r}]
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
config.InteractiveShell.colors = "nocolor"
shell = InteractiveShell.instance(config=config)
for cell in {cells!r}:
    shell.run_cell(cell)
"""


def requirements(name: str) -> set[str]:
    """A distribution and all that it needs, by their plain names."""
    found: set[str] = set()
    pending = [name]
    while pending:
        each = pending.pop()
        if each in found:
            continue
        try:
            needs = metadata.requires(each) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(each)
        pending += [re.split(r"[^\w.-]", need)[0] for need in needs if "extra ==" not in need]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with IPython, what it needs, and this package."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "jupyter_mlops").symlink_to(Path(jupyter_mlops.__file__).parent)
    for name in requirements("ipython"):
        distribution = metadata.distribution(name)
        for part in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (folder / part).symlink_to(str(distribution.locate_file(part)))
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a worker; its state lies elsewhere than usual."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"), 'state_dir = ".state"\n')
    source = "import jupyter_mlops as mlops; mlops.log(a=1)"
    write_notebook(folder / "train.ipynb", "depth: int = 3", source)
    with workers.worker(folder):
        yield folder


def run(site: Path, folder: Path, *cells: str) -> list[str]:
    """Execute cells in such an environment; return the lines that they print."""
    code = PRELUDE.format(site=str(site), cells=["%load_ext jupyter_mlops", *cells])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_environment_is_bare(site: Path, tmp_path: Path) -> None:
    """None of our dependencies can be imported there."""
    lines = run(
        site,
        tmp_path,
        "import importlib.util as u\n"
        "print([n for n in ('click', 'msgspec', 'rich', 'pandas', 'mlflow') if u.find_spec(n)])",
    )
    assert lines == ["[]"]


def test_commands_run_elsewhere(site: Path, project: Path) -> None:
    """The worker's Python carries out a command, and what it prints appears."""
    lines = run(site, project, "%mlops sweep train.ipynb depth=1,2 --metric a")
    assert lines[0].startswith("1/2  ✓ ")
    assert any(line.startswith("train.ipynb · 2 runs · ✓ 2") for line in lines)


def test_errors_are_one_line(site: Path, project: Path) -> None:
    """A refused command is one line there too."""
    (line,) = run(site, project, "%mlops run nothing.ipynb")
    assert line.startswith("Error: There is no notebook nothing.ipynb. Check its path")
    assert run(site, project, "%mlops log loss=high") == ["Error: loss=high: it is not a number."]


def test_without_a_worker_on_record(site: Path, tmp_path: Path) -> None:
    """A project that never had a worker says how to get one."""
    (line,) = run(site, tmp_path, "%mlops runs list")
    assert line.startswith("Error: This kernel lacks what jupyter-mlops needs")
    assert line.endswith("jupyter mlops worker")


def test_help_of_the_commands(site: Path, project: Path) -> None:
    """Help comes from the same tree."""
    assert run(site, project, "%mlops log --help")[0].startswith("Usage: jupyter mlops log")


def test_a_session(site: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session can be opened, logged to and closed with the standard library alone."""
    lines = run(
        site,
        project,
        "%mlops track --experiment ideas rate=0.1",
        "%mlops track",
        "%mlops log loss=0.5",
        "import jupyter_mlops as mlops\nmlops.log(loss=0.25, auc=float('inf'))",
        "import os; print('MLFLOW_RUN_ID' in os.environ)",
        "%mlops track --stop",
        "print('MLFLOW_RUN_ID' in os.environ)",
        "%mlops track --stop",
    )
    assert re.fullmatch(r"Session \w+-1 · experiment ideas · open", lines[0])
    run_id = lines[0].split()[1]
    assert lines[1:] == [
        "Error: A session is open already. Close it first: %mlops track --stop",
        "True",
        f"Session {run_id} · closed",
        "False",
        "Error: No session is open here. Open one with: %mlops track",
    ]
    monkeypatch.chdir(project)
    result = api.get(run_id)
    assert isinstance(result, api.RunResult)
    assert (result.status, result.parameters) == ("succeeded", {"rate": 0.1})
    assert result.metrics == {"loss": 0.25, "auc": math.inf}
