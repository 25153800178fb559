"""What `init` would write into a folder: everything that can be refused is refused here."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..core.exceptions import InvalidInput
from ..core.scaffolds import Action, Plan, PlannedFile, Version
from . import git
from .projects import SETTINGS_FILE, find_project, read_settings
from .requirements import OURS, WHEELS, Lock, about_here, lock, python_version
from .scaffold_templates import TEMPLATES, Template, fill, listed, quoted

#: What other programs lock an environment with; a second lock would contradict it.
_OTHER_LOCKS = (
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock"),
    *("conda-lock.yml", "environment.yml", "environment.yaml"),
)
_SETTINGS_FILES = (SETTINGS_FILE, "pyproject.toml")
_LOCK_FILES = ("requirements.in", "requirements.txt")
#: Files that a line names.
_NAMED = 3


def plan_project(folder: Path, *, force: bool = False) -> Plan:
    """Say what makes a folder a project. Nothing is written.

    Files that are there stay, unless ``force`` replaces them by ours; .gitignore, .gitattributes
    and pyproject.toml get what they lack. Raises `InvalidInput`.
    """
    folder = _checked(folder)
    git.check_git()
    _check_place(folder)
    fresh = not folder.exists() or not any(folder.iterdir())
    if not fresh:
        read_settings(folder)
    top = git.repository_of(folder)
    version = Version.BEGIN if top is None else Version.THERE if top == folder else Version.ABOVE
    made = lock(listed("requirements.in"), listed("tools.txt"))
    files = tuple(_files(folder, made, top if version is Version.ABOVE else None, force=force))
    plan = Plan(
        folder=folder,
        fresh=fresh,
        files=files,
        git=version,
        dvc=not (folder / ".dvc").exists(),
        settings=tuple(_settings(folder)),
        remarks=(),
    )
    if plan.changes and not fresh:
        _check_clean(folder, version)
    return replace(plan, remarks=tuple(_remarks(plan, made)))


# -- what is refused -------------------------------------------------------------------------------


def _checked(folder: Path) -> Path:
    try:
        folder = Path(os.path.realpath(folder.expanduser()))
        there = git.nearest(folder)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"The folder cannot be used: {reason}. Name another one.") from error
    if not there.is_dir():
        raise InvalidInput(f"{there} is a file. Name a folder: jupyter mlops init DIR")
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        raise InvalidInput(f"{there} cannot be written. Name another folder.")
    return folder


def _check_place(folder: Path) -> None:
    """Refuse a project inside another one."""
    above = find_project(git.nearest(folder.parent))
    add = f"Add to that one: jupyter mlops init {shlex.quote(str(above.root))}"
    if above.marker in _SETTINGS_FILES:
        raise InvalidInput(f"{folder} lies inside the project {above.root}. {add}")
    if above.marker == ".dvc" and not (folder / ".dvc").exists():
        raise InvalidInput(f"{folder} lies inside the DVC repository {above.root}. {add}")


def _check_clean(folder: Path, version: Version) -> None:
    changed = git.uncommitted(folder) if version is not Version.BEGIN else []
    if changed:
        raise InvalidInput(
            f"{folder} has changes that are not committed ({_names(changed)}). "
            "Commit them first, or put them aside with git stash, so that git shows what is added."
        )


def _names(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")


# -- files -----------------------------------------------------------------------------------------


def _files(folder: Path, made: Lock, above: Path | None, *, force: bool) -> Iterator[PlannedFile]:
    """Plan each file, and leave out what would be of no use."""
    values = _values(folder, made)
    planned = {
        each.path: _planned(folder, each, fill(each.source, values), force=force)
        for each in TEMPLATES
    }
    others = [name for name in _OTHER_LOCKS if (folder / name).exists()]
    foreign = [
        path
        for path, each in planned.items()
        if each.action in (Action.KEEP, Action.LEAVE_OUT) and each.content != each.before
    ]
    for template in TEMPLATES:
        each = planned[template.path]
        if each.action is Action.CREATE:
            reason = _useless(template, foreign, others, above)
            each = replace(each, action=Action.LEAVE_OUT, reason=reason) if reason else each
        yield each
        if template.path == "requirements.txt" and each.written:
            yield from _wheels(folder, made)


def _values(folder: Path, made: Lock) -> Mapping[str, str]:
    name = "".join(each if each.isprintable() else "-" for each in folder.name).strip()
    return {
        "NAME": quoted(name or "project"),
        "TITLE": name or "Project",
        "PYTHON": python_version(),
        "HERE": about_here(),
        "OURS": made.ours,
        "LOCK": "\n".join(made.lines),
    }


def _planned(folder: Path, template: Template, text: str, *, force: bool) -> PlannedFile:
    """Plan a file by what is in its place, not knowing of others."""
    path, content = folder / template.path, text.encode("utf-8")
    there = os.path.lexists(path)
    if reason := _kept(folder, template.path):
        action = Action.KEEP if there else Action.LEAVE_OUT
        return PlannedFile(template.path, action, reason, content)
    if not there:
        return PlannedFile(template.path, Action.CREATE, content=content)
    before = path.read_bytes()
    action, reason = Action.REPLACE, ""
    if template.adding is not None:
        content, action = template.adding(before, text), Action.ADD
    if content == before:
        action, reason = Action.KEEP, "has it all"
    elif action is Action.REPLACE and not force:
        action, reason = Action.KEEP, "is another one"
    return PlannedFile(template.path, action, reason, content, before)


def _kept(folder: Path, path: str) -> str | None:
    """Return why nothing is done to a file, whatever it holds."""
    if path == "pyproject.toml" and (folder / SETTINGS_FILE).exists():
        return f"{SETTINGS_FILE} is there"
    if blocked := _blocked(folder, path):
        return f"{blocked} is no folder here"
    file = folder / path
    ordinary = not os.path.lexists(file) or (file.is_file() and not file.is_symlink())
    return None if ordinary else "is no ordinary file"


def _blocked(folder: Path, path: str) -> str | None:
    """Return what lies in the way of a file: a file or a link where a folder would be."""
    for parent in reversed(Path(path).parents[:-1]):
        there = folder / parent
        if os.path.lexists(there) and (there.is_symlink() or not there.is_dir()):
            return parent.as_posix()
    return None


def _useless(
    template: Template, foreign: list[str], others: list[str], above: Path | None
) -> str | None:
    """Return why a file that could be made is of no use."""
    if template.at_root and above is not None:
        return f"is only looked for in {above}"
    if template.path in _LOCK_FILES and others:
        return f"{others[0]} is there"
    other = next((each for each in template.needs if each in foreign), None)
    return f"goes with {other}, which is another one" if other else None


def _wheels(folder: Path, made: Lock) -> Iterator[PlannedFile]:
    """Plan the wheels that requirements.txt names."""
    for wheel in made.wheels:
        path = f"{WHEELS}/{wheel.name}"
        content = wheel.read_bytes()
        there = (folder / path).read_bytes() if (folder / path).is_file() else None
        action = Action.CREATE if there is None else Action.REPLACE
        if there == content:
            yield PlannedFile(path, Action.KEEP, "is the same", content, there)
        else:
            yield PlannedFile(path, action, "as it is installed here", content, there)


# -- git's settings --------------------------------------------------------------------------------


def _settings(folder: Path) -> Iterator[tuple[str, str]]:
    """Return the settings that notebooks need, of programs that are installed."""
    there = git.nearest(folder)
    for name, value in _wanted_settings():
        if git.setting(there, name) is None:
            yield name, value


def _wanted_settings() -> Iterator[tuple[str, str]]:
    if strip := _program("nbstripout"):
        yield "filter.nbstripout.clean", f"{strip} --keep-id"
        yield "filter.nbstripout.smudge", "cat"
    if diff := _program("git-nbdiffdriver"):
        yield "diff.jupyternotebook.command", f"{diff} diff"
    if merge := _program("git-nbmergedriver"):
        yield "merge.jupyternotebook.driver", f"{merge} merge %O %A %B %L %P"
        yield "merge.jupyternotebook.name", "notebooks by cells"


def _program(name: str) -> str | None:
    """Return a program as git's shell calls it: of this Python, or that of the PATH."""
    own = Path(sys.executable).with_name(name)
    if own.is_file():
        return shlex.quote(str(own))
    return name if shutil.which(name) else None


# -- what to know ----------------------------------------------------------------------------------


def _remarks(plan: Plan, made: Lock) -> Iterator[str]:
    actions = {each.path: each.action for each in plan.files}
    for each in _REMARKS:
        yield from each(plan, made, actions)


def _about_lock(plan: Plan, made: Lock, actions: Mapping[str, Action]) -> Iterator[str]:
    """Tell what requirements.txt lacks, or has that others cannot install."""
    file = plan.folder / "requirements.txt"
    if actions["requirements.txt"] in (Action.CREATE, Action.REPLACE):
        for name, place in made.places.items():
            yield (
                f"requirements.txt takes {name} from {place}, which only this machine has. "
                "Before CI or a container installs it, put a wheel or a URL in its place."
            )
        if made.gone:
            yield f"{OURS} came from {made.gone}, which is gone: requirements.txt has its version."
        if made.missing:
            yield f"Not installed here, so locked without what they need: {', '.join(made.missing)}"
    elif actions["requirements.txt"] is Action.LEAVE_OUT:
        yield f"CI and containers install requirements.txt: write it, with {made.ours}"
    elif file.is_file() and OURS not in file.read_text("utf-8", "replace").replace("_", "-"):
        yield f"Add to requirements.txt, which CI and containers install: {made.ours}"


def _about_pipeline(_plan: Plan, _made: Lock, actions: Mapping[str, Action]) -> Iterator[str]:
    if actions["dvc.yaml"] is Action.LEAVE_OUT:
        yield "There is no dvc.yaml yet: write down there what is made of what, for CI to run."


def _about_settings(plan: Plan, _made: Lock, actions: Mapping[str, Action]) -> Iterator[str]:
    if plan.fresh or plan.changes:
        lacking = [each for each in ("nbstripout", "nbdime") if _program(each) is None]
        if lacking:
            yield (
                f"Not installed here: {', '.join(lacking)}. Until then git treats notebooks as "
                "other files; afterwards jupyter mlops init sets it up."
            )
    if actions[".gitattributes"] in (Action.CREATE, Action.ADD) and not plan.fresh:
        full = [each for each in _notebooks(plan) if b'"output_type"' in each.read_bytes()]
        if full:
            names = [each.relative_to(plan.folder).as_posix() for each in full]
            yield (
                f"Committed with outputs: {_names(names)}. Where nbstripout is set up, the next "
                "commit of each is without; the filter's line in .gitattributes decides."
            )


def _notebooks(plan: Plan) -> list[Path]:
    if plan.git is Version.BEGIN:
        return []
    return [each for each in git.tracked(plan.folder, "*.ipynb") if each.is_file()]


def _about_table(plan: Plan, _made: Lock, actions: Mapping[str, Action]) -> Iterator[str]:
    marked = not plan.fresh and find_project(plan.folder).marker in _SETTINGS_FILES
    if actions["pyproject.toml"] is Action.KEEP and not marked:
        yield f"Write the settings into {SETTINGS_FILE}: pyproject.toml takes no further table."


_REMARKS: tuple[Callable[[Plan, Lock, Mapping[str, Action]], Iterator[str]], ...] = (
    _about_table,
    _about_pipeline,
    _about_lock,
    _about_settings,
)
