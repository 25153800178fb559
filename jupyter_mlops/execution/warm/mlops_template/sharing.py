"""Shared cells: executed once, before the fork, so that all kernels have what they made."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import random
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from .preload import Refusal
from .reads import reads

#: Code that makes a generator which all runs would share although nobody chose its numbers.
_UNSEEDED = re.compile(r"\b(default_rng|RandomState|Random|SeedSequence|Generator)\(\s*\)")

#: Code that chooses the random numbers of what follows.
_SEEDED = re.compile(r"\b(manual_seed|set_seed|seed_everything|set_random_seed|seed)\s*\(")

#: Names that a shell keeps for itself.
_SHELLS_OWN = re.compile(r"_+|_(i+|i?\d+|ih|oh|dh|exit_code)|In|Out|exit|quit|get_ipython|open")

#: Seconds that a fork may take to use what the cells have made.
_PROBE = 20


class Record:
    """What cells put out, as the messages that a kernel would send: their type and content."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Add a message; texts of one stream become one."""
        if kind == "stream" and self.messages and self.messages[-1][0] == "stream":
            last = self.messages[-1][1]
            if last["name"] == content["name"]:
                last["text"] += content["text"]
                return
        self.messages.append((kind, content))


class _Stream:
    """Stands for ``sys.stdout`` or ``sys.stderr``.

    Whoever keeps it, as log handlers do, writes to the kernel's stream after the fork.
    """

    #: Whether the cells have been executed, and this is a kernel.
    forked = False
    encoding = "utf-8"
    errors = "strict"

    def __init__(self, record: Record, name: str) -> None:
        self._record = record
        self.name = name

    def write(self, text: str) -> int:
        if self.forked:
            return int(getattr(sys, self.name).write(text))
        if text:
            self._record.add("stream", {"name": self.name, "text": text})
        return len(text)

    def writelines(self, lines: Any) -> None:
        self.write("".join(lines))

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


class _Publisher(DisplayPublisher):
    record: Record

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        kind = "update_display_data" if update else "display_data"
        content = {"data": data, "metadata": metadata or {}, "transient": transient or {}}
        self.record.add(kind, content)

    def clear_output(self, wait: bool = False) -> None:
        self.record.add("clear_output", {"wait": wait})


class _Hook(DisplayHook):
    record: Record

    def write_output_prompt(self) -> None:
        """Print nothing."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        count = getattr(self.shell, "execution_count", 0)
        content = {"data": format_dict, "metadata": md_dict or {}, "execution_count": count}
        self.record.add("execute_result", content)

    def finish_displayhook(self) -> None:
        """Print nothing."""


class _Shell(InteractiveShell):
    #: Tells libraries that what is displayed is kept.
    shared_cells = True
    display_pub_class = _Publisher
    displayhook_class = _Hook


def share(cells: list[tuple[int, str]], folder: Path) -> Shared | None:
    """Execute cells, given with their positions, if there are any. Raises `Refusal`.

    What they put out is left in the file ``shared.json`` of the folder.
    """
    if not cells:
        return None
    reads.watch()
    shared = Shared(cells)
    shared.probe()
    (folder / "shared.json").write_text(json.dumps(shared.results, default=repr), "utf-8")
    return shared


class Shared:
    """What shared cells have left."""

    def __init__(self, cells: list[tuple[int, str]]) -> None:
        """Execute cells, given with their positions. Raises `Refusal`."""
        self.sources = [source for _, source in cells]
        for _, source in cells:
            if match := _UNSEEDED.search(source):
                raise Refusal(f"{match[0]} has no seed: all runs would draw the same from it")
        threads = _threads()
        #: The names that the cells have bound; the dictionary that they know as their globals.
        self.namespace: dict[str, Any] = {}
        #: For each cell its position, messages, seconds, and number in the kernel's count.
        self.results: list[dict[str, Any]] = []
        self._execute(cells)
        if any(name.startswith("polars") for name in _threads() - threads):
            raise Refusal("Polars does not survive a fork once it was used")
        # Each fork seeds `random` anew.
        seeded = any(_SEEDED.search(source) for source in self.sources)
        self._random_state = random.getstate() if seeded else None

    @property
    def seeded(self) -> bool:
        """Whether the cells have chosen the random numbers of those that follow."""
        return self._random_state is not None

    def take_over(self, shell: Any) -> None:
        """In a fork: let a kernel's shell go on where the cells have ended."""
        _Stream.forked = True
        if self._random_state is not None:
            shell.events.register("pre_run_cell", self._go_on_with_random_numbers)
        shell.execution_count = len(self.sources) + 1
        for kept in (shell.history_manager.input_hist_parsed, shell.history_manager.input_hist_raw):
            kept.extend(self.sources)
        inline = sys.modules.get("matplotlib_inline.backend_inline")
        if inline is not None:
            # It has looked for a kernel when it was imported, and there was none.
            vars(inline.configure_inline_support).pop("current_backend", None)
            inline.configure_inline_support(shell, sys.modules["matplotlib"].get_backend())

    def _go_on_with_random_numbers(self, *_: Any) -> None:
        # Not before the first cell: what a kernel says of itself has a tip, drawn at random.
        state, self._random_state = self._random_state, None
        if state is not None:
            random.setstate(state)

    def _execute(self, cells: list[tuple[int, str]]) -> None:
        config = Config(HistoryManager={"enabled": False})
        shell: Any = _Shell.instance(config=config, user_ns=self.namespace)
        atexit.unregister(shell.atexit_operations)
        shell.system = shell.system_piped
        streams = sys.stdout, sys.stderr
        try:
            for position, source in cells:
                record = Record()
                for each in (shell.display_pub, shell.displayhook):
                    each.record = record
                sys.stdout, sys.stderr = _Stream(record, "stdout"), _Stream(record, "stderr")
                began = time.monotonic()
                result = shell.run_cell(source, store_history=True)
                if not result.success:
                    error = result.error_before_exec or result.error_in_exec
                    raise Refusal(f"{type(error).__name__} in a shared cell: {error}")
                self.results.append(
                    {
                        "position": position,
                        "messages": record.messages,
                        "seconds": time.monotonic() - began,
                        "count": len(self.results) + 1,
                    }
                )
        finally:
            sys.stdout, sys.stderr = streams
            InteractiveShell.clear_instance()
            _Shell.clear_instance()
        for name in [each for each in self.namespace if _SHELLS_OWN.fullmatch(each)]:
            del self.namespace[name]
        # What they have thrown away would be kept for good by the freeze before the fork.
        gc.collect()

    def probe(self) -> None:
        """Let a fork use what the cells have used. Raises `Refusal` if it does not come back."""
        pid = os.fork()
        if not pid:
            with contextlib.suppress(Exception):
                _use_libraries()
            os._exit(0)
        deadline = time.monotonic() + _PROBE
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.005)  # nothing tells of a child's end for a limited time, everywhere
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise Refusal("a fork hangs after the shared cells")


def _use_libraries() -> None:
    if (numpy := sys.modules.get("numpy")) is not None:
        square = numpy.ones((300, 300))
        numpy.linalg.svd(square @ square)
    if "sklearn" in sys.modules and "threadpoolctl" in sys.modules:
        from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

        _openmp_effective_n_threads()


def _threads() -> set[str]:
    """Return the names of the threads that the system sees, numbered to tell them apart."""
    names = set()
    for folder in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            names.add(f"{(folder / 'comm').read_text().strip()} {folder.name}")
    return names
