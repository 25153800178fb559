"""Pipelines: real git, real DVC, a real worker. DVC stays the truth."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app import pipeline_requests
from jupyter_mlops.app.client import connect
from jupyter_mlops.core.pipelines import CauseKind
from jupyter_mlops.core.runs import Status
from jupyter_mlops.pipeline import wire
from tests.support import pipelines, workers
from tests.support.pipeline_projects import DIAMOND, Project, diamond, ran, states


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A repository with the diamond of four stages."""
    with diamond(tmp_path / "project") as made:
        yield made


@pytest.mark.parametrize("asked", [["compare"], ["prepare"], ["missing"], None])
def test_what_is_asked_while_the_worker_starts(project: Project, asked: list[str] | None) -> None:
    """The answer is used if that is what was wanted, and else passed over."""
    workers.stop(project.folder)
    other = pipeline_requests.question(asked or [], {"folder": "."})
    question = wire.pack(other) if asked is not None else b""
    project.client = connect(project.folder, ahead=(project.folder, question))
    assert ran(project.run("prepare")) == {"prepare"}
    assert project.states()["compare"] == "stale"
    wanted = m.PipelineRequest(targets=["prepare"])
    same = pipeline_requests.first_question(project.folder, wanted)
    assert same is not None
    assert (same[1] == question) == (asked == ["prepare"])


# -- DVC stays the truth ---------------------------------------------------------------------------


def test_afterwards_dvc_has_nothing_to_do(project: Project) -> None:
    """Afterwards DVC has nothing to do."""
    detail = project.run()
    assert detail.run.status is Status.SUCCEEDED
    assert ran(detail) == {"prepare", "train@a", "train@b", "compare"}
    project.assert_clean()


def test_the_lock_file_is_what_dvc_writes(project: Project, tmp_path: Path) -> None:
    """The lock file is what DVC writes."""
    beside = tmp_path / "beside"
    subprocess.run(["git", "clone", "-q", project.folder, beside], check=True)
    pipelines.dvc(beside, "repro")
    project.run()
    assert project.text("dvc.lock") == (beside / "dvc.lock").read_text()
    project.write("params.yaml", "depth: 4\n")
    (beside / "params.yaml").write_text("depth: 4\n")
    pipelines.dvc(beside, "repro")
    assert ran(project.run()) == {"train@a", "train@b", "compare"}
    assert project.text("dvc.lock") == (beside / "dvc.lock").read_text()
    # A line is added when a stage ends, so that parallel ones come in any order.
    ignored = (beside / ".gitignore").read_text()
    assert sorted(project.text(".gitignore").splitlines()) == sorted(ignored.splitlines())


def test_the_run_cache_is_filled_and_used(project: Project) -> None:
    """The run cache is filled and used."""
    project.run()
    for name in ("dvc.lock", "best.txt", "model-a.txt"):
        (project.folder / name).unlink()
    detail = project.run()
    assert {each.name for each in detail.stages if each.cached} == ran(detail)
    assert project.text("best.txt")
    project.assert_clean()
    # DVC itself finds what we have put there.
    (project.folder / "dvc.lock").unlink()
    (project.folder / "best.txt").unlink()
    assert "is cached - skipping run" in project.dvc("repro")


def test_push_pull_and_experiments_work(project: Project, tmp_path: Path) -> None:
    """Push pull and experiments work."""
    project.dvc("remote", "add", "-d", "store", str(tmp_path / "store"))
    project.run()
    project.dvc("push")
    pipelines.commit(project.folder)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", project.folder, clone], check=True)
    pipelines.dvc(clone, "pull")
    assert (clone / "best.txt").read_text() == project.text("best.txt")
    assert "workspace" in project.dvc("exp", "show", "--csv")


def test_pull_fetches_instead_of_running(project: Project, tmp_path: Path) -> None:
    """Pull fetches instead of running."""
    project.dvc("remote", "add", "-d", "store", str(tmp_path / "store"))
    project.run()
    project.dvc("push", "--run-cache")
    for name in ("best.txt", "model-a.txt", "model-b.txt", "prepared.txt"):
        (project.folder / name).unlink()
    subprocess.run(["rm", "-rf", project.folder / ".dvc" / "cache"], check=True)
    detail = project.run(pull=True)
    assert detail.run.status is Status.SUCCEEDED, detail.run.error
    assert not (project.folder / ".mlops" / "logs" / "stages" / "x").exists()
    assert project.text("best.txt")
    project.assert_clean()


def test_git_is_left_alone(project: Project) -> None:
    """Git is left alone."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=project.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    before = git("rev-parse", "HEAD"), git("stash", "list"), git("branch", "--all")
    project.run()
    assert before == (git("rev-parse", "HEAD"), git("stash", "list"), git("branch", "--all"))
    assert git("diff", "--cached", "--name-only") == ""


def test_what_dvc_stages_by_itself_is_staged(project: Project) -> None:
    """What DVC stages by itself is staged."""
    project.dvc("config", "core.autostage", "true")
    project.run()
    staged = subprocess.run(
        ["git", "diff", "--cached", "--name-only"],
        cwd=project.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {".gitignore", "dvc.lock"} <= set(staged)


# -- why each stage will run is data, before anything runs -----------------------------------------


def causes(project: Project) -> dict[str, set[tuple[CauseKind, str]]]:
    """Return why each stage will run."""
    return {
        each.name: {(cause.kind, cause.what) for cause in each.causes}
        for each in project.look().stages
        if each.causes
    }


def test_each_kind(project: Project) -> None:
    """Each kind."""
    assert {kind for found in causes(project).values() for kind, _ in found} == {
        CauseKind.NEVER_RUN
    }
    project.run()
    assert causes(project) == {}
    project.write("params.yaml", "depth: 9\n")
    assert causes(project) == {
        "train@a": {(CauseKind.PARAMETER, "params.yaml: depth")},
        "train@b": {(CauseKind.PARAMETER, "params.yaml: depth")},
        "compare": {(CauseKind.UPSTREAM, "train@a"), (CauseKind.UPSTREAM, "train@b")},
    }
    project.write("params.yaml", "depth: 3\n")
    project.write("source.txt", "other\n")
    assert causes(project)["prepare"] == {(CauseKind.DEPENDENCY, "source.txt")}
    project.write("source.txt", "data\n")
    (project.folder / "best.txt").unlink()
    assert causes(project) == {"compare": {(CauseKind.OUTPUT, "best.txt")}}
    project.run()
    project.write("dvc.yaml", DIAMOND.replace("> best.txt", "| cat > best.txt"))
    assert causes(project) == {"compare": {(CauseKind.COMMAND, "")}}


def test_forced_and_always(project: Project) -> None:
    """Forced and always."""
    project.write("dvc.yaml", "stages:\n  note:\n    cmd: echo hello\n")
    assert causes(project) == {"note": {(CauseKind.NEVER_RUN, "")}}
    project.run()
    assert causes(project) == {"note": {(CauseKind.ALWAYS, "")}}
    request = m.PipelineRequest(force=True)
    plan = project.client.call(ops.PLAN_PIPELINE, body=request)
    assert [cause.kind for cause in plan.stages[0].causes] == [CauseKind.FORCED]


def test_an_upstream_that_comes_to_the_same_stops_the_rest(project: Project) -> None:
    """An upstream that comes to the same stops the rest."""
    project.write("dvc.yaml", DIAMOND.replace("cat source.txt", "head -c 2 source.txt"))
    project.run()
    project.write("source.txt", "da, but other\n")
    detail = project.run()
    assert ran(detail) == {"prepare"}
    assert states(detail)["compare"] == "fresh"
    project.assert_clean()


# -- dVC's own options -----------------------------------------------------------------------------


def test_force(project: Project) -> None:
    """Force."""
    project.run()
    assert len(ran(project.run(force=True))) == 4


def test_dry_changes_nothing(project: Project) -> None:
    """Dry changes nothing."""
    plan = project.client.call(ops.PLAN_PIPELINE, body=m.PipelineRequest(targets=["prepare"]))
    assert [each.name for each in plan.stages] == ["prepare"]
    assert not (project.folder / "dvc.lock").exists()


def test_a_target_brings_what_it_depends_on(project: Project) -> None:
    """A target brings what it depends on."""
    assert ran(project.run("train@a")) == {"prepare", "train@a"}
    assert ran(project.run("train")) == {"train@b"}
    assert ran(project.run("compare")) == {"compare"}


def test_single_item(project: Project) -> None:
    """Single item."""
    project.run()
    project.write("source.txt", "other\n")
    project.write("params.yaml", "depth: 4\n")
    assert ran(project.run("train@a", single_item=True)) == {"train@a"}


def test_downstream(project: Project) -> None:
    """Downstream."""
    project.run()
    project.write("source.txt", "other\n")
    project.write("params.yaml", "depth: 4\n")
    assert ran(project.run("train@a", downstream=True)) == {"train@a", "compare"}


def test_no_commit(project: Project) -> None:
    """No commit."""
    project.run("prepare", no_commit=True)
    assert "not in cache" in project.dvc("status", "prepare")


def test_all_pipelines_and_folders(project: Project) -> None:
    """All pipelines and folders."""
    project.write("sub/dvc.yaml", "stages:\n  own:\n    cmd: echo 1 > x\n    outs: [x]\n")
    assert "sub/dvc.yaml:own" not in ran(project.run())
    assert ran(project.run(all_pipelines=True)) == {"sub/dvc.yaml:own"}
    (project.folder / "sub" / "x").unlink()
    assert ran(project.run("own", folder="sub")) == {"sub/dvc.yaml:own"}
    assert ran(project.run(folder="sub", force=True)) == {"sub/dvc.yaml:own"}
