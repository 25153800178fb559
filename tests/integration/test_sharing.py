"""Shared cells from the request to the attempt, and what is told about them before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.cli import main
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.runs import SweepKind
from jupyter_mlops.magics import mlops as magic
from tests.support import workers
from tests.support.notebooks import tag
from tests.support.workers import submit, wait_for, write

CELLS = (
    "x: int = 1",
    "import time",
    "time.sleep(0.3)\ndata = [1, 2]\nprint('load', file=open('loaded', 'a'))",
    "y = x + data[0]",
    "time.sleep(0.15 * y / y)",
    "print(data)",
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the worker of a project; each test has a notebook of its own."""
    folder = tmp_path_factory.mktemp("sharing") / "project"
    with workers.worker(workers.make_project(folder, "cores = 1")) as made:
        yield made


def explain(client: Client, notebook: str, **space: str) -> m.SharingView:
    """Ask which cells could be shared."""
    body = m.SpaceRequest(notebook=notebook, space=space)
    return client.call(ops.EXPLAIN, body=body)


def states(view: m.SharingView) -> list[str]:
    """The state of each cell."""
    return [each.state for each in view.cells]


@pytest.mark.slow
def test_from_the_hint_to_the_saving(client: Client) -> None:
    """What earlier runs measured makes the hint, its cell is tagged, and executed once."""
    path = write(client, *CELLS, name="hint.ipynb")
    first = explain(client, "hint.ipynb", x="1..4")
    assert (first.runs, first.slots, first.measured, first.saved) == (4, 1, 0, 0.0)
    assert states(first) == ["parameters", "free", "free", "dependent", "dependent", "free"]
    assert first.cells[3].why == "depends on the parameter x"
    assert first.cells[4].why == "depends on the parameter x through y (cell 4)"
    wait_for(client, submit(client, "hint.ipynb", space={"x": "1,2"}).id)

    measured = explain(client, "hint.ipynb", x="1..4")
    assert measured.measured == 2
    assert states(measured) == ["parameters", "free", "suggested", "dependent", "dependent", "free"]
    load = measured.cells[2]
    assert load.seconds == pytest.approx(0.35, abs=0.15)
    assert measured.seconds == load.seconds
    assert measured.saved == pytest.approx(load.seconds * 3)
    assert explain(client, "hint.ipynb", x="1").saved == 0.0

    tag(path, load.cell)
    tagged = explain(client, "hint.ipynb", x="1..4")
    assert states(tagged) == ["parameters", "shared", "shared", "dependent", "dependent", "free"]
    assert tagged.cells[1].why == "is shared too, since cell 3 needs it"
    assert tagged.saved == 0.0
    (client.project.root / "loaded").unlink()
    sweep = wait_for(client, submit(client, "hint.ipynb", space={"x": "1..3"}).id)
    assert sweep.counts.succeeded == 3
    run = client.call(ops.GET_RUN, run_id=f"{sweep.id}-1")
    assert run.context["shared"] == [1, 2]
    assert (client.project.root / "loaded").read_text() == "load\n"
    again = explain(client, "hint.ipynb", x="1..4")
    assert again.cells[2].seconds == load.seconds


def test_single_runs_share_too(client: Client) -> None:
    """The cells are noted for a single run as for a sweep; without a tag there are none."""
    path = write(client, "x: int = 1", "y = 2", name="single.ipynb")
    plain = submit(client, "single.ipynb", kind=SweepKind.RUN)
    tag(path, 2)
    shared = submit(client, "single.ipynb", kind=SweepKind.RUN)
    for sweep, cells in ((plain, []), (shared, [1])):
        wait_for(client, sweep.id)
        run = client.call(ops.GET_RUN, run_id=f"{sweep.id}-1")
        assert run.context["shared"] == cells


def test_refused_at_submission(client: Client) -> None:
    """A tagged cell that depends on a parameter stops the request, and the form says so at once."""
    path = write(client, "x: int = 1", "y = x", "z = y", name="refused.ipynb")
    tag(path, 3)
    line = (
        "Cell 3 is tagged shared but depends on the parameter x through y (cell 2). "
        "Remove the tag, or the dependency."
    )
    with pytest.raises(InvalidInput) as refused:
        submit(client, "refused.ipynb", space={"x": "1,2"})
    assert refused.value.message == line
    body = m.SpaceRequest(notebook="refused.ipynb", space={"x": "1,2"})
    assert client.call(ops.PREVIEW, body=body).errors == {"": line}
    assert explain(client, "refused.ipynb", x="1,2").cells[2].why == line
    sweeps = client.call(ops.LIST_SWEEPS, query=m.ListQuery())
    assert "refused.ipynb" not in {each.notebook for each in sweeps}


def test_other_languages(client: Client) -> None:
    """Only Python can be read, so only its cells can be shared."""
    path = write(client, "x <- 1", "y <- x", name="other.ipynb")
    tag(path, 2)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    nbformat.write(notebook, path)
    with pytest.raises(InvalidInput, match="only cells of Python notebooks can be shared"):
        submit(client, "other.ipynb")
    assert explain(client, "other.ipynb").cells == []


def test_commands_explain(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The shell and the API tell the same, run nothing, and refuse what a sweep refuses."""
    write(client, *CELLS, name="told.ipynb")
    monkeypatch.chdir(client.project.root)
    wait_for(client, submit(client, "told.ipynb").id)
    before = len(client.call(ops.LIST_SWEEPS, query=m.ListQuery()))
    command = ["sweep", "told.ipynb", "x=1..21", "--explain"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "21 runs of told.ipynb, 1 at a time"
    assert re.fullmatch(
        r"Cell 3 does not depend on parameters and takes 0.\d s of each run.", lines[1]
    )
    saves = r"The tag shared on it saves about \d+ s in these 21 runs on 1 core."
    assert re.fullmatch(saves, lines[2])
    assert [line.split()[0] for line in lines[3:]] == ["cell", "3", "5"]
    assert lines[5].endswith("no, it depends on the parameter x through y (cell 4)")
    assert main([*command, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["runs"], record["slots"], record["measured"]) == (21, 1, 1)
    told = mlops.explain("told.ipynb", {"x": range(1, 22)})
    assert (told.suggested, told.shared, told.saved) == ([3], [], record["saved"])
    assert "Cell 3 does not depend on parameters" in repr(told)
    assert repr(magic(" ".join(command))) == repr(told)
    assert main(["sweep", "told.ipynb", "y=1", "--explain"]) == 2
    assert len(client.call(ops.LIST_SWEEPS, query=m.ListQuery())) == before
