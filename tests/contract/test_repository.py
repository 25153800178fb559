"""Rules that the repository as a whole keeps."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [*sorted(ROOT.glob("requirements/*.txt")), ROOT / "labextension" / "yarn.lock"]
#: Longest module that a reader takes in at once, in lines.
LONGEST_MODULE = {".py": 400, ".ts": 300, ".tsx": 300}
GENERATED = {"labextension/src/api/schema.ts"}


def tracked_files(*patterns: str) -> list[Path]:
    """Return the files that belong to the repository."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_name_no_host(lock: Path) -> None:
    """A lock says what to install, never where from: that is the machine's own setting."""
    text = lock.read_text("utf-8")
    assert not re.search(r"https?://|index-url|find-links|file:/", text)


def test_python_locks_pin_hashes() -> None:
    """Every locked requirement has an exact version and the hashes of its files."""
    for lock in ROOT.glob("requirements/*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
        assert len(entries) > 50
        assert not [e for e in entries if not re.match(r"\S+==\S+.*\\\n\s+--hash=sha256:", e)]


def test_locks_agree() -> None:
    """The example is demonstrated with the versions that were tested."""

    def versions(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text("utf-8")
        return set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE))

    assert versions("demo.txt") <= versions("dev.txt")


def test_readme_begins_with_the_two_commands() -> None:
    """The first commands that README.md shows are make demo and make test."""
    blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```", readme(), re.MULTILINE | re.DOTALL)
    commands = [
        line.split("#")[0].strip()
        for block in blocks
        for line in block.splitlines()
        if line.split("#")[0].strip()
    ]
    assert commands[:2] == ["make demo", "make test"]


def test_readme_links_lead_somewhere() -> None:
    """Every relative link and picture of the Markdown pages exists."""
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked_files("*.md")
        for target in re.findall(
            r"(?:\]\(|src(?:set)?=\")(?!https?:)([^)\"#:\s]+)", page.read_text("utf-8")
        )
        if not (page.parent / target).exists()
    ]
    assert not missing


def test_modules_are_short() -> None:
    """No module is longer than a reader takes in at once."""
    long = {
        f"{name} has {count} lines"
        for path in tracked_files("*.py", "*.ts", "*.tsx")
        if (name := path.relative_to(ROOT).as_posix()) not in GENERATED
        and (count := len(path.read_text("utf-8").splitlines())) > LONGEST_MODULE[path.suffix]
    }
    assert not long


def test_one_version() -> None:
    """Package, lab extension and metadata carry the same version."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    in_package = (ROOT / "jupyter_mlops" / "__init__.py").read_text("utf-8")
    in_extension = (ROOT / "labextension" / "package.json").read_text("utf-8")
    assert f'__version__ = "{declared}"' in in_package
    assert f'"version": "{declared}"' in in_extension


def test_changelog_keeps_its_form() -> None:
    """The changelog has a section for what comes next, and known headings only."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "\n## [Unreleased]\n" in text
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= known


def test_every_make_target_is_documented() -> None:
    """README or the contributor guide names every target that make help lists."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    guide = readme() + (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    assert len(targets) > 10
    assert not [target for target in sorted(targets) if f"make {target}" not in guide]


def readme() -> str:
    """Return the text of README.md."""
    return (ROOT / "README.md").read_text("utf-8")
