"""What runs on GitHub, as far as it can be judged elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))

workflows = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)


def read(workflow: Path) -> dict[str, Any]:
    """Return a workflow; what it is set off by has the key True in YAML 1.1."""
    held: dict[str, Any] = yaml.safe_load(workflow.read_text("utf-8"))
    return held


def check(schema: str, path: Path) -> None:
    """Hold a file to one of the schemas that check-jsonschema has."""
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@workflows
def test_workflows_fit_their_schema(workflow: Path) -> None:
    """The schema of GitHub's workflows accepts them, and no job runs without an end."""
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        check(schema, workflow)


def test_read_the_docs_fits_its_schema() -> None:
    """The schema of Read the Docs accepts what builds the documentation there."""
    path = ROOT / ".readthedocs.yaml"
    check("vendor.readthedocs", path)
    assert "make docs" in yaml.safe_load(path.read_text("utf-8"))["build"]["commands"]


@workflows
def test_actions_have_one_version(workflow: Path) -> None:
    """An action is named by its full version."""
    used = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
    foreign = [action for action in used if not action.startswith("./")]
    assert foreign
    assert all(re.search(r"@v\d+\.\d+\.\d+$", action) for action in foreign)


@workflows
def test_jobs_may_do_little(workflow: Path) -> None:
    """A workflow reads the repository at most; what a job needs beyond it says itself."""
    assert read(workflow)["permissions"] in ({}, {"contents": "read"})


def test_a_release_is_tested_built_and_then_published() -> None:
    """Nothing is published that was not tested, by trust instead of a password."""
    jobs = read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert jobs["announce"]["needs"] == "publish"
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "test": {"contents": "read"},
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text("utf-8")


def test_release_notes_are_the_changelog(tmp_path: Path) -> None:
    """The notes of a release are its section of the changelog, and nothing of its neighbours."""
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- next\n\n## [0.1.0] - 2026-01-02\n\n"
        "### Added\n\n- this\n\n## [0.0.9] - 2026-01-01\n\n- old\n"
    )
    done = release_notes(tmp_path, changelog, "v0.1.0")
    assert done.stdout == "### Added\n\n- this\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "message"),
    [
        ("v0.2.0", "", "tag it v0.1.0"),
        ("v0.1.0", "## [Unreleased]\n\n- next\n", "CHANGELOG.md says nothing of 0.1.0"),
        ("v0.1.0", "## [0.1.0] - 2026-01-02\n\n## [0.0.9] - 2026-01-01\n", "says nothing"),
    ],
)
def test_a_release_needs_notes(tmp_path: Path, tag: str, changelog: str, message: str) -> None:
    """Without a section for the version, or with another version, nothing is released."""
    done = release_notes(tmp_path, changelog, tag)
    assert done.returncode == 1
    assert message in done.stderr


def release_notes(folder: Path, changelog: str, tag: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a checkout of version 0.1.0 with another changelog."""
    (folder / "scripts").mkdir()
    script = folder / "scripts" / "release_notes.py"
    script.write_bytes((ROOT / "scripts" / script.name).read_bytes())
    (folder / "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return subprocess.run(
        [sys.executable, script, tag], check=False, capture_output=True, text=True
    )
