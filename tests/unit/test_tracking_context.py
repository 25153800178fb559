"""The facts about a repository are told truly, in every state of it, and without writing to it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.tracking import context


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    done = subprocess.run(("git", "-C", folder, *arguments), check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on main."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    (folder / "train.ipynb").write_text("{}")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "First")
    return folder


def facts_of(folder: Path) -> dict[str, object]:
    """Return git's facts, which there must be."""
    facts = context.git_facts(folder)
    assert facts is not None
    return facts


def test_clean(repository: Path) -> None:
    """A clean checkout is its commit and branch."""
    assert facts_of(repository) == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "detached": False,
        "unborn": False,
        "dirty": False,
        "state": None,
        "remote": None,
        "diff_sha256": None,
    }


def test_dirty(repository: Path) -> None:
    """Changes of tracked files are told apart by a hash; other files do not count."""
    (repository / "notes.txt").write_text("untracked")
    assert facts_of(repository)["dirty"] is False
    hashes = set()
    for text in ("1", "2"):
        (repository / "train.ipynb").write_text(text)
        facts = facts_of(repository)
        assert facts["dirty"] is True
        hashes.add(facts["diff_sha256"])
    assert len(hashes) == 2
    git(repository, "add", ".")
    assert facts_of(repository)["diff_sha256"] not in hashes  # notes.txt is a change by now


def test_detached(repository: Path) -> None:
    """A detached head has a commit and no branch."""
    git(repository, "checkout", "--detach")
    facts = facts_of(repository)
    assert (facts["branch"], facts["detached"]) == (None, True)
    assert facts["commit"] == git(repository, "rev-parse", "HEAD")


def test_unborn(tmp_path: Path) -> None:
    """A repository without a commit says so, whether or not something is staged."""
    git(tmp_path, "init", "-b", "main")
    facts = facts_of(tmp_path)
    assert (facts["commit"], facts["branch"], facts["unborn"]) == (None, "main", True)
    (tmp_path / "a").touch()
    git(tmp_path, "add", "a")
    assert facts_of(tmp_path)["dirty"] is True


def test_under_way(repository: Path) -> None:
    """A merge that stopped at a conflict is told."""
    for branch, text in (("other", "a"), ("main", "b")):
        git(repository, "checkout", "-B", branch, "main" if branch == "other" else branch)
        (repository / "train.ipynb").write_text(text)
        git(repository, "commit", "-am", branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "other")
    facts = facts_of(repository)
    assert (facts["state"], facts["dirty"]) == ("merge", True)


def test_worktree(repository: Path, tmp_path: Path) -> None:
    """A worktree is known by its own branch."""
    git(repository, "worktree", "add", "-b", "side", str(tmp_path / "side"))
    assert facts_of(tmp_path / "side")["branch"] == "side"


def test_without_repository(repository: Path, tmp_path: Path) -> None:
    """A folder outside any repository, a bare repository and a git directory have no facts."""
    git(tmp_path, "init", "--bare", "bare.git")
    (tmp_path / "plain").mkdir()
    for folder in ("bare.git", "plain", "repository/.git"):
        assert context.git_facts(tmp_path / folder) is None


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git gets a run all the same, with the reason on record."""
    monkeypatch.setenv("PATH", "/nonexistent")
    facts = facts_of(repository)
    assert facts["commit"] is None
    assert "git cannot be started" in str(facts["error"])


def test_slow_git(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that hangs is left alone after the time that it was given."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    facts = context.git_facts(repository, timeout=0.2)
    assert facts is not None
    assert facts["error"] == "git took too long"


def test_endless_diff(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A diff that is too long has no hash, rather than that of its beginning."""
    monkeypatch.setattr(context, "DIFF_LIMIT", 1000)
    (repository / "train.ipynb").write_bytes(os.urandom(3_000_000))
    facts = facts_of(repository)
    assert (facts["dirty"], facts["diff_sha256"]) == (True, None)


def test_nothing_is_run_or_written(repository: Path, tmp_path: Path) -> None:
    """Programs that the repository's configuration names are not started, its files not touched."""
    ran = tmp_path / "ran"
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    (repository / ".gitattributes").write_text("*.ipynb diff=evil\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Attributes")
    for key in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv"):
        git(repository, "config", key, str(program))
    (repository / "train.ipynb").write_text("changed")
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    assert facts_of(repository)["diff_sha256"]
    assert not ran.exists()
    assert before == {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}


def test_other_repository_in_the_environment(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of a git hook that we may run under do not lead elsewhere."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    facts = context.git_facts(repository)
    assert facts is not None
    assert (facts["branch"], facts["dirty"]) == ("main", False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:token@host/team/repo.git", "https://host/team/repo.git"),
        ("https://token@host/repo.git?key=1#x", "https://host/repo.git"),
        ("ssh://git:secret@host:22/repo.git", "ssh://git@host:22/repo.git"),
        ("git@host:team/repo.git", "git@host:team/repo.git"),
        ("ada:secret@host:team/repo.git", "ada@host:team/repo.git"),
        ("/srv/repo.git", "/srv/repo.git"),
    ],
)
def test_remote(repository: Path, url: str, shown: str) -> None:
    """The remote is recorded without anything that opens it."""
    git(repository, "remote", "add", "origin", url)
    assert facts_of(repository)["remote"] == shown


def test_capture(repository: Path) -> None:
    """All facts travel as JSON, and a notebook adds what it asks of MLflow."""
    cell = {"cell_type": "code", "source": ["import mlflow\n", "mlflow.set_experiment('flights')"]}
    (repository / "train.ipynb").write_text(json.dumps({"cells": [cell, {"cell_type": "raw"}, 3]}))
    facts = context.capture(repository, "train.ipynb")
    assert json.loads(json.dumps(facts)) == facts
    assert facts["mlflow"]["experiments"] == ["flights"]
    assert facts["git"]["branch"] == "main"
    assert {"python", "platform", "host", "user"} <= set(facts)
    assert "mlflow" not in context.capture(repository)


@pytest.mark.parametrize(
    "content", [b"\xff", b"[]", b'{"cells": 3}', b'{"cells": null}', b"[" * 10**6]
)
def test_unreadable_notebook(tmp_path: Path, content: bytes) -> None:
    """A notebook that cannot be read asks for nothing; the run will say what is wrong."""
    (tmp_path / "train.ipynb").write_bytes(content)
    assert context.capture(tmp_path, "train.ipynb")["mlflow"]["experiments"] == []


def test_foreign_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that git refuses to trust is told with git's own reason."""
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(repository, 12345, 12345)
    facts = context.git_facts(repository)
    assert facts is not None
    assert "dubious ownership" in str(facts["error"])
