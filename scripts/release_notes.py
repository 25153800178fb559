"""Print what CHANGELOG.md says of a release: release_notes.py TAG, where TAG is like v0.1.0."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, changelog: str, version: str) -> str:
    """Return the section of the version, or say what keeps the tag from being released."""
    if tag != f"v{version}":
        raise SystemExit(f"{tag} is not the version of pyproject.toml: tag it v{version}.")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n"
    found = re.search(rf"{heading}(.*?)(?=^## |^\[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SystemExit(
            f"CHANGELOG.md says nothing of {version}: "
            f"put what is new below a heading ## [{version}] - YYYY-MM-DD."
        )
    return found[1].strip()


def main(tag: str) -> None:
    """Print the notes of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    print(notes(tag, (ROOT / "CHANGELOG.md").read_text("utf-8"), project["version"]))


if __name__ == "__main__":
    main(sys.argv[1])
