"""The exact versions that a project wants, and how an environment differs from them."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker, default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from ..core.exceptions import InvalidInput

#: Files that are taken for a project's lock, the first that there is, unless a setting names one.
NAMES = ("pylock.toml", "requirements.lock", "uv.lock", "requirements.txt")
#: A line of requirements that is the path or address of a package, and says no version.
_PATH = re.compile(r"[./~]|[A-Za-z]:\\|[a-z+]+://|.*\.whl\b")
#: Differences that one line names.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """A package whose version is not the locked one."""

    name: str
    locked: str
    #: None if it is not installed.
    found: str | None

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.found is None:
            return f"{self.name} {self.locked} is missing"
        return f"{self.name} {self.found} instead of {self.locked}"


@dataclass(frozen=True, slots=True)
class Lock:
    """The versions that a file of a project fixes, by normalised names."""

    path: Path
    sha256: str
    versions: Mapping[str, frozenset[str]]
    #: Whether all of them belong into the environment; a lock of uv has those of extras, too.
    whole: bool

    def differences(self, packages: Mapping[str, str]) -> list[Difference]:
        """Return in what an environment differs, given its versions by names."""
        found: dict[str, str] = {canonicalize_name(name): each for name, each in packages.items()}
        return [
            Difference(name, " or ".join(sorted(wanted)), found.get(name))
            for name, wanted in sorted(self.versions.items())
            if (name in found or self.whole) and not _is_one_of(found.get(name), wanted)
        ]

    @property
    def mending(self) -> str:
        """What to type to have these versions."""
        if self.path.name == "uv.lock":
            return "uv sync"
        return f"uv pip sync {self.path.name}, or pip install -r {self.path.name}"


def _is_one_of(version: str | None, wanted: Iterable[str]) -> bool:
    """Whether a version is a locked one, whatever build of it (PEP 440's local version)."""
    if version is None:
        return False
    try:
        return any(Specifier(f"=={each}").contains(version, prereleases=True) for each in wanted)
    except (InvalidSpecifier, InvalidVersion):
        return version in wanted


def told(differences: Sequence[Difference | str]) -> str:
    """Name the first differences in one line."""
    named = ", ".join(map(str, differences[:_SHOWN]))
    more = len(differences) - _SHOWN
    return f"{named} and {more} more" if more > 0 else named


def state_of(root: Path, name: str | None) -> tuple[tuple[int, int] | None, ...]:
    """Return what changes whenever `lock_of` may return another lock."""
    found: list[tuple[int, int] | None] = []
    for each in (name,) if name is not None else NAMES:
        try:
            facts = (root / each).stat()
        except OSError:
            found.append(None)
        else:
            found.append((facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def lock_of(root: Path, name: str | None, python: str | None = None) -> Lock | None:
    """Return the lock of a project: the file that a setting names, or one that is usual.

    A ``requirements.txt`` that is not named counts if it leaves no choice. Raises `InvalidInput`.
    """
    if name is not None:
        return read_lock(root / name, python)
    for each in NAMES:
        path = root / each
        if path.is_file() and (each != "requirements.txt" or _leaves_no_choice(path)):
            return read_lock(path, python)
    return None


def read_lock(path: Path, python: str | None = None) -> Lock:
    """Read a lock: PEP 751's pylock, that of uv, or requirements with exact versions.

    ``python`` is the version of the Python whose packages it is about, the present one unless it
    is given. Raises `InvalidInput`.
    """
    try:
        content = path.read_bytes()
        text = content.decode()
        if path.name == "uv.lock":
            pairs = list(_of_uv(tomllib.loads(text)))
        elif path.suffix == ".toml":
            pairs = list(_of_pylock(tomllib.loads(text), _environment(python)))
        else:
            pairs = list(_of_requirements(text, _environment(python)))
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{path.name} is no lock: {error}") from error
    versions: dict[str, frozenset[str]] = {}
    for name, version in pairs:
        key = canonicalize_name(name)
        versions[key] = versions.get(key, frozenset()) | {version}
    digest = hashlib.sha256(content).hexdigest()
    return Lock(path, digest, versions, whole=path.name != "uv.lock")


def _of_uv(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in content["package"]:
        name = each["name"]
        if "version" in each and not {"editable", "virtual"} & set(each.get("source", ())):
            yield name, each["version"]


def _of_pylock(
    content: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for each in content["packages"]:
        if "version" in each and _applies(each.get("marker"), environment):
            yield each["name"], each["version"]


def _of_requirements(text: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the exact versions; a requirement that leaves a choice fixes none."""
    for each in _requirements(text):
        version = _exact(each)
        if version and (each.marker is None or each.marker.evaluate(dict(environment))):
            yield each.name, version


def _requirements(text: str) -> Iterator[Requirement]:
    for line in text.replace("\\\n", " ").splitlines():
        stripped = re.split(r"(?:^|\s)(?:#|--)", line, maxsplit=1)[0].strip()
        if stripped and not stripped.startswith("-") and not _PATH.match(stripped):
            try:
                yield Requirement(stripped)
            except InvalidRequirement as error:
                raise ValueError(f"{stripped}: {error}") from error


def _exact(requirement: Requirement) -> str | None:
    """Return the only version that a requirement allows, if it is written so."""
    match list(requirement.specifier):
        case [one] if one.operator in ("==", "===") and "*" not in one.version:
            return one.version
    return None


def _leaves_no_choice(path: Path) -> bool:
    try:
        found = list(_requirements(path.read_text("utf-8")))
    except (OSError, ValueError):
        return False
    return bool(found) and all(each.url or _exact(each) for each in found)


def _applies(marker: str | None, environment: Mapping[str, str]) -> bool:
    try:
        return marker is None or Marker(marker).evaluate(dict(environment))
    except InvalidMarker as error:
        raise ValueError(str(error)) from error


def _environment(python: str | None) -> dict[str, str]:
    found: dict[str, str] = {name: str(value) for name, value in default_environment().items()}
    if python is not None:
        found |= {
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
        }
    return found
