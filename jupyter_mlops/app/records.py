"""The record of a version that git tracks: ``models/NAME/vN/``, the weights by a file of DVC.

A fresh clone knows the version by it, although ``.mlops/`` and ``runs/`` are gone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.cards import Card, PartName, read_card
from ..core.exceptions import Conflict
from ..core.files import write_atomically
from ..tracking.changes import PATCH_LIMIT
from .projects import Project, confined

#: Bytes of data that nothing else keeps and that is therefore kept with the record.
DATA_LIMIT = 1_000_000_000
#: Characters of a tag of a version: MLflow takes 100,000.
TAG_LIMIT = 90_000

CARD = "model_card.json"
MARKDOWN = "model_card.md"
DIFF = "changes.diff"
NOTEBOOK = "notebook.ipynb"
PACKAGES = "packages.json"
REQUIREMENTS = "requirements.txt"
SAMPLE = "sample.json"
WEIGHTS = "model"
DATA = "data"
#: What keeps data that neither git nor DVC knew.
RECORD = "record"

_NO_DVC = (
    "The project has no DVC, so a fresh clone has the card but neither weights nor data. "
    "Run: dvc init"
)
_NO_REMOTE = (
    "DVC has no remote, so a fresh clone on another machine has neither weights nor data. "
    "Add one: dvc remote add -d NAME URL, then: dvc push"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What a record is made of."""

    card: Card
    markdown: str
    #: The model's files.
    model: Path
    #: The notebook as it was executed, the uncommitted changes, the packages by name.
    notebook: Path | None = None
    diff: Path | None = None
    packages: dict[str, Any] = field(default_factory=dict)
    #: Requests, and what the model predicted for them.
    sample: dict[str, Any] = field(default_factory=dict)


def place_of(project: Project, name: str, version: int) -> Path:
    """Return where the record of a version is. Raises `NotAllowedPath`."""
    return confined(project.root, f"models/{name}/v{version}")


def adopt(project: Project, files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return files of data, those marked that the record will keep: nothing else does.

    It does so by DVC, where the project has that, and not for more than `DATA_LIMIT`.
    """
    loose = [each for each in files if each.get("kind") != "code" and _is_loose(each)]
    small = sum(each["size"] for each in loose) <= DATA_LIMIT
    if not small or dvc_root(project.root) is None:
        return [dict(each) for each in files]
    return [{**each, "kept_by": RECORD} if each in loose else dict(each) for each in files]


def _is_loose(file: Mapping[str, Any]) -> bool:
    return not file.get("kept_by") or bool(file.get("changed"))


def dvc_root(folder: Path) -> Path | None:
    """Return the DVC repository around a folder."""
    return next((each for each in (folder, *folder.parents) if (each / ".dvc").is_dir()), None)


def write_small(material: Material, folder: Path) -> None:
    """Write everything but weights and data."""
    folder.mkdir(parents=True, exist_ok=True)
    write_card(folder, material.card, material.markdown)
    for source, name in ((material.diff, DIFF), (material.notebook, NOTEBOOK)):
        if source is not None and source.is_file() and source.stat().st_size <= 2 * PATCH_LIMIT:
            shutil.copyfile(source, folder / name)
    if material.sample:
        (folder / SAMPLE).write_text(json.dumps(material.sample), "utf-8")
    if material.packages:
        content = json.dumps(material.packages, indent=1, sort_keys=True)
        (folder / PACKAGES).write_text(f"{content}\n", "utf-8")
        lines = requirements(material.packages)
        (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def write_card(folder: Path, card: Card, markdown: str) -> None:
    """Write a card, for programs and for people."""
    text = json.dumps(card.record(), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / CARD, f"{text}\n".encode())
    write_atomically(folder / MARKDOWN, markdown.encode())


def requirements(packages: dict[str, Any]) -> list[str]:
    """Return the packages in pip's words; those without a public source are left out."""
    sources = packages.get("sources") or {}
    lines = []
    for name, version in sorted((packages.get("packages") or {}).items()):
        source = sources.get(name)
        if source is None:
            lines.append(f"{name}=={version}")
        elif source.startswith("git+"):
            lines.append(f"{name} @ {source}")
    return lines


def write(project: Project, material: Material) -> list[str]:
    """Write the record of a version; return what it lacks, or will cost, a line each.

    Raises `Conflict` if there is another record in its place, and OSError.
    """
    card = material.card
    place = place_of(project, card.model, card.version)
    if place.exists():
        raise Conflict(
            f"{place.relative_to(project.root)} is there already, of another registry. "
            "Move it away and register again."
        )
    aside = place.with_name(f".{place.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        write_small(material, aside)
        _keep_files(project, material, aside)
        aside.rename(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return _add(project, place)


def _keep_files(project: Project, material: Material, aside: Path) -> None:
    """Put weights, and data that nothing keeps, into the record for DVC to take."""
    shutil.copytree(material.model, aside / WEIGHTS)
    (aside / ".gitignore").write_text("/model\n/data\n", "utf-8")
    # Who loads the model from here leaves compiled files beside its code.
    (aside / ".dvcignore").write_text("__pycache__/\n", "utf-8")
    files = material.card.part(PartName.DATA).facts.get("files") or []
    for each in files:
        if each.get("kept_by") != RECORD:
            continue
        source, target = project.root / each["path"], aside / DATA / each["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.is_file():
            shutil.copyfile(source, target)


def _add(project: Project, place: Path) -> list[str]:
    """Let DVC take weights and data; return what stands in the way, or will cost."""
    root = dvc_root(place)
    if root is None:
        return [_NO_DVC]
    targets = [str(place / name) for name in (WEIGHTS, DATA) if (place / name).is_dir()]
    done = dvc(root, "add", "--quiet", *targets)
    if done is not None:
        return [f"DVC did not take the weights of {place.relative_to(project.root)}: {done}"]
    if not has_remote(root):
        return [_NO_REMOTE]
    return []


def has_remote(root: Path) -> bool:
    """Whether a DVC repository has a remote, as its configuration files say."""
    files = (root / ".dvc" / name for name in ("config", "config.local"))
    return any(each.is_file() and "remote" in each.read_text("utf-8") for each in files)


def dvc(folder: Path, *arguments: str) -> str | None:
    """Run DVC; return its complaint in one line, or None."""
    done = subprocess.run(  # noqa: S603 - our own Python, and fixed words
        (sys.executable, "-m", "dvc", *arguments),
        cwd=folder,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not done.returncode:
        return None
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    wrong = [line for line in lines if line.startswith("ERROR")]
    return (wrong or lines or ["it failed"])[-1].removeprefix("ERROR: ")


def read(project: Project, name: str, version: int) -> Card | None:
    """Return the card of a record; None if there is none, or it cannot be read."""
    try:
        text = (place_of(project, name, version) / CARD).read_bytes()
        return read_card(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def listed(project: Project) -> Iterator[Card]:
    """Yield the cards of all records."""
    for path in sorted((project.root / "models").glob(f"*/v*/{CARD}")):
        version = path.parent.name.removeprefix("v")
        if version.isdecimal():
            card = read(project, path.parent.parent.name, int(version))
            if card is not None:
                yield card


def compact(names: Sequence[Any], most: int = TAG_LIMIT) -> str:
    """Return names as JSON that a tag takes."""
    kept = list(names)
    while len(text := json.dumps(kept)) > most:
        kept = kept[: len(kept) // 2]
    return text
