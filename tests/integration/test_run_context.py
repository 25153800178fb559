"""What a run remembers of where it comes from: changes, packages, machine, and the data it read."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.search_operations import SEARCH_RUNS
from jupyter_mlops.tracking import default_uri
from tests.support import workers
from tests.support.notebooks import tag
from tests.support.repositories import call, make_repository
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: Reads a file by Python itself, one by a path of its own making, and one that only it can name.
READS = (
    "rate: float = 0.1",
    """
import pathlib, os, helper
first = open('data/opened.csv').read()
second = pathlib.Path('data', 'made' + '.csv').read_text()
descriptor = os.open('data/native.csv', os.O_RDONLY)
open('out.csv', 'w').write('x')
open('/etc/hostname').read()
""",
    """
import jupyter_mlops as mlops
mlops.data('data/declared.bin')
name = 'data/named.parquet'
""",
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A project in a repository, with data that DVC keeps, and its worker."""
    folder = make_repository(tmp_path / "project", mlops_toml='data = ["always/*.csv"]\n')
    for name in ("opened.csv", "made.csv", "native.csv", "declared.bin", "named.parquet"):
        path = folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name, "utf-8")
    (folder / "always").mkdir()
    (folder / "always" / "a.csv").write_text("a", "utf-8")
    (folder / ".gitignore").write_text("runs/\n.mlops/\n__pycache__/\n", "utf-8")
    call("dvc", "add", "--quiet", "data/opened.csv", folder=folder)
    call("git", "add", "--all", ".", folder=folder)
    call("git", "commit", "--quiet", "--message", "Data", folder=folder)
    with workers.worker(folder) as started:
        yield started


def finished(client: Client, **request: object) -> m.RunDetail:
    """Run the notebook, and return the run when it has succeeded."""
    sweep = workers.wait_for(client, workers.submit(client, **request).id)
    run = workers.runs(client, sweep.id)[0]
    assert run.error is None
    return client.call(ops.GET_RUN, run_id=run.id)


def by_path(detail: m.RunDetail) -> dict[str, dict[str, Any]]:
    """Return the files that a run read."""
    return {each["path"]: each for each in detail.context["data"]}


@pytest.mark.parametrize("warm", [True, False])
def test_data(client: Client, warm: bool) -> None:
    """Files are known by their hashes, and by DVC's version, however the notebook reads them."""
    folder = client.project.root
    (folder / "helper.py").write_text("x = 1\n", "utf-8")
    cells = READS if warm else (*READS[:1], "import os; os.environ['A'] = 'b'", *READS[1:])
    if not warm:
        (folder / "mlops.toml").write_text('warm_kernels = false\ndata = ["always/*.csv"]\n')
        workers.stop(folder)
    from jupyter_mlops.app.client import connect

    client = connect(folder)
    workers.write(client, *cells)
    detail = finished(client)
    assert detail.attempts[-1].start.startswith("warm" if warm else "cold")
    found = by_path(detail)
    assert {name: each["how"] for name, each in found.items()} == {
        "always/a.csv": "declared",
        "data/declared.bin": "declared",
        "data/made.csv": "opened",
        "data/named.parquet": "named",
        "data/native.csv": "opened",
        "data/opened.csv": "opened",
        "helper.py": "opened",
    }
    opened = found["data/opened.csv"]
    content = b"opened.csv"
    assert opened["sha256"] == hashlib.sha256(content).hexdigest()
    assert opened["md5"] == opened["dvc_md5"] == hashlib.md5(content).hexdigest()  # noqa: S324 - DVC's
    assert (opened["kept_by"], opened["dvc_file"], opened["changed"]) == (
        "dvc",
        "data/opened.csv.dvc",
        False,
    )
    assert (found["data/made.csv"]["kept_by"], found["helper.py"]["kept_by"]) == ("git", None)
    assert found["helper.py"]["kind"] == "code"


def test_shared_cells_read_too(client: Client) -> None:
    """What shared cells read before the fork was read by every run."""
    path = workers.write(client, "rate: float = 0.1", "text = open('data/made.csv').read()", "rate")
    tag(path, 2)
    sweep = workers.wait_for(client, workers.submit(client, space={"rate": "0.1,0.2"}).id)
    for run in workers.runs(client, sweep.id):
        detail = client.call(ops.GET_RUN, run_id=run.id)
        assert detail.attempts[-1].start == "warm"
        assert by_path(detail)["data/made.csv"]["how"] == "opened"


def test_data_changed_since(client: Client) -> None:
    """A file that is no longer what DVC has is told as changed."""
    folder = client.project.root
    (folder / "data" / "opened.csv").unlink()
    (folder / "data" / "opened.csv").write_text("other", "utf-8")
    workers.write(client, "rate: float = 0.1", "open('data/opened.csv').read()")
    assert by_path(finished(client))["data/opened.csv"]["changed"] is True


def test_environment_and_machine(client: Client) -> None:
    """Python, exact versions of packages, machine, cores, memory and peak use are recorded."""
    workers.write(client, "rate: float = 0.1", "block = bytearray(50_000_000)")
    detail = finished(client, space={"rate": "0.3"})
    environment = detail.context["environment"]
    assert environment["python"] == platform.python_version()
    kept = client.project.state / "snapshots" / f"{environment['packages_sha256']}.packages.json"
    packages = json.loads(kept.read_text("utf-8"))["packages"]
    assert packages["ipykernel"] == version("ipykernel")
    assert environment["packages"] == len(packages)
    machine = detail.context["machine"]
    assert machine["cores"] >= 1
    assert machine["memory"] > 10**8
    assert detail.context["used"]["peak_memory"] > 50_000_000
    assert detail.context["sweep"]["space"] == {"rate": "0.3"}
    assert detail.context["parameters"] == {"rate": 0.3}


def test_another_environment_is_marked(client: Client) -> None:
    """A run is compared with the project's lock; what differs is noted, tagged, and kept."""
    workers.write(client, "rate: float = 0.1", "rate")
    path = client.project.root / "requirements.lock"
    right = f"ipykernel=={version('ipykernel')}\n"
    tracker = MlflowClient(default_uri(client.project.state))
    for text, differences in ((f"{right}no-such==1.0\n", ["no-such 1.0 is missing"]), (right, [])):
        path.write_text(text, "utf-8")
        detail = finished(client)
        lock = detail.context["lock"]
        assert (lock["path"], lock["differences"]) == ("requirements.lock", differences)
        line = "Its environment is not that of requirements.lock: no-such 1.0 is missing."
        assert (line in detail.attempts[-1].notes) == bool(differences)
        shown = (detail.run.environment, detail.run.differences)
        if differences:
            assert shown == ("differs", "requirements.lock: no-such 1.0 is missing")
        else:
            assert shown == ("same", None)
        query = m.SearchQuery(where=f"environment = {shown[0]}")
        (listed,) = client.call(SEARCH_RUNS, query=query).runs
        assert (listed.id, listed.environment, listed.differences) == (detail.run.id, *shown)
        tags = tracker.get_run(detail.run.mlflow_run_id or "").data.tags
        assert tags["mlops.lock"] == ("differs" if differences else "same")
        assert detail.context["environment"]["packages_sha256"].startswith(
            tags["mlops.environment"]
        )


def test_changes_can_be_applied(client: Client, tmp_path: Path) -> None:
    """What was not committed is kept as a patch: tracked files, and new files of code."""
    folder = client.project.root
    workers.write(client, "rate: float = 0.1", "import helper; helper.x")
    (folder / "helper.py").write_text("x = 7\n", "utf-8")
    (folder / "data" / "made.csv").write_text("changed", "utf-8")
    (folder / "large.csv").write_text("no code", "utf-8")
    before = call("git", "status", "--porcelain", folder=folder)
    detail = finished(client)
    git = detail.context["git"]
    assert call("git", "status", "--porcelain", folder=folder).replace("?? out.csv\n", "") == before
    assert sorted(git["changes"]["new_files"]) == ["helper.py", "train.ipynb"]
    kept = client.project.state / "snapshots" / f"{git['changes']['patch']}.diff"
    clone = tmp_path / "clone"
    call("git", "clone", "--quiet", str(folder), str(clone), folder=tmp_path)
    call("git", "checkout", "--quiet", git["commit"], folder=clone)
    subprocess.run(("git", "apply", str(kept)), cwd=clone, check=True)
    for name in ("helper.py", "data/made.csv", "train.ipynb"):
        assert (clone / name).read_bytes() == (folder / name).read_bytes()
    assert not (clone / "large.csv").exists()


def test_context_is_an_artifact(client: Client) -> None:
    """MLflow has the context of a run among its artifacts."""
    workers.write(client, "rate: float = 0.1", "open('data/made.csv').read()")
    run = finished(client).run
    tracker = MlflowClient(default_uri(client.project.state))
    names = [each.path for each in tracker.list_artifacts(run.mlflow_run_id or "")]
    assert f"{run.id}.1.context.json" in names


def test_removed_with_its_run(client: Client) -> None:
    """Removing a run leaves nothing of its context behind."""
    workers.write(client, "rate: float = 0.1", "open('data/made.csv').read()")
    run = finished(client).run
    journals = client.project.state / "journals"
    assert [each.name for each in journals.glob("*.context.json")] == [f"{run.id}.1.context.json"]
    client.call(ops.DELETE_RUN, run_id=run.id)
    assert not list(journals.glob(f"{run.id}*"))


def test_executable(client: Client) -> None:
    """The environment is that of the kernel's own Python."""
    workers.write(client, "rate: float = 0.1", "import sys; sys.executable")
    assert finished(client).context["environment"]["executable"] == sys.executable
