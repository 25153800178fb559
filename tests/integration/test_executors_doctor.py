"""What doctor says of executors: those that are installed, and those that the settings name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops import __version__
from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from tests.support import workers
from tests.support.dask_cluster import cluster

POINTS = """[jupyter_mlops.executors]
lame = lame_executor:missing
picky = lame_executor:picky
idle = lame_executor
"""
CODE = """
from jupyter_mlops.core.exceptions import InvalidInput

def picky(site):
    raise InvalidInput("mlops.toml: [executors.picky]: phase: 3 is too late.")
"""


@pytest.fixture
def lame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers executors, one of which does not load."""
    packages = tmp_path / "packages"
    facts = packages / "lame-1.5.dist-info"
    facts.mkdir(parents=True)
    (packages / "lame_executor.py").write_text(CODE, "utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: lame\nVersion: 1.5\n", "utf-8")
    (facts / "entry_points.txt").write_text(POINTS, "utf-8")
    paths = filter(None, (str(packages), os.environ.get("PYTHONPATH")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def folder(tmp_path: Path, lame: None) -> Iterator[Path]:
    """A folder for a project, whose worker is ended at last."""
    yield workers.make_project(tmp_path / "project")
    workers.stop(tmp_path / "project")


def findings(folder: Path, settings: str = "") -> dict[str, m.Finding]:
    """Return what doctor says of executors in a project with these settings."""
    (folder / "mlops.toml").write_text(settings, "utf-8")
    client: Client = workers.connect(folder)
    found = client.call(ops.DOCTOR)
    workers.stop(folder)
    begin = "executor "
    return {each.name.removeprefix(begin): each for each in found if each.name.startswith(begin)}


def test_installed(folder: Path) -> None:
    """Each is told with its version; one that the project does not use may be broken."""
    found = findings(folder)
    assert found.keys() >= {"dask", "lame", "picky", "idle"}
    assert all(each.ok for each in found.values())
    assert found["dask"].message == f"jupyter-mlops {__version__}, not used by this project."
    assert found["idle"].message == "lame 1.5, not used by this project."
    assert found["lame"].message.startswith(
        "The executor lame of lame 1.5 does not load: module 'lame_executor' has no attribute"
    )


def test_used(folder: Path, tmp_path: Path) -> None:
    """What the settings name has to be there, to load, to take them, and to answer."""
    settings = (
        '[dask]\naddress = "tcp://127.0.0.1:1"\n'
        "[executors.lame]\n[executors.picky]\nphase = 3\n[executors.moon]\n"
    )
    found = findings(folder, settings)
    assert {name for name, each in found.items() if not each.ok} == {
        "dask",
        "lame",
        "picky",
        "moon",
    }
    assert "The executor lame of lame 1.5 does not load" in found["lame"].message
    assert found["picky"].message == "mlops.toml: [executors.picky]: phase: 3 is too late."
    assert found["moon"].message.startswith("There is no executor moon among the installed")
    assert found["dask"].message.startswith("The Dask scheduler does not answer: ")
    assert "127.0.0.1:1" in found["dask"].message
    with cluster(tmp_path / "cluster", "a") as nodes:
        answered = findings(folder, f'[dask]\naddress = "{nodes.address}"\n')["dask"]
    assert answered == m.Finding("executor dask", True, f"{nodes.address}: 1 node, 1 core.")


def test_the_default_cannot_be_opened(folder: Path) -> None:
    """The status says so, and why, until runs go somewhere else by themselves."""
    for default, is_told in (("local", False), ("lame", True)):
        (folder / "mlops.toml").write_text(
            f'executor = "{default}"\n[executors.lame]\n', encoding="utf-8"
        )
        problem = workers.connect(folder).call(ops.STATUS).problem
        assert ("does not load" in (problem or "")) is is_told
        workers.stop(folder)
