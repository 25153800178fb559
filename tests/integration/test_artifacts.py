"""What runs keep, asked for by the worker's clients, in the shell and in a cell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import api
from jupyter_mlops.app import artifact_operations as ops
from jupyter_mlops.app import messages as m
from jupyter_mlops.app.client import Client
from jupyter_mlops.cli import main
from jupyter_mlops.core.exceptions import Conflict, InvalidInput, NotAllowedPath, NotFound
from jupyter_mlops.results import RunResult, fetched
from tests.support import workers
from tests.support.kernels import kernel
from tests.support.workers import runs, submit, wait_for, write

#: Keeps a plot, a table, a page, a large file and a model by plain MLflow.
KEEP = """\
import os, pathlib, mlflow
from mlflow.pyfunc import PythonModel
pathlib.Path('out/deep').mkdir(parents=True, exist_ok=True)
pathlib.Path('out/deep/note.txt').write_text('hello')
pathlib.Path('out/<img src=x>.txt').write_text('named to be a page')
pathlib.Path('out/curve.csv').write_text('step,auc\\n1,0.5\\n2,0.7\\n')
pathlib.Path('out/page.html').write_text('<script>alert(1)</script>')
with open('out/large.bin', 'wb') as file:
    file.truncate(300_000_000)
mlflow.log_artifacts('out', 'plots')
class Double(PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * each for each in model_input]
mlflow.pyfunc.log_model(name='model', python_model=Double(), pip_requirements=[])
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The worker of a project."""
    folder = workers.make_project(tmp_path_factory.mktemp("project"))
    with workers.worker(folder) as running:
        yield running


@pytest.fixture(scope="module")
def run(client: Client) -> m.RunView:
    """A run that has kept some files, and a link to one that is none of its business."""
    write(client, "depth: int = 3", KEEP)
    sweep = wait_for(client, submit(client, "train.ipynb").id)
    (found,) = runs(client, sweep.id)
    assert found.status == "succeeded", found.error
    (curve,) = client.project.root.glob(".mlops/artifacts/**/plots/curve.csv")
    (curve.parent / "link").symlink_to("/etc/passwd")
    return found


def listed(client: Client, run_id: str) -> dict[str, m.ArtifactView]:
    """What a run kept, by path."""
    view = client.call(ops.LIST_ARTIFACTS, run_id=run_id)
    assert (view.problem, view.more) == (None, False)
    return {each.path: each for each in view.artifacts}


def test_the_tree(client: Client, run: m.RunView) -> None:
    """Output notebook, plots, tables and model files are listed with sizes and types."""
    found = listed(client, run.id)
    assert {
        f"{run.id}.ipynb": "application/x-ipynb+json",
        "plots/curve.csv": "text/csv",
        "plots/page.html": "text/html",
        "plots/large.bin": "application/octet-stream",
        "model/MLmodel": "text/yaml",
        "model/python_model.pkl": "application/octet-stream",
    }.items() <= {path: each.media_type for path, each in found.items()}.items()
    assert found["plots/large.bin"].size == 300_000_000
    assert "plots/link" not in found
    assert not any(each.sha256 for each in found.values())


def test_hashes(client: Client, run: m.RunView) -> None:
    """A file's hash is read when it is asked for, and again after the file has changed."""
    query = m.ArtifactQuery(path="plots/curve.csv")
    (file,) = client.project.root.glob(".mlops/artifacts/**/plots/curve.csv")
    kept = file.read_bytes()
    for content in (kept, b"step,auc\n1,0.6\n2,0.7\n"):
        file.write_bytes(content)
        for _ in range(2):
            view = client.call(ops.GET_ARTIFACT, query=query, run_id=run.id)
            assert view.sha256 == hashlib.sha256(content).hexdigest()
    file.write_bytes(kept)


def read(client: Client, run_id: str, path: str, first: int | None = None) -> bytes:
    """Read a file through the worker."""
    query = m.ContentQuery(path=path, first=first)
    return b"".join(client.download(ops.READ_ARTIFACT, query=query, run_id=run_id))


def test_bytes(client: Client, run: m.RunView) -> None:
    """A file comes as it is, or as much of its beginning as is asked for."""
    assert read(client, run.id, "plots/curve.csv") == b"step,auc\n1,0.5\n2,0.7\n"
    assert read(client, run.id, "plots/curve.csv", 4) == b"step"
    assert read(client, run.id, "plots/curve.csv", 10**9) == b"step,auc\n1,0.5\n2,0.7\n"
    assert json.loads(read(client, run.id, f"{run.id}.ipynb"))["cells"]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "plots/../../x", "plots/link"])
def test_escapes(path: str, client: Client, run: m.RunView) -> None:
    """Neither bytes nor hash of a file outside the run are handed out."""
    for ask in (
        lambda: read(client, run.id, path),
        lambda: client.call(ops.GET_ARTIFACT, query=m.ArtifactQuery(path=path), run_id=run.id),
    ):
        with pytest.raises(NotAllowedPath) as refused:
            ask()
        assert "\n" not in refused.value.message


def test_what_is_not_there(client: Client, run: m.RunView) -> None:
    """An unknown file or run is told in one line that says where to look."""
    with pytest.raises(NotFound, match="jupyter mlops runs show"):
        read(client, run.id, "plots/none.png")
    with pytest.raises(NotFound):
        read(client, "nothing-1", "plots/curve.csv")
    with pytest.raises(InvalidInput, match="no file"):
        read(client, run.id, "plots")


def test_large_files_are_streamed(client: Client, run: m.RunView) -> None:
    """Some hundred megabytes pass through the worker without being held by it."""
    import psutil

    process = psutil.Process(client.call(workers.ops.HEALTH).pid)
    before, highest, received = process.memory_info().rss, 0, 0
    query = m.ContentQuery(path="plots/large.bin")
    for piece in client.download(ops.READ_ARTIFACT, query=query, run_id=run.id):
        received += len(piece)
        highest = max(highest, process.memory_info().rss)
    assert received == 300_000_000
    assert highest - before < 100_000_000


def test_a_failed_run_has_its_notebook(client: Client) -> None:
    """What failed has kept something, too."""
    write(client, "depth: int = 3", "1 / 0", name="failing.ipynb")
    sweep = wait_for(client, submit(client, "failing.ipynb").id)
    run = f"{sweep.id}-1"
    assert list(listed(client, run)) == [f"{run}.1.context.json", f"{run}.ipynb"]


def shell(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process."""
    code = main(list(arguments))
    out, err = capfd.readouterr()
    return code, out, err


class TestShell:
    """``runs show`` in a shell."""

    @pytest.fixture(autouse=True)
    def here(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Work in the project."""
        monkeypatch.chdir(client.project.root)

    def test_list(self, run: m.RunView, capfd: Any) -> None:
        """It names what a run kept, and how to fetch a file."""
        code, out, _ = shell(capfd, "runs", "show", run.id)
        assert code == 0
        assert "plots/large.bin  300 MB" in out
        code, out, _ = shell(capfd, "runs", "show", run.id, "--json")
        record = json.loads(out)
        assert "model/MLmodel" in [each["path"] for each in record["artifacts"]]

    def test_one(self, run: m.RunView, capfd: Any) -> None:
        """One file is told with its hash, by itself."""
        sha256 = hashlib.sha256(b"step,auc\n1,0.5\n2,0.7\n").hexdigest()
        arguments = ("runs", "show", run.id, "--artifact", "plots/curve.csv")
        assert sha256 in shell(capfd, *arguments)[1]
        record = json.loads(shell(capfd, *arguments, "--json")[1])
        assert record == {
            "path": "plots/curve.csv",
            "size": 21,
            "media_type": "text/csv",
            "sha256": sha256,
        }

    def test_fetch(self, run: m.RunView, capfd: Any, tmp_path: Path) -> None:
        """A file goes where it is told to, a folder with all that is in it."""
        arguments = ("runs", "show", run.id, "--artifact")
        target = tmp_path / "saved.csv"
        assert shell(capfd, *arguments, "plots/curve.csv", "--output", str(target))[0] == 0
        assert target.read_bytes() == b"step,auc\n1,0.5\n2,0.7\n"
        assert shell(capfd, *arguments, "plots/curve.csv", "--output", str(tmp_path))[0] == 0
        assert (tmp_path / "curve.csv").is_file()
        code, out, _ = shell(capfd, *arguments, "model/", "--output", str(tmp_path / "m"), "--json")
        assert code == 0
        assert (tmp_path / "m" / "MLmodel").is_file()
        assert str(tmp_path / "m" / "MLmodel") in json.loads(out)["files"]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--artifact", "../x", "--output", "x"], "no path of an artifact"),
            (["--artifact", "plots/link", "--output", "x"], "leads out of the run"),
            (["--artifact", "none.png", "--output", "x"], "kept no"),
            (["--artifact", "model"], "Add --output FOLDER"),
            (["--output", "x"], "--output needs --artifact"),
            (["--artifact", "plots/curve.csv", "--output", "no/where.csv"], "cannot be written"),
        ],
    )
    def test_refused(self, arguments: list[str], said: str, run: m.RunView, capfd: Any) -> None:
        """What cannot be done is told without a traceback, and leaves nothing behind."""
        code, out, err = shell(capfd, "runs", "show", run.id, *arguments)
        assert code != 0
        assert said in err
        assert "Traceback" not in err
        assert out == ""
        assert not Path("x").exists()


def test_a_folder_with_links(client: Client, run: m.RunView, tmp_path: Path) -> None:
    """A link that lies where a folder is to be written does not lead the files elsewhere."""
    (tmp_path / "to").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to" / "deep").symlink_to(tmp_path / "elsewhere")
    result = api.get(run.id, project=client.project.root)
    with pytest.raises(Conflict, match="link to elsewhere"):
        fetched(result, "plots", str(tmp_path / "to"))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_python(client: Client, run: m.RunView, tmp_path: Path) -> None:
    """In Python a run's artifacts are a list of files that can be saved."""
    result = api.get(run.id, project=client.project.root)
    assert isinstance(result, RunResult)
    (artifact,) = [each for each in result.artifacts if each.path == "plots/curve.csv"]
    saved = artifact.save(tmp_path)
    assert saved == tmp_path / "curve.csv"
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == artifact.sha256
    assert "plots/curve.csv" in repr(result.artifacts)
    with pytest.raises(InvalidInput, match="takes one run"):
        fetched(result.sweep, "plots", str(tmp_path))


def test_a_cell(client: Client, run: m.RunView, tmp_path: Path) -> None:
    """``%mlops runs show`` does the same in a cell; a file's name cannot write HTML there."""
    with kernel(client.project.root) as cells:
        assert cells.run("%load_ext jupyter_mlops").error is None
        shown = cells.run(f"%mlops runs show {run.id}").result
        assert "plots/large.bin  300 MB" in shown["text/html"]
        assert "plots/&lt;img src=x&gt;.txt" in shown["text/html"]
        assert "<img" not in shown["text/html"]
        line = f"%mlops runs show {run.id} --artifact plots/curve.csv"
        assert hashlib.sha256(b"step,auc\n1,0.5\n2,0.7\n").hexdigest() in str(
            cells.run(line).result
        )
        assert cells.run(f"{line} --output {tmp_path}/saved.csv").error is None
        assert (tmp_path / "saved.csv").read_bytes() == b"step,auc\n1,0.5\n2,0.7\n"
        refused = cells.run(f"%mlops runs show {run.id} --artifact ../store.db")
        assert refused.error is not None
        assert "no path of an artifact" in refused.error["evalue"]
        assert len(refused.error["traceback"]) == 1
