"""Pipelines whose stages fail, whose files are locked, whose processes die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.core.exceptions import Conflict, InvalidInput
from jupyter_mlops.core.pipelines import StageState
from jupyter_mlops.core.runs import Status
from tests.support import workers
from tests.support.pipeline_projects import DIAMOND, Project, diamond, ran, states, wait_until

#: Holds DVC's lock until its standard input ends.
HOLD = """
import sys
from dvc.repo import Repo
repo = Repo(".")
repo.lock.lock()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A repository with the diamond of four stages."""
    with diamond(tmp_path / "project") as made:
        yield made


# -- what happens when a stage fails ---------------------------------------------------------------


def test_it_says_which_and_nothing_else_begins(project: Project) -> None:
    """It says which and nothing else begins."""
    project.write("dvc.yaml", DIAMOND.replace("cat source.txt", "echo oh no; exit 3; cat"))
    detail = project.run()
    assert detail.run.status is Status.FAILED
    assert detail.run.error == "prepare: Exit code 3: oh no"
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
    assert states(detail)["a"] == "skipped"
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
        held = f"Waiting for process {other.pid} ("
        assert (project.look().problem or "").startswith(held)
        run = [sys.executable, "-m", "jupyter_mlops", "pipeline", "run"]
        with subprocess.Popen(run, cwd=project.folder, stderr=pipe, text=True) as ours:
            assert ours.stderr is not None
            assert ours.stderr.readline().startswith(held)
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
        if "jupyter_mlops.pipeline" in (each.info["cmdline"] or ())
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
