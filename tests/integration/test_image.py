"""A project is packed to run elsewhere: the Dockerfile, the job, and what the image starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.core.images import label
from tests.support.commands import Command, caller
from tests.support.mlflow_environments import make_environment

BIN = Path(sys.executable).parent
LOCK = "jupyter-mlops==0.1.0\nnumpy==2.4.1\n"
VALIDATE = """
import sys, yaml, kubernetes_validate as k
for path in sys.argv[1:]:
    k.validate(yaml.safe_load(open(path)), k.latest_version(), strict=True)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a pipeline and a lock."""
    folder = tmp_path / "Late Flights"
    folder.mkdir()
    (folder / "mlops.toml").touch()
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "requirements.txt").write_text(LOCK)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def mlops(project: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, typed in the project."""
    return caller(capsys)


def manifest(project: Path, name: str = "job.yaml") -> Any:
    """Return a manifest."""
    return yaml.safe_load((project / "deploy" / name).read_text("utf-8"))


def test_the_pipeline(mlops: Command, project: Path) -> None:
    """By default the pipeline runs, once, in the environment of the lock."""
    record = mlops("image", "--json").record
    assert record["files"] == ["Dockerfile", "Dockerfile.dockerignore", "run.sh", "job.yaml"]
    assert record["image"] == "late-flights:latest"
    text = (project / "deploy" / "Dockerfile").read_text("utf-8")
    assert "COPY --chown=mlops:mlops requirements.txt ./\n" in text
    assert "RUN python -m pip install --no-cache-dir --requirement requirements.txt\n" in text
    assert 'CMD ["pipeline", "run"]\n' in text
    assert "@" not in text
    found = manifest(project)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert (found["kind"], container["args"]) == ("Job", ["pipeline", "run"])
    assert container["resources"] == {"requests": {"cpu": "1"}, "limits": {}}
    assert mlops("image").out.startswith("Dockerfile, Dockerfile.dockerignore, run.sh, job.yaml in")


def test_a_sweep_at_times(mlops: Command, project: Path) -> None:
    """Another command, a schedule, resources, a secret and a volume stand in the manifest."""
    options = ("--schedule", "0 6 * * mon-fri", "--zone", "Europe/Zurich", "--cpus", "4")
    more = ("--memory", "4GB", "--gpus", "1", "--secret", "mlflow", "--claim", "state")
    command = ("sweep", "a b.ipynb", "depth=3,5", "--metric", "auc")
    assert mlops("image", *options, *more, "--", *command).code == 0
    spec = manifest(project, "cronjob.yaml")["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 6 * * mon-fri", "Europe/Zurich")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == list(command)
    most = {"memory": "4000000000", "nvidia.com/gpu": "1"}
    assert container["resources"] == {"requests": {"cpu": "4", **most}, "limits": most}
    assert container["envFrom"] == [{"secretRef": {"name": "mlflow"}}]
    assert container["volumeMounts"] == [{"name": "state", "mountPath": "/project/.mlops"}]
    text = (project / "deploy" / "Dockerfile").read_text("utf-8")
    assert 'CMD ["sweep", "a b.ipynb", "depth=3,5", "--metric", "auc"]\n' in text


@pytest.mark.parametrize(
    ("lock", "content", "installs"),
    [
        (
            "uv.lock",
            '[[package]]\nname = "jupyter-mlops"\nversion = "0.1.0"\n',
            "uv sync --frozen --no-dev --no-install-project --no-cache",
        ),
        (
            "pylock.toml",
            '[[packages]]\nname = "jupyter-mlops"\nversion = "0.1.0"\n',
            "uv pip sync --system --no-cache pylock.toml",
        ),
        (
            "requirements.lock",
            "numpy==2.4.1\n./wheels/jupyter_mlops-0.1.0-py3-none-any.whl\n",
            "--requirement requirements.lock",
        ),
    ],
)
def test_locks(mlops: Command, project: Path, lock: str, content: str, installs: str) -> None:
    """Each kind of lock is installed by what can; hadolint has nothing to say."""
    (project / "requirements.txt").unlink()
    (project / "pyproject.toml").write_text("")
    (project / "wheels").mkdir()
    (project / lock).write_text(content)
    assert mlops("image").code == 0
    path = project / "deploy" / "Dockerfile"
    text = path.read_text("utf-8")
    assert installs in text
    assert ("wheels ./wheels" in text) == ("wheels" in content)
    assert ("PATH=/project/.venv/bin:$PATH" in text) == (lock == "uv.lock")
    done = subprocess.run([BIN / "hadolint", path], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--", "worker"), "An image runs run, sweep or pipeline run, not 'worker'."),
        (("--", "pipeline", "status"), "not 'pipeline status'"),
        (("--image", "Bad Name"), "'Bad Name' is no image"),
        (("--secret", "A_B"), "'A_B' is no name in Kubernetes"),
        (("--schedule", "61 * * * *"), "minute"),
        (("--schedule", "0 6 * * *", "--zone", "Mars"), "no time zone 'Mars'"),
        (("--memory", "much"), "much"),
        (("--output", "../elsewhere"), "lies outside"),
        (("--output", "."), "name a folder of the project"),
    ],
)
def test_refused(mlops: Command, project: Path, arguments: tuple[str, ...], line: str) -> None:
    """What an image or a cluster would not take is said, and nothing is written."""
    outcome = mlops("image", *arguments)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert line in outcome.err
    assert not (project / "deploy").exists()


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("requirements.txt", None, "There is no lock"),
        ("requirements.txt", "numpy==2.4.1\n", "requirements.txt has no jupyter-mlops"),
        ("requirements.txt", "jupyter-mlops @ file:///mine\n", "only this machine can install"),
        ("requirements.txt", "./w/jupyter_mlops-1-py3-none-any.whl\nx==1\n", "files in w/"),
        ("dvc.yaml", None, "There is no dvc.yaml"),
    ],
)
def test_not_ready(
    mlops: Command, project: Path, name: str, content: str | None, line: str
) -> None:
    """What the project lacks is said with what to do."""
    if content is None:
        (project / name).unlink()
    else:
        (project / name).write_text(content)
    assert line in mlops("image").err
    assert not (project / "deploy").exists()


def test_what_is_there_already(mlops: Command, project: Path) -> None:
    """Files that differ are replaced only if that is asked for; others stay as they are."""
    mlops("image")
    path = project / "deploy" / "run.sh"
    path.write_text("echo mine\n")
    (project / "deploy" / "notes.txt").write_text("mine")
    refused = mlops("image", "--cpus", "2")
    assert (refused.code, "Replace it with --force" in refused.err) == (1, True)
    assert path.read_text() == "echo mine\n"
    assert mlops("image", "--cpus", "2", "--force").code == 0
    assert "jupyter mlops" in path.read_text()
    assert (project / "deploy" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Late Flights", "late-flights"),
        ("2024", "project-2024"),
        ("...", "project"),
        ("a" * 99, "a" * 52),
    ],
)
def test_names_in_kubernetes(name: str, expected: str) -> None:
    """Any folder's name becomes one that Kubernetes takes."""
    assert label(name) == expected


def test_what_the_image_starts(mlops: Command, project: Path, tmp_path: Path) -> None:
    """It fetches and keeps what a remote has, and ends as the command does."""
    mlops("image")
    calls = tmp_path / "calls"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dvc", "jupyter"):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >>"{calls}"\n'
            'case "$*" in "remote list") echo "$REMOTE";; mlops*) exit 3;; esac\n'
        )
        program.chmod(0o755)
    for remote in ("", "origin s3://bucket"):
        calls.write_text("")
        environment = {"PATH": f"{programs}{os.pathsep}{os.defpath}", "REMOTE": remote}
        command = ["sh", "deploy/run.sh", "run", "a b.ipynb"]
        assert subprocess.run(command, check=False, env=environment).returncode == 3
        listed, *others = calls.read_text().splitlines()
        assert listed == "dvc remote list"
        run = "jupyter mlops run a b.ipynb"
        pull = "dvc pull --quiet --run-cache --allow-missing"
        assert others == ([pull, run, "dvc push --quiet --run-cache"] if remote else [run])


@pytest.mark.slow
def test_kubernetes_takes_it(mlops: Command, project: Path, tmp_path: Path) -> None:
    """The manifests are valid by the published schemas of their kinds."""
    more = ("--memory", "4GB", "--gpus", "1", "--secret", "mlflow", "--claim", "state")
    mlops("image", *more)
    mlops("image", *more, "--schedule", "@daily", "--force")
    python = make_environment(tmp_path, "kubernetes-validate==1.37.0", "pyyaml")
    names = [str(project / "deploy" / each) for each in ("job.yaml", "cronjob.yaml")]
    done = subprocess.run(
        [python, "-c", VALIDATE, *names], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
