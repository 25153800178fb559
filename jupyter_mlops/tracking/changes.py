"""What a working tree has that its commit does not, kept as a patch that git can apply.

Tracked files with all their changes; of the others those that look like code. Nothing is written
to the repository: files that git does not know yet are added to a copy of its index.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.files import write_atomically

#: Bytes of a patch that is kept, and of each file in it that git does not know yet.
PATCH_LIMIT = 10_000_000
FILE_LIMIT = 1_000_000
#: Files that git does not know yet are looked for among so many at most.
MOST = 2000

#: Files that a run may depend on and that nobody takes for data.
_CODE = frozenset(
    {".cfg", ".dvc", ".ini", ".ipynb", ".jl", ".lock", ".py", ".r", ".scala", ".sh", ".sql"}
    | {".toml", ".txt", ".yaml", ".yml"}
)
#: Folders of what runs and registered versions leave.
_OURS = ("runs/", "models/", ".mlops/")

#: Runs git with some words and returns what it printed; the mapping is added to its environment.
Git = Callable[[Sequence[str], dict[str, str]], bytes]


def keep_patch(git: Git, root: Path, git_dir: Path, *, changed: bool, into: Path) -> dict[str, Any]:
    """Keep the patch by its hash, and return what is known of it.

    ``patch`` is the sha256, None if there is nothing to keep. ``left_out`` says in one line what
    the patch does not have, and why. ``root`` is the working tree's. Raises what ``git`` raises.
    """
    new, left_out = _new_files(git, root)
    if not changed and not new:
        return {"patch": None, "size": 0, "new_files": [], "left_out": left_out}
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        variables = {}
        if new:
            index = Path(folder) / "index"
            if (git_dir / "index").exists():
                shutil.copyfile(git_dir / "index", index)
            variables = {"GIT_INDEX_FILE": str(index)}
            git(
                ("add", "--intent-to-add", "--", *(f":(top,literal){each}" for each in new)),
                variables,
            )
        patch = git(("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv"), variables)
    if len(patch) > PATCH_LIMIT:
        return refused("The changes since the commit are too large to be kept.", len(patch))
    digest = hashlib.sha256(patch).hexdigest()
    _write(into / f"{digest}.diff", patch)
    return {"patch": digest, "size": len(patch), "new_files": new, "left_out": left_out}


def refused(line: str, size: int = 0) -> dict[str, Any]:
    """Return what is known of changes that were not kept."""
    return {"patch": None, "size": size, "new_files": [], "left_out": line}


def _new_files(git: Git, root: Path) -> tuple[list[str], str | None]:
    listed = git(("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"), {})
    names = [os.fsdecode(each) for each in listed.split(b"\0") if each]
    if len(names) > MOST:
        line = f"{len(names):,} files are unknown to git; none of them was kept. Commit the code."
        return [], line
    code = [
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in _CODE
        and not any(f"/{name}".find(f"/{each}") >= 0 for each in _OURS)
    ]
    small = [name for name in code if _is_small(root / name)]
    large = sorted(set(code) - set(small))
    return small, f"Too large to be kept: {', '.join(large[:5])}." if large else None


def _is_small(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_size <= FILE_LIMIT
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        os.utime(path)  # so that it counts as new until something refers to it
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
