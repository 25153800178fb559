"""Which files decide whether stages are up to date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc.dependency import ParamsDependency
from dvc.dependency.db import AbstractDependency
from dvc.dependency.repo import RepoDependency
from dvc.stage import PipelineStage
from dvc.utils.serialize import parse_yaml

from .freshness import Doubt

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import Stage

#: Files in a folder beyond which its members in the cache are not looked up.
_MOST_MEMBERS = 10_000


def gather(repo: Repo, planned: list[Stage]) -> tuple[list[str], list[str]]:
    """Return files, and files or folders, all of which decide. Raises `Doubt`."""
    config = repo.config
    files = [str(path) for level in config.LEVELS if (path := config.files.get(level))]
    files += _templates(repo.index.stages)
    trees = []
    for stage in planned:
        if stage.is_callback or stage.always_changed:
            raise Doubt
        for item in [*([] if stage.frozen else stage.deps), *stage.outs]:
            if isinstance(item, RepoDependency | AbstractDependency) or item.protocol != "local":
                raise Doubt
            trees.append(item.fs_path)
            files += _cached(item)
    return files, trees


def _cached(item: Output) -> Iterator[str]:
    """Yield the files in the cache that keep an output."""
    if not item.use_cache or not item.hash_info:
        return
    yield str(item.cache.oid_to_path(item.hash_info.value))
    if item.hash_info.isdir:
        if (item.meta.nfiles or 0) > _MOST_MEMBERS:
            raise Doubt
        for _, _, member in item.get_obj() or ():
            yield str(item.cache.oid_to_path(member.value))


def _templates(stages: Iterable[Stage]) -> Iterator[str]:
    """Yield the files from which each dvc.yaml takes values."""
    folders: dict[Path, set[Path]] = {}
    for stage in stages:
        if isinstance(stage, PipelineStage):
            folders.setdefault(Path(stage.path), set()).add(Path(stage.wdir))
    for path, wdirs in folders.items():
        for folder in {path.parent, *wdirs}:
            yield str(folder / ParamsDependency.DEFAULT_PARAMS_FILE)
        text = path.read_text("utf-8")
        if "vars" in text:
            yield from _named(parse_yaml(text, str(path)), path.parent, wdirs)


def _named(contents: Any, folder: Path, wdirs: Iterable[Path]) -> Iterator[str]:
    """Yield the files that the ``vars`` of a dvc.yaml name, wherever they may be meant to lie."""
    yield from (str(folder / path) for path in _vars(contents.get("vars")))
    for declared in (contents.get("stages") or {}).values():
        for part in (declared, declared.get("do") or {}):
            for path in _vars(part.get("vars")):
                yield from (str(wdir / path) for wdir in wdirs)


def _vars(listed: Any) -> Iterator[str]:
    """Yield the paths of a ``vars`` list, whose entries are ``path``, ``path:keys`` or values."""
    for each in listed or ():
        if isinstance(each, str):
            if "${" in each:
                raise Doubt
            yield each.partition(":")[0]
