"""Files that runs keep, read without leaving the run, wherever MLflow stores them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest

from jupyter_mlops.core.artifacts import Artifact, checked_path, media_type
from jupyter_mlops.core.exceptions import (
    Conflict,
    InvalidInput,
    MlopsError,
    NotAllowedPath,
    NotFound,
    TrackingUnavailable,
)
from jupyter_mlops.tracking import KeptFiles
from jupyter_mlops.tracking import files as module
from jupyter_mlops.tracking.files import LocalFiles, OneFile, RemoteFiles
from jupyter_mlops.tracking.kept import local_folder
from jupyter_mlops.tracking.store_template import create_database
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: What tries to get out of a run, or is no path.
ESCAPES = [
    "",
    ".",
    "..",
    "../secret.txt",
    "plots/../../secret.txt",
    "plots/..",
    "/etc/passwd",
    "//etc/passwd",
    "plots//roc.png",
    "plots\\..\\secret.txt",
    "C:\\secret.txt",
    "a\0b",
    "a\nb",
    "x" * 5000,
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, beside a file that is none of its business."""
    folder = tmp_path / "run"
    (folder / "plots").mkdir(parents=True)
    (folder / "plots" / "roc.png").write_bytes(b"png")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def content(store: LocalFiles | RemoteFiles, path: str) -> bytes:
    """Read a file whole."""
    with store.open(path) as file:
        return file.read()


@pytest.mark.parametrize("path", ESCAPES)
def test_paths_that_lead_out(path: str, run: Path) -> None:
    """Whatever is not plainly below the run is refused with one line that says what to do."""
    with pytest.raises(NotAllowedPath) as refused:
        LocalFiles(run).open(path)
    assert "\n" not in refused.value.message
    assert "jupyter mlops runs show" in refused.value.message
    assert refused.value.field == "path"


def test_a_path_is_decoded_once(run: Path) -> None:
    """Percent signs are part of a name, here and further on."""
    (run / "%2e%2e").mkdir()
    (run / "%2e%2e" / "100%.txt").write_text("all")
    assert content(LocalFiles(run), "%2e%2e/100%.txt") == b"all"
    with pytest.raises(NotFound):
        LocalFiles(run).open("%2e%2e/secret.txt")


@pytest.mark.parametrize("link", ["file", "folder", "chain", "root"])
def test_links_that_lead_out(link: str, run: Path, tmp_path: Path) -> None:
    """A link out of the run is neither listed nor followed, at whatever place of the path."""
    (run / "file").symlink_to(tmp_path / "secret.txt")
    (run / "folder").symlink_to(tmp_path)
    (run / "chain").symlink_to("file")
    (run / "root").symlink_to("/")
    path = {"folder": "folder/secret.txt", "root": f"root{tmp_path}/secret.txt"}.get(link, link)
    with pytest.raises(NotAllowedPath, match="leads out of the run") as refused:
        LocalFiles(run).open(path)
    assert "\n" not in refused.value.message
    listed = [each.path for each in LocalFiles(run).list(100)]
    assert listed == ["table.csv", "plots/roc.png"]


def test_a_neighbour_with_a_longer_name(run: Path, tmp_path: Path) -> None:
    """A folder whose name only begins like the run's is outside."""
    (tmp_path / "run-2").mkdir()
    (tmp_path / "run-2" / "x.txt").write_text("theirs")
    (run / "near").symlink_to(tmp_path / "run-2" / "x.txt")
    with pytest.raises(NotAllowedPath):
        LocalFiles(run).open("near")


def test_links_that_stay(run: Path) -> None:
    """A link inside the run stands for what it leads to; one to itself is nothing."""
    (run / "best.png").symlink_to("plots/roc.png")
    (run / "again").symlink_to("plots")
    (run / "loop").symlink_to("loop")
    store = LocalFiles(run)
    assert content(store, "best.png") == content(store, "again/roc.png") == b"png"
    listed = {each.path: each.size for each in store.list(100)}
    assert listed == {"best.png": 3, "plots/roc.png": 3, "table.csv": 8}
    with pytest.raises(MlopsError):
        store.open("loop")


def test_what_is_no_file(run: Path) -> None:
    """Folders and pipes are refused at once instead of being waited for."""
    os.mkfifo(run / "pipe")
    store = LocalFiles(run)
    for path in ("plots", "pipe"):
        with pytest.raises(InvalidInput, match="is no file"):
            store.open(path)
    assert "pipe" not in [each.path for each in store.list(100)]
    with pytest.raises(NotFound):
        store.open("plots/none.png")


def test_swapped_after_the_check(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that becomes a link while it is looked at is not followed either."""
    real = os.path.realpath

    def swap(path: Path) -> str:
        found = real(path)
        if str(path).endswith("roc.png"):
            (run / "plots" / "roc.png").unlink()
            (run / "plots").rmdir()
            (tmp_path / "roc.png").write_text("secret")
            (run / "plots").symlink_to(tmp_path)
        return found

    store = LocalFiles(run)
    monkeypatch.setattr(module.os.path, "realpath", swap)
    with pytest.raises(Conflict, match="cannot be read"):
        store.open("plots/roc.png")


def test_a_list_has_an_end(run: Path) -> None:
    """No more files are looked at than are asked for, and unfinished ones are left out."""
    for number in range(50):
        (run / f"{number:02}.txt").touch()
    (run / ".artifact.uploading.x").touch()
    assert len(LocalFiles(run).list(10)) == 10
    assert len(LocalFiles(run).list(1000)) == 52
    assert LocalFiles(run / "nowhere").list(10) == []


def test_one_file_of_many(run: Path) -> None:
    """An output notebook is kept in a folder with those of other runs, which stay out of it."""
    store = OneFile(run / "table.csv")
    assert [each.path for each in store.list(10)] == ["table.csv"]
    assert content(store, "table.csv") == b"a,b\n1,2\n"
    with pytest.raises(NotFound):
        store.open("plots/roc.png")


def test_names_tell_types() -> None:
    """The type is what the name promises; what is unknown may be anything."""
    types = {
        "a/ROC.PNG": "image/png",
        "x.ipynb": "application/x-ipynb+json",
        "model/MLmodel": "text/yaml",
        "model.pkl": "application/octet-stream",
        "png": "application/octet-stream",
        "page.html": "text/html",
    }
    assert {path: media_type(path) for path in types} == types
    assert checked_path("a b/ä.csv") == "a b/ä.csv"


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/data/x", "/data/x"),
        ("file:///data/a%20b", "/data/a b"),
        ("file://localhost/data", "/data"),
        ("file://elsewhere/data", None),
        ("s3://bucket/x", None),
        ("mlflow-artifacts:/1/x", None),
    ],
)
def test_where_artifacts_lie(uri: str, folder: str | None) -> None:
    """Only folders of this machine are read directly."""
    assert local_folder(uri) == (Path(folder) if folder else None)


def test_all_that_a_run_kept(tmp_path: Path) -> None:
    """Its own files, those of its models, the newest first, and of runs that its code started."""
    create_database(tmp_path / "mlflow.db", tmp_path / "artifacts")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    (tmp_path / "note.txt").write_text("hello")
    run = client.create_run("0")
    client.log_artifact(run.info.run_id, str(tmp_path / "note.txt"), "notes")
    for text in ("old", "newer"):
        model = client.create_logged_model("0", name="model", source_run_id=run.info.run_id)
        (tmp_path / "MLmodel").write_text(text)
        client.log_model_artifact(model.model_id, str(tmp_path / "MLmodel"))
        client.finalize_logged_model(model.model_id, "READY")
    tags = {"mlflow.parentRunId": run.info.run_id}
    child = client.create_run("0", tags=tags, run_name="fold/1")
    client.log_artifact(child.info.run_id, str(tmp_path / "note.txt"))

    kept = KeptFiles(uri)
    stores = kept.stores(run.info.run_id)
    found = {
        f"{folder}/{each.path}".lstrip("/") for folder, s in stores.items() for each in s.list(9)
    }
    older = next(folder for folder in stores if folder.startswith("model "))
    assert found == {"notes/note.txt", "model/MLmodel", f"{older}/MLmodel", "fold_1/note.txt"}
    with stores["model"].open("MLmodel") as file:
        assert file.read() == b"newer"
    assert kept.stores("0" * 32) == {}
    kept.close()


# -- elsewhere -------------------------------------------------------------------------------------


class Hostile(BaseHTTPRequestHandler):
    """An artifact server that names what it likes, and what MLflow asks for."""

    listing = (
        '{"files": [{"path": "ok.txt", "is_dir": false, "file_size": 5},'
        ' {"path": "huge.bin", "is_dir": false, "file_size": 1000000000000000}]}'
    )

    def do_GET(self) -> None:
        """Answer with a list or a file."""
        body = self.listing.encode() if "path=" in self.path else b"bytes"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hostile() -> Iterator[str]:
    """The address of the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def remote(address: str) -> RemoteFiles:
    """The files of a run on that server."""
    return RemoteFiles(f"{address}/api/2.0/mlflow-artifacts/artifacts/0/run", address)


def test_a_file_from_elsewhere(hostile: str) -> None:
    """It is fetched under a name of our own, and nothing of it stays on the disk."""
    store = remote(hostile)
    assert [(each.path, each.size) for each in store.list(10)] == [
        ("huge.bin", 10**15),
        ("ok.txt", 5),
    ]
    with store.open("ok.txt") as file:
        assert file.read() == b"bytes"
        assert os.fstat(file.fileno()).st_nlink == 0
    with pytest.raises(Conflict, match="Free some space"):
        store.open("huge.bin")
    with pytest.raises(NotFound):
        store.open("other.txt")
    with pytest.raises(NotAllowedPath):
        store.open("../other.txt")


OUTSIDE = ["../../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "other/evil.txt"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_from_elsewhere(name: str, hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads out is never listed: ignored by us, or refused by MLflow in one line."""
    listing = f'{{"files": [{{"path": "{name}", "is_dir": false, "file_size": 1}}]}}'
    monkeypatch.setattr(Hostile, "listing", listing)
    said = ""
    listed: list[Artifact] = []
    try:
        listed = remote(hostile).list(10)
    except TrackingUnavailable as error:
        said = error.message
    assert listed == []
    assert "\n" not in said


def test_a_store_that_is_away() -> None:
    """What fails elsewhere is told in one line."""
    with pytest.raises(TrackingUnavailable) as told:
        remote("http://127.0.0.1:9").list(10)
    assert "\n" not in told.value.message
