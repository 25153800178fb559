"""What a stage has come to is saved as DVC saves it, though with less work."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.core.runs import Status
from tests.support import pipelines
from tests.support.pipeline_projects import Project, diamond, ran

#: Values that YAML and JSON write in different ways.
PARAMETERS = """\
face: "\\U0001F600 \\u2028"
text: "1e5"
octal: "0o14"
small: 1.0e-7
endless: .inf
list: [1, {a: yes, b: null}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Return a project with a worker."""
    with diamond(tmp_path / "project") as project:
        yield project


def test_dvc_reads_our_entries_of_the_run_cache(project: Project) -> None:
    """DVC itself restores what we have run, whatever its parameters look like."""
    project.write("other.yaml", PARAMETERS)
    stage = "{cmd: date > %s.txt, deps: [source.txt], params: [other.yaml: [%s]], outs: [%s.txt]}"
    names = ("face", "text", "octal", "small", "endless", "list")
    stages = "".join(f"  {name}: {stage % (name, name, name)}\n" for name in names)
    project.write("dvc.yaml", f"stages:\n{stages}")
    assert ran(project.run()) == set(names)
    project.assert_clean()
    ours = project.text("dvc.lock")
    for name in (*names, "dvc.lock"):
        (project.folder / name).with_suffix(".txt" if name in names else ".lock").unlink()
    assert project.dvc("repro").count("is cached - skipping run") == len(names)
    assert project.text("dvc.lock") == ours


def test_a_parameter_that_dvc_cannot_save(project: Project) -> None:
    """What DVC itself fails at is said in one line, and leaves the other stages alone."""
    project.write("other.yaml", "day: 2024-02-29\n")
    project.write(
        "dvc.yaml",
        """
        stages:
          dated: {cmd: date > a, deps: [source.txt], params: [other.yaml: [day]], outs: [a]}
          plain: {cmd: date > b, deps: [source.txt], outs: [b]}
        """,
    )
    detail = project.run(keep_going=True)
    assert ran(detail) == {"plain"}
    assert "Object of type date is not JSON serializable" in (detail.run.error or "")


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
def test_outputs_are_linked_as_dvc_links_them(project: Project, tmp_path: Path, link: str) -> None:
    """Outputs have the kind, the links and the permissions that DVC gives them."""
    project.write(
        "dvc.yaml",
        """
        stages:
          make:
            cmd:
            - echo plain > plain.txt
            - echo shared > first.txt && ln first.txt shared.txt
            - echo private > private.txt && chmod 600 private.txt
            - echo program > program.sh && chmod 755 program.sh
            - mkdir folder && echo inside > folder/inside.txt
            deps: [source.txt]
            outs: [plain.txt, shared.txt, private.txt, program.sh, folder]
        """,
    )
    project.dvc("config", "cache.type", link)
    beside = tmp_path / "beside"
    pipelines.commit(project.folder)
    subprocess.run(["git", "clone", "-q", project.folder, beside], check=True)
    pipelines.dvc(beside, "repro")
    assert project.run().run.status is Status.SUCCEEDED
    # Looking at them changes permissions: DVC protects the cached file that a program links to.
    project.assert_clean()
    pipelines.dvc(beside, "status")
    outputs = ("plain.txt", "shared.txt", "private.txt", "program.sh", "folder/inside.txt")
    for name in outputs:
        assert kind(project.folder / name) == kind(beside / name), name


def test_an_output_that_nobody_makes_any_more_is_removed(project: Project) -> None:
    """``dvc checkout`` knows which files are its own, and leaves those that were changed."""
    project.run()
    project.write("dvc.yaml", "stages: {}\n")
    (project.folder / "dvc.lock").unlink()
    project.write("model-a.txt", "my own\n")
    project.dvc("checkout")
    assert not (project.folder / "best.txt").exists()
    assert project.text("model-a.txt") == "my own\n"


def kind(path: Path) -> tuple[int, int, bool]:
    """Return what a file is: type and permissions, number of names, whether it is a link."""
    found = path.lstat()
    return stat.S_IMODE(path.stat().st_mode), found.st_nlink, path.is_symlink()
