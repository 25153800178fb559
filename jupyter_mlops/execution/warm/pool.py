"""The templates of a worker: one for each Python, environment and set of preloaded modules."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from ...core.ports import Task
from . import mlops_template
from .mlops_template.channel import receive, send
from .preloads import FORK_SAFE, modules_to_preload

#: Seconds after which a template that serves nobody ends, and after which one that could not be
#: made is tried again.
IDLE_SECONDS = 600.0
TRY_AGAIN = 60.0

#: Seconds that a template may take to import what it preloads.
_PATIENCE = 120.0

_SCRIPT = Path(mlops_template.__file__).with_name("__main__.py")

#: How a kernelspec starts ipykernel: Python with options, and options of the kernel.
_LAUNCH = re.compile(
    "(?P<python>.+?)\0-m\0ipykernel(_launcher)?\0-f\0{connection_file}(?P<arguments>(\0.+)?)"
)

#: Variables that differ between attempts or terminals, and that no library reads when it is
#: imported. All others have to be the same for a template to serve.
_NOT_AT_IMPORT = re.compile(
    r"JUPYTER_MLOPS_.*|MLFLOW_.*|JPY_.*|_|PWD|OLDPWD|SHLVL|TERM.*|COLUMNS|LINES|SSH_.*|WINDOWID"
    r"|XDG_SESSION_.*|DBUS_.*|COLORTERM|LS_COLORS|TMUX.*|STY|VSCODE_.*|GIT_.*|HISTFILE"
)


class NoTemplate(Exception):
    """There is no template for an attempt, and this is why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What a template is made of. Attempts with equal recipes share one."""

    #: Python and its options.
    command: tuple[str, ...]
    #: Options of the kernel.
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    #: Relative entries of PYTHONPATH lead from here, and files here hide packages.
    cwd: str
    preload: tuple[str, ...]


class _Place:
    """A file or folder that Python imports from, and what it held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._facts = self._look()
        self._names = self._list()

    @property
    def changed(self) -> bool:
        """Whether modules were added, removed or replaced; a look at one time stamp, as a rule."""
        if (facts := self._look()) == self._facts:
            return False
        if self._list() != self._names or not self._names:
            return True
        # Python has written bytecode.
        self._facts = facts
        return False

    def _look(self) -> tuple[int, int] | None:
        try:
            facts = self._path.stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns

    def _list(self) -> frozenset[str]:
        try:
            return frozenset(each.name for each in self._path.iterdir()) - {"__pycache__"}
        except OSError:
            return frozenset()


class _Template:
    """A template process, as its worker sees it."""

    def __init__(
        self, process: asyncio.subprocess.Process, control: socket.socket, address: Path
    ) -> None:
        self.process = process
        self.socket = address
        self.users = 0
        self.retired = False
        self.expiry: asyncio.TimerHandle | None = None
        self._control = control
        self._places: list[_Place] = []

    def imported_from(self, places: Iterable[str]) -> None:
        """Remember the state of Python and of the folders that the process imported from."""
        self._places = [_Place(Path(each)) for each in places]

    @property
    def stale(self) -> bool:
        """Whether the process has ended, or a new one would import something else."""
        return self.process.returncode is not None or any(each.changed for each in self._places)

    def end_unless_used(self) -> None:
        """Let the process end, and its waiting kernels with it."""
        if self.expiry is not None:
            self.expiry.cancel()
        if self.retired and not self.users:
            self._control.close()
            self.socket.unlink(missing_ok=True)


class Templates:
    """Starts templates when they are first needed and ends those that are not needed any more."""

    def __init__(
        self,
        folder: Path,
        log: Path,
        *,
        idle: int,
        allowed: Iterable[str] = (),
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Keep sockets in ``folder``, whose path must be short, and ``idle`` kernels waiting.

        ``allowed`` extends the packages that may be preloaded.
        """
        # What a killed worker left stands in the way of new sockets.
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._log = log
        self._idle = idle
        self._allowed = FORK_SAFE | frozenset(allowed)
        self._idle_seconds = idle_seconds
        self._templates: dict[Recipe, asyncio.Task[_Template]] = {}
        #: All whose processes run, also those that are retired or not ready yet.
        self._alive: set[_Template] = set()
        self._watching: set[asyncio.Task[None]] = set()
        #: Modules that print when they are imported, and would not in a warm kernel.
        self._noisy: set[str] = set()
        self._preloads: dict[Path, list[str]] = {}
        self._count = 0

    @contextlib.asynccontextmanager
    async def serving(self, task: Task) -> AsyncIterator[Path]:
        """Yield the socket of a template that serves a task. Raises `NoTemplate`."""
        template = await self._find(task)
        template.users += 1
        if template.expiry is not None:
            template.expiry.cancel()
            template.expiry = None
        try:
            yield template.socket
        finally:
            template.users -= 1
            template.end_unless_used()
            if not template.users and not template.retired:
                template.expiry = asyncio.get_running_loop().call_later(
                    self._idle_seconds, self._retire, template
                )

    def pids(self) -> list[int]:
        """Return the template processes."""
        ready = (_ready(each) for each in self._templates.values())
        return [each.process.pid for each in ready if each is not None]

    async def close(self) -> None:
        """End all templates and their kernels, and return when they are gone."""
        for starting in self._templates.values():
            starting.cancel()
        await asyncio.gather(*self._templates.values(), return_exceptions=True)
        self._templates.clear()
        for template in list(self._alive):
            template.users = 0
            self._retire(template)
        await asyncio.gather(*self._watching)
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- which one ---------------------------------------------------------------------------------

    async def _find(self, task: Task) -> _Template:
        while True:
            recipe = self._recipe(task)
            known = self._templates.get(recipe)
            if known is not None and (ready := _ready(known)) is not None and ready.stale:
                self._retire(ready)
                known = None
            if known is None:
                known = self._templates[recipe] = asyncio.create_task(self._start(recipe))
            before = len(self._noisy)
            try:
                return await asyncio.shield(known)
            except NoTemplate:
                if len(self._noisy) == before or self._templates.pop(recipe, None) is None:
                    raise

    def _recipe(self, task: Task) -> Recipe:
        if sys.platform != "linux":
            raise NoTemplate("kernels are forked on Linux only")
        try:
            spec = KernelSpecManager().get_kernel_spec(task.kernel)
        except NoSuchKernel as error:
            raise NoTemplate(str(error)) from None
        command, arguments = _launch(spec)
        variables = {**task.environment, **spec.env}
        return Recipe(
            command=command,
            arguments=arguments,
            environment=tuple(
                sorted(each for each in variables.items() if not _NOT_AT_IMPORT.fullmatch(each[0]))
            ),
            cwd=str(task.cwd),
            preload=tuple(each for each in self._modules(task) if each not in self._noisy),
        )

    def _modules(self, task: Task) -> list[str]:
        if task.snapshot not in self._preloads:
            notebook = json.loads(task.snapshot.read_bytes())
            sources = [
                "".join(cell["source"])
                for cell in notebook.get("cells", ())
                if cell.get("cell_type") == "code"
            ]
            self._preloads[task.snapshot] = modules_to_preload(sources, self._allowed)
        return self._preloads[task.snapshot]

    # -- their life --------------------------------------------------------------------------------

    async def _start(self, recipe: Recipe) -> _Template:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir(mode=0o700)
        address = folder.with_suffix(".sock")
        listener = socket.socket(socket.AF_UNIX)
        ours, theirs = socket.socketpair()
        with listener, theirs, self._log.open("ab") as log:
            listener.bind(os.fspath(address))
            listener.listen(128)
            process = await asyncio.create_subprocess_exec(
                *recipe.command,
                str(_SCRIPT),
                str(theirs.fileno()),
                str(listener.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(), listener.fileno()),
                cwd=recipe.cwd,
                env=dict(recipe.environment),
                start_new_session=True,
            )
        template = _Template(process, ours, address)
        self._alive.add(template)
        self._watching.add(watch := asyncio.create_task(self._watch(template)))
        watch.add_done_callback(self._watching.discard)
        send(
            ours,
            {
                "folder": str(folder),
                "preload": recipe.preload,
                "arguments": recipe.arguments,
                "idle": self._idle,
            },
        )
        ours.settimeout(_PATIENCE)
        try:
            reply = await asyncio.to_thread(receive, ours)
        except TimeoutError:
            reply = ({"refused": f"it took longer than {_PATIENCE:g} s to start"}, [])
        self._judge(reply[0] if reply else {"refused": "its process ended at once"}, template)
        template.imported_from([recipe.command[0], *reply[0]["path"]] if reply else [])
        return template

    def _judge(self, reply: dict[str, Any], template: _Template) -> None:
        if "refused" not in reply:
            return
        template.retired = True
        template.end_unless_used()
        if reply.get("noisy"):
            self._noisy.add(reply["noisy"])
        raise NoTemplate(reply["refused"])

    async def _watch(self, template: _Template) -> None:
        await template.process.wait()
        self._alive.discard(template)
        self._retire(template)

    def _retire(self, template: _Template) -> None:
        for recipe, known in list(self._templates.items()):
            if _ready(known) is template:
                del self._templates[recipe]
        template.retired = True
        template.end_unless_used()


def _ready(starting: asyncio.Task[_Template]) -> _Template | None:
    """Return a template that has started."""
    if not starting.done() or starting.cancelled() or starting.exception() is not None:
        return None
    return starting.result()


def _launch(spec: KernelSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a kernelspec's command into Python with its options, and the kernel's options."""
    provisioner = spec.metadata.get("kernel_provisioner", {}).get("provisioner_name")
    if provisioner not in (None, "local-provisioner", "mlops-template"):
        raise NoTemplate(f"its kernelspec asks for the provisioner {provisioner}")
    match = _LAUNCH.fullmatch("\0".join(spec.argv))
    if match is None:
        raise NoTemplate("its kernel is not started by ipykernel")
    python, *options = match["python"].split("\0")
    if re.fullmatch(r"python(3(\.\d+)?)?", python):
        # As jupyter_client does it.
        python = sys.executable
    arguments = (each for each in match["arguments"].split("\0") if each)
    # nbclient adds the last one: the history is kept in memory.
    return (
        (shutil.which(python) or python, *options),
        (*arguments, "--HistoryManager.hist_file=:memory:"),
    )
