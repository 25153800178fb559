"""Files whose content is watched: by name, by pattern, or all that a folder holds."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from watchfiles import Change, awatch

from ..core.exceptions import InvalidInput

#: Files that one trigger may watch.
MAX_FILES = 5_000

#: Milliseconds after which a watch is made anew: its folder may have been replaced.
_RENEW = 60_000
#: Milliseconds within which changes come together.
_DEBOUNCE = 500

_WILD = frozenset("*?[")
#: Folders whose files belong to tools.
_TOOLS = frozenset([".git", ".mlops", ".ipynb_checkpoints", "__pycache__"])

#: What tells that a file may have changed without reading it.
_Signature = tuple[int, int, int]


class Fingerprints:
    """The sha256 of files, which are read again only if they may have changed. Blocking."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[_Signature, str]] = {}

    def of(self, pattern: str) -> dict[str, str]:
        """Return the hash of each file that matches, by its path in the project."""
        found: dict[str, str] = {}
        for path in matching(self._root, pattern):
            with contextlib.suppress(OSError):
                found[path.relative_to(self._root).as_posix()] = self._hash(path)
        return found

    def _hash(self, path: Path) -> str:
        facts = path.stat()
        signature = (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)
        known = self._known.get(str(path))
        if known is not None and known[0] == signature:
            return known[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[str(path)] = (signature, digest)
        return digest


def matching(root: Path, pattern: str) -> list[Path]:
    """List the files that a pattern means. Raises `InvalidInput` if they are too many."""
    found: list[Path] = []
    for path in _candidates(root, pattern):
        if path.is_file() and not _TOOLS.intersection(path.relative_to(root).parts):
            found.append(path)
        if len(found) > MAX_FILES:
            raise InvalidInput(
                f"{pattern} matches more than {MAX_FILES:,} files. Name fewer.", field="file"
            )
    return sorted(found)


def _candidates(root: Path, pattern: str) -> Iterator[Path]:
    exact = root / pattern
    if exact.is_dir():
        for folder, folders, names in os.walk(exact):
            folders[:] = [each for each in folders if each not in _TOOLS]
            yield from (Path(folder, name) for name in names)
    elif os.path.lexists(exact) or not _WILD.intersection(pattern):
        yield exact
    else:
        yield from root.glob(pattern)


async def notices(root: Path, pattern: str, *, poll: bool) -> AsyncIterator[None]:
    """Yield when files that match may have changed, and now and then without a reason.

    ``poll`` is for network file systems, which tell nobody of changes.
    """
    while True:
        folder, deep = _base(root, pattern)
        watching = awatch(
            folder,
            watch_filter=_is_no_tool,
            debounce=_DEBOUNCE,
            rust_timeout=_RENEW,
            yield_on_timeout=True,
            recursive=deep,
            force_polling=poll or None,
            ignore_permission_denied=True,
        )
        async with contextlib.aclosing(watching):
            async for changes in watching:
                yield
                if not changes or _base(root, pattern) != (folder, deep):
                    break


def _base(root: Path, pattern: str) -> tuple[Path, bool]:
    """Return the folder to watch, and whether those below it, too."""
    exact = root / pattern
    if exact.is_dir():
        return exact, True
    parts = Path(pattern).parts
    literal = not _WILD.intersection(pattern) or os.path.lexists(exact)
    fixed = next(
        (i for i, part in enumerate(parts) if _WILD.intersection(part) and not literal),
        len(parts) - 1,
    )
    folder = root.joinpath(*parts[:fixed])
    if folder.is_dir():
        return folder, fixed < len(parts) - 1
    while not folder.is_dir():
        folder = folder.parent
    return folder, False


def _is_no_tool(_change: Change, path: str) -> bool:
    return not _TOOLS.intersection(Path(path).parts)
