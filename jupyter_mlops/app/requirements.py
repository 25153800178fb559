"""The versions that a new project is locked to: those of the environment that makes it."""

from __future__ import annotations

import json
import platform
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .. import __version__
from ..core.urls import without_login

OURS = "jupyter-mlops"
#: Folder of the project for wheels that came from a file.
WHEELS = "wheels"


@dataclass(frozen=True, slots=True)
class Origin:
    """How pip is told to install what is installed here."""

    requirement: str
    #: A file that the project takes along, since nobody else has it.
    wheel: Path | None = None
    #: A place that only this machine has, if it is still there.
    place: str | None = None
    gone: str | None = None


@dataclass(slots=True)
class Lock:
    """What a project's environment is made of."""

    #: How our own package is required.
    ours: str
    lines: list[str] = field(default_factory=list)
    wheels: list[Path] = field(default_factory=list)
    #: Packages that come from a place that only this machine has, and that place.
    places: dict[str, str] = field(default_factory=dict)
    #: Where our own package came from, if that is gone.
    gone: str | None = None
    #: Packages that are not installed here.
    missing: list[str] = field(default_factory=list)


def lock(wanted: Iterable[str], otherwise: Iterable[str] = ()) -> Lock:
    """Lock packages and all that they need to the versions that are installed here.

    What is not installed is locked to its version in ``otherwise``, and what it needs is not.
    Nothing is asked of a network.
    """
    fallbacks: dict[str, str] = {
        canonicalize_name(Requirement(line).name): line for line in otherwise
    }
    found = _closure([OURS, *wanted])
    own = origin(found.get(OURS))
    made = Lock(ours=own.requirement, gone=own.gone)
    for name, each in sorted(found.items()):
        if each is None and name != OURS:
            made.missing.append(name)
            made.lines.append(fallbacks.get(name) or name)
            continue
        source = origin(each)
        made.lines.append(source.requirement)
        if source.wheel is not None:
            made.wheels.append(source.wheel)
        if source.place is not None:
            made.places[name] = source.place
    return made


def origin(package: Distribution | None) -> Origin:
    """Return how to install a package again, from where it came from (PEP 610).

    None is our own package where it runs without being installed.
    """
    if package is None:
        return _checkout()
    name = str(package.metadata["Name"])
    pinned = f"{name}=={package.version}"
    try:
        told = json.loads(package.read_text("direct_url.json") or "{}")
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    address = without_login(str(told.get("url", "")))
    if not address:
        return Origin(pinned)
    if not address.startswith("file:"):
        return Origin(f"{name} @ {_remote(address, told)}")
    place = Path(unquote(urlsplit(address).path))
    if place.suffix == ".whl" and place.is_file():
        return Origin(f"./{WHEELS}/{place.name}", wheel=place)
    if place.exists():
        return Origin(f"{name} @ {address}", place=str(place))
    return Origin(pinned, gone=str(place))


def _checkout() -> Origin:
    folder = Path(__file__).parents[2]
    if not (folder / "pyproject.toml").is_file():
        return Origin(f"{OURS}=={__version__}")
    return Origin(f"{OURS} @ {folder.as_uri()}", place=str(folder))


def _remote(address: str, told: dict[str, Any]) -> str:
    version_control = told.get("vcs_info", {})
    if version_control:
        address = f"{version_control['vcs']}+{address}@{version_control['commit_id']}"
    subdirectory = told.get("subdirectory")
    return f"{address}#subdirectory={subdirectory}" if subdirectory else address


def _closure(wanted: Iterable[str]) -> dict[str, Distribution | None]:
    """Return packages and all that they need by name; None is not installed."""
    found: dict[str, Distribution | None] = {}
    waiting = deque(Requirement(each) for each in wanted)
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        each = waiting.popleft()
        name, extras = canonicalize_name(each.name), frozenset(each.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        if name not in found:
            found[name] = _installed(each.name)
        package = found[name]
        if package is not None:
            waiting += _needs(package, extras)
    return found


def _needs(package: Distribution, extras: frozenset[str]) -> list[Requirement]:
    return [
        each
        for text in package.requires or ()
        if (each := Requirement(text)).marker is None
        or any(each.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def python_version() -> str:
    """Return the Python that runs here as images of containers are called: ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def about_here() -> str:
    """Name what the lock holds for."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
