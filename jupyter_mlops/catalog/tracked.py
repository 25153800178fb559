"""Files of sources that DVC keeps: fetched where they are missing, or as they were once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.features import Source
from .place import Place

_FOLDER = ".sources"


def pull(place: Place, source: Source, path: str) -> None:
    """Bring a file or folder into the work tree, if DVC keeps it. Raises `InvalidInput`."""
    if not _is_kept(place.root, path):
        return
    _dvc(source, place.root, "pull", path)


def at_revision(place: Place, source: Source) -> Path:
    """Return a file as it was at a revision, fetched once. Raises `InvalidInput`."""
    path, rev = str(source.path), str(source.rev)
    if any(each in path for each in "*?["):
        raise InvalidInput(
            f"Source {source.name}: a revision goes with one file, not with a pattern ({path})."
        )
    commit = _git(source, place.root, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}")
    top = Path(_git(source, place.root, "rev-parse", "--show-toplevel"))
    target = place.data / _FOLDER / commit[:12] / path
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{os.getpid()}.{target.name}")
    within = os.path.relpath(place.root.resolve() / path, top.resolve())
    try:
        _dvc(source, place.root, "get", str(top), within, "--rev", commit, "--out", str(aside))
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def _is_kept(root: Path, path: str) -> bool:
    """Whether DVC may know a path: by a file beside it, or beside a folder above, or a stage."""
    if (root / "dvc.yaml").is_file():
        return True
    above = [Path(path), *Path(path).parents][:-1]
    return any((root / f"{each}.dvc").is_file() for each in above)


def _dvc(source: Source, root: Path, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "dvc", *arguments, "--quiet"],
        cwd=root,
        env={**os.environ, "DVC_NO_ANALYTICS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InvalidInput(
            f"Source {source.name}: {source.path} is not here, and DVC cannot fetch it: "
            f"{_reason(done.stderr or done.stdout)}"
        )


def _git(source: Source, root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InvalidInput(f"Source {source.name}: git knows no revision {source.rev}.")
    return done.stdout.strip()


def _reason(output: str) -> str:
    """Return the line that says why DVC failed."""
    lines = [each.strip() for each in output.splitlines() if each.strip()]
    errors = [each for each in lines if each.startswith("ERROR:")]
    found = (errors or lines or ["no reason is given"])[0]
    return found.removeprefix("ERROR:").strip()
