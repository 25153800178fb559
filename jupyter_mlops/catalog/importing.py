"""The modules of groups, imported as they are now."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from ..core.features import FeatureFailed
from .extensions import prepare
from .place import Place

#: Modules of groups are imported as parts of this package, which needs no file.
PACKAGE = "features"
#: Times of change of the project's modules that were imported.
_seen: dict[str, int] = {}
_BEGAN = time.time_ns()


class _AsItIs(SourceFileLoader):
    """Reads a module's source each time, since bytecode is told apart by the second only."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load(place: Place, group: str, path: Path) -> ModuleType:
    """Import the module of a group, and what it imports of its project if that was changed.

    Raises `FeatureFailed` if it cannot be imported.
    """
    for folder in (place.modules, place.root):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    _forget_changed(place)
    _make_packages(place, group)
    name = f"{PACKAGE}.{group}"
    loader = _AsItIs(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise FeatureFailed(f"{group} cannot be imported: {path} is no module.")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    linecache.checkcache(str(path))
    try:
        prepare(path.read_text("utf-8"))
        loader.exec_module(module)
    except Exception as error:  # whatever a module does
        if before is not None:
            sys.modules[name] = before
        else:
            del sys.modules[name]
        reason = " ".join(str(error).split()) or "no reason is given"
        raise FeatureFailed(
            f"{group} cannot be imported: {type(error).__name__}: {reason}"
        ) from error
    _note(place)
    return module


def _make_packages(place: Place, group: str) -> None:
    """Have a package for each folder above a module, so that it can import what lies beside it."""
    name, folder = PACKAGE, place.modules
    for further in [*group.split(".")[:-1], None]:
        known = sys.modules.get(name)
        if known is None or list(getattr(known, "__path__", ())) != [str(folder)]:
            package = ModuleType(name)
            package.__path__ = [str(folder)]
            sys.modules[name] = package
        if further is not None:
            name, folder = f"{name}.{further}", folder / further


def project_modules(place: Place) -> list[ModuleType]:
    """Return the modules of the project that are imported."""
    return [
        module
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None)) and _is_of_project(place, Path(file))
    ]


def _forget_changed(place: Place) -> None:
    """Let modules of the project be imported again whose files were changed since they were."""
    importlib.invalidate_caches()
    for module in project_modules(place):
        changed = _changed(module)
        # One that others imported may be older than its file, if that was written meanwhile.
        seen = _seen.get(str(module.__file__), min(changed, _BEGAN))
        if changed > seen:
            sys.modules.pop(module.__name__, None)


def _note(place: Place) -> None:
    """Remember the state of what is imported."""
    for module in project_modules(place):
        _seen[str(module.__file__)] = _changed(module)


def _changed(module: ModuleType) -> int:
    """Return when a module's file was changed."""
    try:
        return Path(str(module.__file__)).stat().st_mtime_ns
    except OSError:
        return 0


def _is_of_project(place: Place, file: Path) -> bool:
    """Whether a file is one that features import, not one of an environment in the project."""
    return file.parent == place.root or place.modules in file.parents
