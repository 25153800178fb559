"""Pipelines: real git, real DVC, a real worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.following import follow_pipeline
from jupyter_mlops.core.exceptions import Conflict, InvalidInput
from jupyter_mlops.core.pipelines import CauseKind, StageState
from jupyter_mlops.core.runs import Status
from tests.support import pipelines, workers

DIAMOND = """
stages:
  prepare:
    cmd: cat source.txt > prepared.txt
    deps: [source.txt]
    outs: [prepared.txt]
  train:
    foreach: [a, b]
    do:
      cmd: cat prepared.txt params.yaml > model-${item}.txt
      deps: [prepared.txt]
      params: [depth]
      outs: ["model-${item}.txt"]
  compare:
    cmd: cat model-a.txt model-b.txt > best.txt
    deps: [model-a.txt, model-b.txt]
    outs: [best.txt]
"""


#: Holds DVC's lock until its standard input ends.
HOLD = """
import sys
from dvc.repo import Repo
repo = Repo(".")
repo.lock.lock()
print("held", flush=True)
sys.stdin.read()
"""


class Project:
    """A git and DVC repository with a worker."""

    def __init__(self, folder: Path, client: Client) -> None:
        self.folder = folder
        self.client = client

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")

    def text(self, name: str) -> str:
        """Read a file."""
        return (self.folder / name).read_text("utf-8")

    def start(self, *targets: str, **options: object) -> str:
        """Ask for a pipeline run and return its id."""
        request = m.PipelineRequest(targets=list(targets), **options)  # type: ignore[arg-type]
        request.environment = dict(os.environ)
        return self.client.call(ops.RUN_PIPELINE, body=request).id

    def run(self, *targets: str, **options: object) -> m.PipelineRunDetail:
        """Carry out a pipeline run."""
        return self.wait(self.start(*targets, **options))

    def wait(self, pipeline_id: str) -> m.PipelineRunDetail:
        """Wait until a pipeline run has ended."""
        for _ in follow_pipeline(self.client, pipeline_id, 0):
            pass
        return self.client.call(ops.GET_PIPELINE_RUN, pipeline_id=pipeline_id)

    def until(self, pipeline_id: str, stage: str, state: StageState) -> None:
        """Wait until a stage stands there."""
        for event in self.client.events(0):
            found = event.data if event is not None else {}
            if found.get("pipeline") == pipeline_id and found.get("stages", {}).get(stage) == state:
                return

    def look(self) -> m.PipelineView:
        """Ask where the stages stand."""
        return self.client.call(ops.PIPELINE, query=m.PipelineQuery(), timeout=None)

    def states(self) -> dict[str, str]:
        """Return where each stage stands."""
        return {each.name: str(each.state) for each in self.look().stages}

    def dvc(self, *arguments: str) -> str:
        """Run DVC itself."""
        return pipelines.dvc(self.folder, *arguments)

    def assert_clean(self) -> None:
        """DVC itself finds nothing to do."""
        assert "up to date" in self.dvc("status")
        assert "didn't change" in self.dvc("repro")
        assert "Running" not in self.dvc("repro")


def states(detail: m.PipelineRunDetail) -> dict[str, str]:
    """Return what a pipeline run did with each stage."""
    return {each.name: str(each.state) for each in detail.stages}


def ran(detail: m.PipelineRunDetail) -> set[str]:
    """Return the stages that a pipeline run has run."""
    return {each.name for each in detail.stages if each.state is StageState.SUCCEEDED}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A repository with the diamond of four stages."""
    folder = tmp_path / "project"
    folder.mkdir()
    pipelines.repository(folder)
    (folder / "mlops.toml").write_text("")
    with workers.worker(folder) as client:
        made = Project(folder, client)
        made.write("dvc.yaml", DIAMOND)
        made.write("source.txt", "data\n")
        made.write("params.yaml", "depth: 3\n")
        pipelines.commit(folder)
        yield made


# -- dVC stays the truth ---------------------------------------------------------------------------


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
    assert project.text(".gitignore") == (beside / ".gitignore").read_text()


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


# -- what happens when a stage fails ---------------------------------------------------------------


def test_it_says_which_and_nothing_else_begins(project: Project) -> None:
    """It says which and nothing else begins."""
    project.write("dvc.yaml", DIAMOND.replace("cat source.txt", "echo oh no; exit 3; cat"))
    detail = project.run()
    assert detail.run.status is Status.FAILED
    assert detail.run.error == "prepare: Exit code 3: echo oh no; exit 3; cat > prepared.txt"
    assert set(states(detail).values()) == {"failed", "skipped"}
    query = m.StageQuery(name="prepare")
    assert project.client.call(ops.GET_STAGE, query=query).log == "oh no"
    assert project.states()["prepare"] == "failed"
    project.write("dvc.yaml", DIAMOND)
    assert len(ran(project.run())) == 4
    project.assert_clean()


def test_keep_going_finishes_what_does_not_depend_on_it(project: Project) -> None:
    """Keep going finishes what does not depend on it."""
    failing = "test ${item} = a && exit 1; cat prepared.txt params.yaml"
    project.write("dvc.yaml", DIAMOND.replace("cat prepared.txt params.yaml", failing))
    detail = project.run(keep_going=True)
    assert states(detail) == {
        "prepare": "succeeded",
        "train@a": "failed",
        "train@b": "succeeded",
        "compare": "skipped",
    }


def test_an_output_that_is_not_written(project: Project) -> None:
    """An output that is not written."""
    project.write("dvc.yaml", "stages:\n  none:\n    cmd: echo\n    outs: [x.txt]\n")
    detail = project.run()
    assert detail.run.error == "none: output 'x.txt' does not exist"


def test_retries(project: Project) -> None:
    """Retries."""
    project.write(
        "dvc.yaml",
        """
        stages:
          flaky:
            cmd: echo x >> tries; [ $(wc -l < tries) = 3 ] && echo done > out.txt
            outs: [out.txt]
            meta: {mlops: {retries: 2}}
        """,
    )
    assert project.run().run.status is Status.SUCCEEDED
    assert project.text("tries") == "x\nx\nx\n"


def test_timeout_ends_all_that_it_has_started(project: Project) -> None:
    """Timeout ends all that it has started."""
    project.write(
        "dvc.yaml",
        """
        stages:
          slow:
            cmd: "(sleep 1000 & echo $! > pid; wait)"
            meta: {mlops: {timeout: 0.5}}
        """,
    )
    detail = project.run()
    assert detail.run.error == "slow: It took longer than the 0.5 s of its timeout."
    assert not psutil.pid_exists(int(project.text("pid")))


def test_on_failure(project: Project) -> None:
    """On failure."""
    project.write(
        "dvc.yaml",
        """
        stages:
          bad:
            cmd: exit 4
            meta:
              mlops:
                on_failure: echo "$MLOPS_STAGE / $MLOPS_ERROR" > told.txt
        """,
    )
    assert project.run().run.status is Status.FAILED
    assert project.text("told.txt") == "bad / Exit code 4: exit 4\n"


def test_cancel(project: Project) -> None:
    """Cancel."""
    project.write(
        "dvc.yaml",
        "stages:\n  a:\n    cmd: sleep 1000\n  b:\n    cmd: echo\n    deps: [source.txt]\n",
    )
    pipeline_id = project.start()
    project.until(pipeline_id, "a", StageState.RUNNING)
    project.client.call(ops.CANCEL_PIPELINE_RUN, pipeline_id=pipeline_id)
    detail = project.wait(pipeline_id)
    assert detail.run.status is Status.CANCELLED
    assert states(detail)["a"] == "failed"
    assert not [each for each in psutil.process_iter(["cmdline"]) if _sleeps(each, project)]
    with pytest.raises(Conflict):
        project.client.call(ops.CANCEL_PIPELINE_RUN, pipeline_id=pipeline_id)
    project.dvc("status")  # nothing is locked


@pytest.mark.parametrize(
    ("meta", "line"),
    [
        ("{cpus: many}", "meta.mlops.cpus: 'many' is no whole number of at least 1"),
        ("{memory: much}", "meta.mlops.memory: 'much' is not a size"),
        ("{cpus: 4000}", "meta.mlops.cpus: 4000 cores were asked for"),
        ("{tries: 2}", "meta.mlops.tries: there is no such setting"),
    ],
)
def test_settings_that_make_no_sense(project: Project, meta: str, line: str) -> None:
    """Settings that make no sense."""
    stage = f"stages:\n  a:\n    cmd: echo\n    meta: {{mlops: {meta}}}\n"
    project.write("dvc.yaml", stage)
    with pytest.raises(InvalidInput, match=line):
        project.start()


def _sleeps(process: psutil.Process, project: Project) -> bool:
    return process.info["cmdline"] == ["sleep", "1000"] and process.cwd() == str(project.folder)


# -- stages run in parallel, within the resources of the queue -------------------------------------


def test_independent_stages_meet(project: Project) -> None:
    """Independent stages meet."""
    # Each waits for the other: one after the other they would never end.
    stages = {
        name: {"cmd": f"touch here-{name}; until [ -e here-{other} ]; do :; done"}
        for name, other in (("a", "b"), ("b", "a"))
    }
    project.write("dvc.yaml", json.dumps({"stages": stages}))
    assert project.run().run.status is Status.SUCCEEDED


def test_cores_are_counted(project: Project) -> None:
    """Cores are counted."""
    status = project.client.call(ops.STATUS)
    count = "ls running-* | wc -l >> counts; sleep 0.2; rm running-$DVC_STAGE"
    stages = {
        f"s{i}": {
            "cmd": f"touch running-$DVC_STAGE; {count}",
            "meta": {"mlops": {"cpus": status.cores}},
        }
        for i in range(4)
    }
    project.write("dvc.yaml", json.dumps({"stages": stages}))
    assert project.run().run.status is Status.SUCCEEDED
    assert set(project.text("counts").split()) == {"1"}


# -- other DVC processes are respected, and respect us ---------------------------------------------


def test_a_held_repository_lock_is_waited_for(project: Project) -> None:
    """A held repository lock is waited for."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=project.folder, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        run = [sys.executable, "-m", "jupyter_mlops", "pipeline", "run"]
        with subprocess.Popen(run, cwd=project.folder, stderr=pipe, text=True) as ours:
            assert ours.stderr is not None
            assert ours.stderr.readline().startswith(f"Waiting for process {other.pid} (")
            other.stdin.close()
            ours.stderr.read()
        assert ours.returncode == 0
    project.assert_clean()


def test_the_files_of_a_running_stage_are_locked(project: Project) -> None:
    """The files of a running stage are locked."""
    project.write(
        "dvc.yaml",
        "stages:\n  slow:\n    cmd: until [ -e go ]; do sleep 0.05; done; echo > out\n"
        "    deps: [source.txt]\n    outs: [out]\n",
    )
    pipeline_id = project.start()
    project.until(pipeline_id, "slow", StageState.RUNNING)
    wait_until((project.folder / ".dvc/tmp/rwlock").exists)
    refused = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        check=False,
        cwd=project.folder,
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0
    assert "jupyter mlops pipeline run" in refused.stderr
    (project.folder / "go").touch()
    assert project.wait(pipeline_id).run.status is Status.SUCCEEDED
    project.assert_clean()


# -- kill -9 at any moment -------------------------------------------------------------------------


def test_a_killed_worker_goes_on(project: Project) -> None:
    """A killed worker goes on."""
    counting = DIAMOND.replace("cat prepared.txt", "echo $DVC_STAGE >> ran; cat prepared.txt")
    slow = counting.replace("cat model-a", "until [ -e go ]; do sleep 0.05; done; cat model-a")
    project.write("dvc.yaml", slow)
    pipeline_id = project.start()
    project.until(pipeline_id, "compare", StageState.RUNNING)
    workers.kill(project.client)
    (project.folder / "go").touch()
    detail = project.wait(pipeline_id)  # another worker is started
    assert detail.run.status is Status.SUCCEEDED
    assert sorted(project.text("ran").split()) == ["train@a", "train@b"]
    project.assert_clean()


def test_a_killed_host_loses_nothing(project: Project) -> None:
    """What the run cache does not take is in our journal."""
    project.write(
        "dvc.yaml",
        """
        stages:
          first:
            cmd: echo x >> ran; cp ran out.txt
            outs: [out.txt]
          second:
            cmd: until [ -e go ]; do sleep 0.05; done
            deps: [out.txt]
        """,
    )
    pipeline_id = project.start()
    project.until(pipeline_id, "second", StageState.RUNNING)
    (host,) = [
        each
        for each in psutil.process_iter(["cmdline"])
        if "jupyter_mlops.pipeline.host" in (each.info["cmdline"] or ())
        and str(project.folder) in each.info["cmdline"]
    ]
    os.kill(host.pid, signal.SIGKILL)
    (project.folder / "go").touch()
    assert project.wait(pipeline_id).run.status is Status.FAILED
    assert not (project.folder / "dvc.lock").exists()
    detail = project.run()
    assert states(detail) == {"first": "fresh", "second": "succeeded"}
    assert project.text("ran") == "x\n"
    assert "up to date" in project.dvc("status")


def wait_until(condition: object, seconds: float = 30) -> None:
    """Wait until something is so that nothing tells of."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
