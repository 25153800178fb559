"""What is imported before the fork, and whether a process that did so may fork."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import importlib.util
import os
import random
import site
import sys
import sysconfig
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What a kernel imports until it has executed its first cells.
_KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel_launcher",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "comm",
    "sqlite3",
    "tornado.platform.asyncio",
)


class Refusal(Exception):
    """Forking from this process would not be safe, or would not give what a cold start gives."""

    def __init__(self, reason: str, *, noisy: str | None = None) -> None:
        super().__init__(reason)
        #: The module without which it might be.
        self.noisy = noisy


@dataclass
class Prepared:
    """What a fork has to know of what was imported."""

    #: Modules that were preloaded.
    names: list[str]
    #: Generators that were made without a seed.
    generators: list[random.Random]
    #: Streams that modules may have kept.
    out: Stream
    err: Stream


def prepare(names: list[str]) -> Prepared:
    """Import what notebooks import. Raises `Refusal`."""
    backend = os.environ.get("MPLBACKEND")
    if not backend:
        # As ipykernel does it, but before a preloaded matplotlib reads it.
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    with Unseeded() as unseeded:
        sys.stdout, sys.stderr = out, err
        try:
            done = preload(names, out, err)
            use_for_the_first_time(done)
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    if not backend:
        del os.environ["MPLBACKEND"]
    return Prepared(done, unseeded.found, out, err)


def import_kernel() -> None:
    """Import what every kernel needs. Raises `Refusal` if this ipykernel cannot be forked."""
    version = importlib.metadata.version("ipykernel")
    if int(version.partition(".")[0]) < 7:
        # Older kernels send no iopub_welcome, without which first outputs get lost (JEP 65).
        raise Refusal(f"ipykernel {version} is older than 7")
    # Nobody steps through a run, and the debugger would take a third of a kernel's start.
    hidden = sys.modules.pop("debugpy", None)
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("ipykernel.debugger")
    finally:
        del sys.modules["debugpy"]
        if hidden is not None:
            sys.modules["debugpy"] = hidden
    for name in _KERNEL_MODULES:
        # Which of them exist depends on the version and on what else is installed.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


class Unseeded:
    """Remembers the random generators that are made without a seed while it is active.

    Forks would share their state; those that were given a seed shall stay as they are.
    """

    def __init__(self) -> None:
        self.found: list[random.Random] = []
        self._seed = random.Random.seed

    def __enter__(self) -> Unseeded:  # noqa: PYI034 - the kernel's Python may lack Self
        original, found = self._seed, self.found

        def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
            found[:] = [each for each in found if each is not self]
            if a is None:
                found.append(self)
            original(self, a, version)

        random.Random.seed = seed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        random.Random.seed = self._seed  # type: ignore[method-assign]


class Stream:
    """Stands for ``sys.stdout`` or ``sys.stderr`` while modules are imported.

    A module that keeps it, as log handlers do, writes to the kernel's stream after the fork.
    """

    def __init__(self, target: Any) -> None:
        self._target = target
        self.written = False

    def write(self, text: str) -> int:
        """Write, and remember it."""
        self.written = True
        return int(self._target.write(text))

    def lead_to(self, target: Any) -> None:
        """Pass on to another stream from now on."""
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def preload(names: list[str], out: Stream, err: Stream) -> list[str]:
    """Import modules and return those that could be imported.

    Raises `Refusal` if an import warns or prints: a notebook that imports it shows that, which a
    warm kernel would not.
    """
    done = []
    known = set(sys.modules)
    for name in names:
        if not _is_installed(name.partition(".")[0]):
            continue
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - whatever it is, the notebook shall show it
            continue
        if out.written or err.written:
            raise Refusal(f"{name} prints when it is imported", noisy=name)
        done.append(name)
    loaded = {each.partition(".")[0] for each in set(sys.modules) - known}
    if hidden := loaded & _local_modules():
        raise Refusal(f"files beside the notebook are named like {', '.join(sorted(hidden))}")
    return done


def use_for_the_first_time(names: list[str]) -> None:
    """Let libraries do now what they put off until they are used, and each fork would do anew.

    They import modules, look for plugins and fill caches. No thread is started by it.
    """
    packages = {each.partition(".")[0] for each in names}
    with contextlib.suppress(Exception):  # it only takes time off the first use in the notebook
        if "pandas" in packages:
            frame = sys.modules["pandas"].DataFrame({"a": [0.5, 1.5], "b": ["x", "y"]})
            frame._repr_html_()
            repr(frame["a"])
        if "sklearn" in packages:
            validation = importlib.import_module("sklearn.utils.validation")
            validation.check_array([[0.0, 1.0], [1.0, 0.0]])


def _is_installed(name: str) -> bool:
    """Whether a module lies in the environment: editable installs change under way."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_site_packages()}
    origin = Path(spec.origin or "") if spec is not None else Path()
    return any(origin.is_relative_to(folder) for folder in folders)


def _site_packages() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages()]


def _local_modules() -> set[str]:
    """Names that an import would find beside the notebook, before the environment."""
    return {
        each.name.partition(".")[0]
        for each in Path.cwd().iterdir()
        if each.suffix == ".py" or (each / "__init__.py").exists()
    }


def freeze() -> None:
    """Get ready to fork. Raises `Refusal` if that would not be safe."""
    check()
    # No collection before: memory that it frees here would be filled, and so copied, in each fork.
    gc.freeze()


def check() -> None:
    """Raise `Refusal` if a fork of this process could not be relied on."""
    threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if threads:
        raise Refusal(f"threads run: {', '.join(threads)}")
    import asyncio

    import zmq

    for each in _instances(zmq.Context, asyncio.AbstractEventLoop):
        if isinstance(each, zmq.Context) and not each.closed:
            raise Refusal("a ZeroMQ context is open")
        if isinstance(each, asyncio.AbstractEventLoop) and not each.is_closed():
            raise Refusal("an event loop exists")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        raise Refusal("CUDA is in use")


def _instances(*bases: type) -> list[Any]:
    """Return all objects of some classes and of those derived from them."""
    objects = gc.get_objects()
    # There are a thousand times more objects than classes.
    kinds = {each for each in set(map(type, objects)) if issubclass(each, bases)}
    return [each for each in objects if type(each) in kinds] if kinds else []
