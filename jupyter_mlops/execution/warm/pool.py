"""The templates of a worker: one for each Python, environment and set of preloaded modules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import Source, mlops_template
from .mlops_template.channel import receive, send
from .preloads import FORK_SAFE
from .recipes import Need, NoTemplate, Recipe, recipe_for

#: Seconds after which a template that serves nobody ends, one with shared cells, and after which
#: one that could not be made is tried again.
IDLE_SECONDS = 600.0
SHARED_SECONDS = 20.0
TRY_AGAIN = 60.0

#: Seconds that a template may take to import what it preloads.
_PATIENCE = 120.0

_SCRIPT = Path(mlops_template.__file__).with_name("__main__.py")


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
        #: File with what the shared cells have put out.
        self.shared: Path | None = None
        self._control = control
        self._places: list[_Place] = []

    def imported_from(self, places: Iterable[str]) -> None:
        """Remember the state of Python and of the folders that the process imported from."""
        self._places = [_Place(Path(each)) for each in places]

    @property
    def stale(self) -> bool:
        """Whether the process has ended, or a new one would import something else."""
        return self.process.returncode is not None or any(each.changed for each in self._places)

    def kill(self) -> None:
        """End a process that is not ready, and what its shared cells have started."""
        self.retired = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.end_unless_used()

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
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Keep sockets in ``folder``, whose path must be short, and ``idle`` kernels waiting.

        ``allowed`` extends the packages that may be preloaded; ``variables`` are added to the
        environment of templates.
        """
        # What a killed worker left stands in the way of new sockets.
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._log = log
        self._idle = idle
        self._allowed = FORK_SAFE | frozenset(allowed)
        self._idle_seconds = idle_seconds
        self._variables = variables or {}
        self._templates: dict[Recipe, asyncio.Task[_Template]] = {}
        #: All whose processes run, also those that are retired or not ready yet.
        self._alive: set[_Template] = set()
        self._watching: set[asyncio.Task[None]] = set()
        #: How many attempts wait for a template to get ready.
        self._waiting: Counter[Recipe] = Counter()
        #: Modules that print when they are imported, and would not in a warm kernel.
        self._noisy: set[str] = set()
        self._count = 0

    @contextlib.asynccontextmanager
    async def serving(self, need: Need) -> AsyncIterator[Source]:
        """Yield a template that has what is needed, or why there is none."""
        try:
            template, reason = await self._find(need)
        except NoTemplate as problem:
            yield Source(reason=str(problem))
            return
        template.users += 1
        if template.expiry is not None:
            template.expiry.cancel()
            template.expiry = None
        try:
            yield Source(template=template.socket, shared=template.shared, reason=reason)
        finally:
            template.users -= 1
            template.end_unless_used()
            if not template.users and not template.retired:
                # What was shared serves one sweep, and takes memory.
                delay = SHARED_SECONDS if template.shared else self._idle_seconds
                loop = asyncio.get_running_loop()
                template.expiry = loop.call_later(delay, self._retire, template)

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

    async def _find(self, need: Need) -> tuple[_Template, str | None]:
        """Return a template, and why it shares nothing although cells are tagged."""
        recipe = recipe_for(need, self._allowed, self._noisy)
        reason = None
        while True:
            noisy = len(self._noisy)
            try:
                return await self._get(recipe), reason
            except NoTemplate as problem:
                if len(self._noisy) > noisy:
                    self._templates.pop(recipe, None)
                    recipe = recipe_for(need, self._allowed, self._noisy)
                elif recipe.shared:
                    reason = f"nothing is shared: {problem}"
                    recipe = recipe.without_sharing()
                else:
                    raise

    async def _get(self, recipe: Recipe) -> _Template:
        known = self._templates.get(recipe)
        if known is not None and (ready := _ready(known)) is not None and ready.stale:
            self._retire(ready)
            known = None
        if known is None:
            known = self._templates[recipe] = asyncio.create_task(self._start(recipe))
            known.add_done_callback(lambda done: self._started(recipe, done))
        self._waiting[recipe] += 1
        try:
            return await asyncio.shield(known)
        except asyncio.CancelledError:
            if self._waiting[recipe] == 1 and not known.done():
                known.cancel()
            raise
        finally:
            self._waiting[recipe] -= 1

    def _started(self, recipe: Recipe, done: asyncio.Task[_Template]) -> None:
        if done.cancelled():
            self._templates.pop(recipe, None)
        elif done.exception() is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(TRY_AGAIN, self._templates.pop, recipe, None)

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
                env={**dict(recipe.environment), **self._variables},
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
                "shared": recipe.shared,
                "idle": self._idle,
            },
        )
        try:
            reply = await self._hear(template, ours, limited=not recipe.shared)
        except BaseException:
            template.kill()
            raise
        template.imported_from([recipe.command[0], *reply["path"]])
        if recipe.shared:
            template.shared = folder / "shared.json"
        return template

    async def _hear(
        self, template: _Template, control: socket.socket, *, limited: bool
    ) -> dict[str, Any]:
        """Return what a new template says. Raises `NoTemplate` if it refuses."""
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(control, ready.set)
        try:
            # How long shared cells may take is for the user to say.
            async with asyncio.timeout(_PATIENCE if limited else None):
                await ready.wait()
        except TimeoutError:
            raise NoTemplate(f"it took longer than {_PATIENCE:g} s to start") from None
        finally:
            loop.remove_reader(control)
        reply = await asyncio.to_thread(receive, control)
        if reply is None:
            raise NoTemplate("its process ended at once")
        if reply[0].get("noisy"):
            self._noisy.add(reply[0]["noisy"])
        if "refused" in reply[0]:
            raise NoTemplate(reply[0]["refused"])
        return reply[0]

    async def _watch(self, template: _Template) -> None:
        await template.process.wait()
        # One that was killed could not do it.
        shutil.rmtree(template.socket.with_suffix(""), ignore_errors=True)
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
