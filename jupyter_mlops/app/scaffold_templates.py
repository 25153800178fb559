"""The files of a new project, and how they get into what is there already."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.exceptions import InvalidInput

_FOLDER = Path(__file__).parents[1] / "scaffold"

#: What makes a new content of an old one; unchanged if it has all already.
Adding = Callable[[bytes, str], bytes]


@dataclass(frozen=True, slots=True)
class Template:
    """A file of a new project."""

    #: Where it lies in the project, and below ``scaffold/``.
    path: str
    source: str
    #: Files that it is of no use without.
    needs: tuple[str, ...] = ()
    #: Whether it is only looked for in the root of a git repository.
    at_root: bool = False
    #: How it is added to a file that is there; None: that file stays as it is.
    adding: Adding | None = None


def fill(source: str, values: Mapping[str, str]) -> str:
    """Return a template's text with ``@NAME@`` replaced by values."""
    text = (_FOLDER / source).read_text("utf-8")
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)


def listed(source: str) -> list[str]:
    """Return the lines of a template that are no comments and no places for values."""
    lines = (_FOLDER / source).read_text("utf-8").splitlines()
    return [line for line in lines if line and line[0] not in "#@"]


def quoted(text: str) -> str:
    """Write a text as JSON and TOML have it."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def add_ignored(before: bytes, wanted: str) -> bytes:
    """Add lines to a .gitignore that it lacks, in whatever way they are written there."""
    return _with_lines(before, wanted, lambda line: {line.strip().lstrip("!").strip("/")})


def add_attributes(before: bytes, wanted: str) -> bytes:
    """Add lines to a .gitattributes, but to no attribute of a pattern that it decides already."""
    return _with_lines(before, wanted, _attributes)


def add_settings(before: bytes, wanted: str) -> bytes:
    """Add our table to a pyproject.toml that has none. Raises `InvalidInput` if it cannot be read.

    Where TOML does not allow another table, as in an inline one, the file is returned unchanged.
    """
    try:
        text = before.decode("utf-8")
        there = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"pyproject.toml: {error}. Mend the file and try again.") from error
    if has_settings(there):
        return before
    after = _joined(before, wanted.splitlines())
    try:
        tomllib.loads(after.decode("utf-8"))
    except tomllib.TOMLDecodeError:
        return before
    return after


def has_settings(table: Mapping[str, object]) -> bool:
    """Whether the content of a pyproject.toml makes its folder a project."""
    tools = table.get("tool")
    return isinstance(tools, Mapping) and bool(tools.get("jupyter-mlops"))


def _attributes(line: str) -> set[str]:
    pattern, *words = line.split() or [""]
    return {f"{pattern} {word.lstrip('-!').partition('=')[0]}" for word in words}


def _with_lines(before: bytes, wanted: str, keys: Callable[[str], set[str]]) -> bytes:
    """Add the lines that are lacking, each below the comment that stands above it."""
    text = before.decode("utf-8", "surrogateescape")
    present: set[str] = set()
    for line in _meant(text.splitlines()):
        present |= keys(line)
    added: list[str] = []
    comment: list[str] = []
    for line in wanted.splitlines():
        if line.startswith("#"):
            comment = [line]
        elif keys(line) - present:
            added += [*comment, line]
            comment = []
    return _joined(before, added) if added else before


def _meant(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _joined(before: bytes, lines: list[str]) -> bytes:
    """Put lines below a file's own, which stay byte for byte, with its line ends."""
    end = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before else end if before.endswith(b"\n") else 2 * end
    return before + (gap + end.join(lines) + end).encode("utf-8")


_SAMPLE = ("dvc.yaml", "params.yaml", "prepare.py", "train.ipynb")
_REPORT = ("ci/report.py",)
_LOCK = ("requirements.in", "requirements.txt")
_CONTAINER = (".devcontainer/devcontainer.json", ".devcontainer/setup.sh", ".devcontainer/start.sh")

TEMPLATES = (
    *(Template(each, each, needs=_SAMPLE) for each in _SAMPLE),
    Template("pyproject.toml", "settings.toml", adding=add_settings),
    *(Template(each, each, needs=_LOCK) for each in _LOCK),
    Template("README.md", "README.md"),
    Template(".gitignore", "gitignore", adding=add_ignored),
    Template(".gitattributes", "gitattributes", adding=add_attributes),
    Template(".pre-commit-config.yaml", "pre-commit-config.yaml", at_root=True),
    *(
        Template(each, each.removeprefix("."), needs=_CONTAINER, at_root=True)
        for each in _CONTAINER
    ),
    Template("ci/report.py", "ci/report.py", at_root=True),
    Template(".github/workflows/mlops.yml", "github/mlops.yml", needs=_REPORT, at_root=True),
    Template(".circleci/config.yml", "circleci/config.yml", needs=_REPORT, at_root=True),
)
