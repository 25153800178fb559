"""Write a planned project: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil

from ..core.exceptions import Conflict, InvalidInput, MlopsError
from ..core.scaffolds import Plan, Version
from . import git
from .repositories import begin_dvc, begin_git, commit_all

_PREFIX = ".mlops-init-"


def write_project(plan: Plan) -> None:
    """Do what is planned. What fails leaves nothing behind, and no file other than it was.

    All is made in a folder aside, on the same file system, and then moved. Raises `InvalidInput`,
    and `Conflict` if the folder has changed meanwhile.
    """
    place = git.nearest(plan.folder)
    _remove_leftovers(place)
    try:
        aside = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    except OSError as error:
        raise _refused(plan, error) from error
    try:
        with ExitStack() as undo:
            _carry_out(plan, aside, undo)
            undo.pop_all()
    except OSError as error:
        raise _refused(plan, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _remove_leftovers(place: Path) -> None:
    """Remove what processes that were killed have left aside."""
    for each in place.glob(f"{_PREFIX}*"):
        owner = each.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(each, ignore_errors=True)


def _refused(plan: Plan, error: OSError) -> MlopsError:
    reason = error.strerror or error
    return InvalidInput(f"{plan.folder} cannot be written: {reason}. Nothing was changed.")


def _carry_out(plan: Plan, aside: Path, undo: ExitStack) -> None:
    made = aside / "project"  # of its own, since the one around it is private
    made.mkdir()
    _prepare(plan, made)
    if not plan.folder.exists():
        _make_folder(plan.folder.parent, undo)
        made.rename(plan.folder)
        undo.callback(shutil.rmtree, plan.folder, ignore_errors=True)
    else:
        _move(plan, made, aside / "before", undo)
    for name, value in plan.settings:
        git.set_setting(plan.folder, name, value)
        undo.callback(git.set_setting, plan.folder, name, None)


def _prepare(plan: Plan, made: Path) -> None:
    """Make the project aside, with git and DVC."""
    for each in plan.written:
        path = made / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content or b"")
    if plan.git is Version.BEGIN:
        branch = git.setting(git.nearest(plan.folder), "init.defaultBranch") or "main"
        begin_git(made, f"--initial-branch={branch}")
    elif plan.dvc:
        begin_git(made)  # DVC would look for the one around it, and add files to its index
    if plan.dvc:
        begin_dvc(made)
    if plan.fresh and plan.git is Version.BEGIN:
        commit_all(made)
    if plan.git is not Version.BEGIN and (made / ".git").exists():
        shutil.rmtree(made / ".git")


def _move(plan: Plan, made: Path, before: Path, undo: ExitStack) -> None:
    """Move what was made aside into a folder that is there."""
    for name in (".git", ".dvc", ".dvcignore"):
        if (made / name).exists() and not (plan.folder / name).exists():
            _place(made / name, plan.folder / name, undo)
    # Changes come last: as long as there are none, a killed one is completed by another.
    for number, each in enumerate(sorted(plan.written, key=lambda each: each.before is not None)):
        source, target = made / each.path, plan.folder / each.path
        _make_folder(target.parent, undo)
        if each.before is None:
            _place(source, target, undo)
            continue
        if target.read_bytes() != each.before:
            raise Conflict(f"{target} has changed meanwhile. Nothing was changed. Try again.")
        kept = before.with_name(f"{before.name}-{number}")
        shutil.copy2(target, kept)
        shutil.copymode(target, source)
        source.replace(target)
        undo.callback(os.replace, kept, target)


def _place(source: Path, target: Path, undo: ExitStack) -> None:
    """Move something to where nothing is."""
    if os.path.lexists(target):
        raise Conflict(f"{target} has appeared meanwhile. Nothing was changed. Try again.")
    source.rename(target)
    remove: Callable[..., object] = shutil.rmtree if target.is_dir() else os.unlink
    undo.callback(partial(remove, target))


def _make_folder(folder: Path, undo: ExitStack) -> None:
    """Make a folder and those above it, which go again if anything fails."""
    for each in reversed([folder, *folder.parents]):
        if not each.exists():
            each.mkdir()
            undo.callback(each.rmdir)
