"""Saving what a stage has come to: as DVC does, but without what costs much and changes nothing."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc.exceptions import CacheLinkError
from dvc.fs import LocalFileSystem
from dvc.schema import COMPILED_LOCK_FILE_STAGE_SCHEMA
from dvc.stage.cache import StageCache, _can_hash, _get_cache_hash
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import dump_yaml
from dvc_data.hashfile.state import State
from dvc_data.hashfile.utils import to_nanoseconds
from dvc_objects.fs.generic import test_links as possible_links
from dvc_objects.fs.utils import tmp_fname

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import Stage

#: How JSON escapes half of a character for which YAML has another escape.
_SURROGATE = "\\ud"


class RunCache(StageCache):  # type: ignore[misc]  # DVC has no types
    """DVC's run cache, to which entries are written many times faster: as JSON, which is YAML."""

    def save(self, stage: Stage) -> None:
        """Keep what a stage has come to. Only how it is written differs from DVC."""
        if not _can_hash(stage):
            return
        entry = to_single_stage_lockfile(stage)
        key, value = _get_cache_hash(dict(entry), key=True), _get_cache_hash(entry)
        path = Path(self._get_cache_path(key, value))
        known = self._load_cache(key, value) if path.exists() else None
        if not all(each.use_cache for each in stage.outs):
            for output in self._uncached_outs(stage, known or entry):
                output.commit()
        if known is None:
            self._write(path, COMPILED_LOCK_FILE_STAGE_SCHEMA(entry))

    def _write(self, path: Path, entry: dict[str, Any]) -> None:
        store = self.repo.cache.legacy
        store.makedirs(str(path.parent))
        unfinished = path.with_name(tmp_fname())
        try:
            text = json.dumps(entry, indent=1, allow_nan=False)
        except ValueError:  # infinite, or not a number
            text = ""
        if text and _SURROGATE not in text:
            unfinished.write_text(text, "utf-8")
        else:
            dump_yaml(str(unfinished), entry)
        store.move(str(unfinished), str(path))


class Committer:
    """Moves outputs into DVC's cache.

    DVC then replaces each output by a link to the cache. Where links are copies nothing is gained
    by that, and the output stays as it is. DVC's list of such links is written in batches.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        #: By device, whether links to the cache are copies.
        self._copies: dict[int, bool] = {}
        #: What is not on DVC's list yet, by path: inode and time, as DVC writes them.
        self._unlisted: dict[str, tuple[int, str]] = {}

    def commit(self, stage: Stage) -> None:
        """Move the outputs of a stage into the cache. Raises CacheLinkError."""
        failed = []
        for output in stage.outs:
            try:
                self._commit(output)
            except CacheLinkError:
                failed.append(output.fs_path)
        if failed:
            raise CacheLinkError(failed)

    def flush(self) -> None:
        """Complete DVC's list of links, by which ``dvc checkout`` knows what it may remove."""
        unlisted, self._unlisted = self._unlisted, {}
        state = self._repo.state
        if unlisted and isinstance(state, State):
            with state.links as links, links.transact():
                for path, written in unlisted.items():
                    links[os.path.relpath(path, state.root_dir)] = written

    def _commit(self, output: Output) -> None:
        found = self._plain_file(output)
        if found is None or not self._linked_by_copy(output, found.st_dev):
            output.commit()
            return
        output.commit(relink=False)
        time = str(to_nanoseconds(found.st_mtime))
        self._unlisted[output.fs_path] = found.st_ino, time

    def _plain_file(self, output: Output) -> os.stat_result | None:
        """Return the status of an output that is a file as DVC's own copy would be."""
        if not output.use_cache or not isinstance(output.fs, LocalFileSystem):
            return None
        try:
            found = Path(output.fs_path).lstat()
        except FileNotFoundError:
            return None  # DVC says it better
        ordinary = stat.S_IFREG | (0o666 & ~_UMASK)
        return found if found.st_mode == ordinary and found.st_nlink == 1 else None

    def _linked_by_copy(self, output: Output, device: int) -> bool:
        if device not in self._copies:
            cache = output.cache
            possible = possible_links(
                cache.cache_types, cache.fs, cache.path, output.fs, output.fs_path
            )
            self._copies[device] = possible[:1] == ["copy"]
        return self._copies[device]


def _umask() -> int:
    """Return which permissions new files do not get. There is no way to ask without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _umask()
