"""``when``: carry out a command on a condition, and write down why."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

from ..conditions import (
    Answer,
    Declaration,
    Versioned,
    evaluate,
    find_declaration,
    read_values,
)
from ..core.condition_language import Condition, parse
from ..core.conditions import Conditional, conditionals, refusal
from ..core.exceptions import InvalidInput, NotAllowedPath
from ..core.files import write_atomically
from ..core.values import decode
from .children import run_child
from .pipeline_requests import dvc_root
from .projects import Project, find_project

#: Variables by which DVC tells a command its stage and repository.
STAGE_VARIABLE = "DVC_STAGE"
ROOT_VARIABLE = "DVC_ROOT"
#: Exit codes of a shell for a program that cannot be executed, and that is not there.
_CANNOT_EXECUTE = 126
#: Where a link of DVC leads to: a file of its cache, which may lie anywhere.
_CACHED = re.compile(r".*/files/md5/[0-9a-f]{2}/[0-9a-f]{30}")
_CHOICES = {"then": "the command", "else": "the command of --else"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and why. The same inputs make the same record."""

    condition: str
    result: bool
    #: The whole in one line.
    reason: str
    #: What the condition looked at, and what it found.
    values: dict[str, Any]
    #: Those of them that were not a number, which makes comparisons false.
    nan: list[str]
    chosen: Literal["then", "else", "nothing"]
    #: The command that was chosen, and its exit code once it has ended.
    command: list[str] | None
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be decided, by paths as they were written."""

    condition: str
    decision: str
    command: tuple[str, ...]
    alternative: str | None


def decide(
    request: Request,
    folder: Path,
    note: Callable[[str], None],
    stdout: IO[str] | None = None,
) -> Decision:
    """Evaluate a condition in a folder, write the decision, and carry out the command.

    ``note`` is told what is decided, and the command prints to ``stdout``, our own by default.
    Raises `InvalidInput`, and what the registry raises; then nothing was run or written.
    """
    folder = Path(os.path.realpath(folder))
    condition = parse(request.condition)
    commands = {
        "then": _words(request.command, "the command"),
        "else": None if request.alternative is None else _split(request.alternative, "--else"),
    }
    places = Places(folder)
    path = places.inside(request.decision)
    if path.is_dir():
        raise InvalidInput(f"--decision: {request.decision} is a folder. Name a file in it.")
    _check_stage(condition, request.decision, places, note)
    decision = _decision(condition, evaluate(condition, _Values(places)), commands)
    if decision.command is not None:
        _check_program(decision.command, _CHOICES[decision.chosen])
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, decision)
    note(decision.reason)
    if decision.command is None:
        return decision
    try:
        code = run_child(decision.command, stdout)
    except OSError as error:
        note(f"{decision.command[0]} cannot be executed: {error.strerror}.")
        code = _CANNOT_EXECUTE
    decision = replace(decision, exit_code=code)
    _write(path, decision)
    return decision


def _decision(
    condition: Condition, answer: Answer, commands: Mapping[str, list[str] | None]
) -> Decision:
    chosen: Literal["then", "else", "nothing"] = "then" if answer.result else "else"
    command = commands[chosen]
    if command is None:
        chosen = "nothing"
    found = "; ".join(f"{name} is {_text(value)}" for name, value in answer.values.items())
    doing = shlex.join(command) if command is not None else "nothing is run"
    because = f" ({found})" if found else ""
    return Decision(
        condition=condition.text,
        result=answer.result,
        reason=f"{condition.text} is {_text(answer.result)}{because}: {doing}",
        values=answer.values,
        nan=list(answer.nan),
        chosen=chosen,
        command=command,
        exit_code=None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write(path: Path, decision: Decision) -> None:
    text = json.dumps(asdict(decision), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        write_atomically(path, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InvalidInput(f"--decision: {path} cannot be written: {error.strerror}.") from error


# -- commands --------------------------------------------------------------------------------------


def _words(command: Sequence[str], what: str) -> list[str]:
    """Return a command's words; one that was given as a single word is split."""
    return _split(command[0], what) if len(command) == 1 else list(command)


def _split(text: str, what: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{what}: {text!r} has no end: {error}. Close its quotes.") from None
    if not words:
        raise InvalidInput(f"{what}: there is nothing to run. Name a program.")
    return words


def _check_program(command: Sequence[str], what: str) -> None:
    if shutil.which(command[0]) is None:
        raise InvalidInput(
            f"{what}: there is no program {command[0]!r}. No shell is started; for what only a "
            "shell has, write: sh -c '…'"
        )


# -- where files may lie ---------------------------------------------------------------------------


class Places:
    """A folder, and what lies around it: its project and its DVC repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        named = os.environ.get(ROOT_VARIABLE)
        root = Path(os.path.realpath(named)) if named else dvc_root(folder)
        #: The DVC repository's root, if the folder lies in one.
        self.repository = root if root is not None and folder.is_relative_to(root) else None

    @cached_property
    def project(self) -> Project:
        """The project that the folder belongs to."""
        return find_project(self.folder)

    def inside(self, path: str) -> Path:
        """Resolve a path as seen from the folder. Raises `NotAllowedPath` if it leads out."""
        if "\0" in path:
            raise NotAllowedPath("The path contains a NUL character. Choose another file.")
        plain = self.folder / path
        # DVC may make a file a link into its cache.
        found = Path(os.path.realpath(plain.parent)) / plain.name
        linked = Path(os.path.realpath(found))
        if self._has(found) and (self._has(linked) or _CACHED.fullmatch(str(linked))):
            return found if plain.name != ".." else linked
        raise NotAllowedPath(
            f"{path} lies outside {self.project.root.name}. Choose a file inside the project."
        )

    def _has(self, path: Path) -> bool:
        roots = (self.project.root, self.repository)
        return any(root is not None and path.is_relative_to(root) for root in roots)


class _Values:
    """What a condition reads: files around a folder, and the project's registered models."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._files: dict[str, Any] = {}

    def read(self, path: str) -> Any:
        if path not in self._files:
            self._files[path] = read_values(self._places.inside(path), path)
        return self._files[path]

    def exists(self, path: str) -> bool:
        return self._places.inside(path).exists()

    def aliased(self, model: str, alias: str) -> Versioned:
        return self._version(model, f"{model}@{alias}", lambda each: alias in each.aliases)

    def numbered(self, model: str, version: int) -> Versioned:
        return self._version(model, f"{model} v{version}", lambda each: each.version == version)

    def _version(self, model: str, name: str, fits: Callable[[Any], bool]) -> Versioned:
        for each in self._versions:
            if each.name == model and fits(each):
                metrics = {key: decode(value) for key, value in each.metrics.items()}
                return Versioned(name, each.version, metrics)
        return Versioned(name, None, {})

    @cached_property
    def _versions(self) -> Sequence[Any]:
        """All model versions; this asks the project's worker, and starts one if there is none."""
        from . import operations as ops
        from .client import connect

        return connect(self._places.project).call(ops.LIST_MODELS)


# -- under DVC -------------------------------------------------------------------------------------


def _check_stage(
    condition: Condition, decision: str, places: Places, note: Callable[[str], None]
) -> None:
    """Refuse what does not mean the same under DVC; say which dependencies are not declared."""
    address = os.environ.get(STAGE_VARIABLE)
    if not address or places.repository is None:
        return
    stage = find_declaration(address, places.repository, places.folder)
    if stage is None or not (declared := conditionals(stage.command)):
        return
    # What dvc.yaml writes with templates is known here in full.
    others = [each for each in declared if not stage.declares(decision, [each.decision])]
    outputs = [decision if stage.declares(decision, [each]) else each for each in stage.outputs]
    found = [Conditional(condition.text, decision), *others]
    refused = refusal(found, outputs, stage.always_changed)
    if refused is not None:
        raise InvalidInput(f"Stage {stage.name}: {refused}")
    _warn(stage, condition.files, note)


def _warn(stage: Declaration, files: Collection[str], note: Callable[[str], None]) -> None:
    missing = [each for each in files if not stage.declares(each, stage.dependencies)]
    if missing:
        note(
            f"Warning: stage {stage.name} reads {', '.join(missing)} but does not depend on it, "
            "so DVC does not run it again when that changes. Add it to deps."
        )
