"""Endpoints: each is a process that serves a version, watched and started again if need be.

A version takes the place of another without a request lost: the new process is started beside the
old one, a link leads to the new one's socket as soon as it answers, and the old one ends when it
has answered what it was asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from .. import __version__
from ..core.endpoints import Endpoint, EndpointStatus, Environment, Monitoring
from ..core.exceptions import Conflict, InvalidInput, MlopsError, NotFound, StoreUnavailable
from ..core.model_names import check_model_name
from ..core.models import ModelVersion
from ..core.runs import new_id
from ..store import Store
from . import messages as m
from . import scorers, unfinished
from .endpoint_state import Served, new, python_hint, shown_log
from .launching import Launcher, Plan
from .model_copies import ModelCopies, ModelCopy
from .projects import Project
from .runtime import endpoint_address
from .scorers import Process

log = logging.getLogger(__name__)

#: Seconds between two looks whether a process lives, and how many of them until it is asked.
_LOOK_EVERY = 1.0
_ASK_EVERY = 5
#: Answers in a row that may stay out.
_SILENCES = 3
#: Seconds before a process is started again: at first, at most, and until it counts as steady.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_STEADY = 60.0
#: Seconds for which a process that was replaced may answer what it was asked.
_DRAINING = 120.0
#: Lines of a log that are shown.
_LINES = 200


class Endpoints:
    """The endpoints of a project, and what can be asked of them."""

    def __init__(self, project: Project, store: Store, copies: ModelCopies) -> None:
        self._project = project
        self._store = store
        self._copies = copies
        self._launcher = Launcher(project, copies)
        self._served: dict[str, Served] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # -- what can be asked -------------------------------------------------------------------------

    async def list_endpoints(self) -> list[m.EndpointView]:
        """List the endpoints by name."""
        await asyncio.gather(*(each.look() for each in self._served.values()))
        return [self._served[name].view(self._project) for name in sorted(self._served)]

    async def get_endpoint(self, name: str) -> m.EndpointDetail:
        """Tell of an endpoint, and what may be asked of it."""
        served = self._get(name)
        await served.look()
        facts = served.facts
        if facts is None:
            version = await self._copies.find(name, served.endpoint.version, None)
            facts = served.facts = (await self._copies.get(version)).facts
        columns = [
            m.ColumnView(name=each.name, type=each.type, required=each.required)
            for each in facts.columns
        ]
        return m.EndpointDetail(
            endpoint=served.view(self._project), columns=columns, example=facts.example
        )

    async def endpoint_log(self, name: str) -> m.EndpointLog:
        """Tell what an endpoint's processes have printed last."""
        self._get(name)
        text = await self._launcher.last_lines(name, _LINES)
        return m.EndpointLog(path=shown_log(self._project, name), text=text)

    async def serve_model(self, name: str, body: m.ServeRequest) -> m.EndpointView:
        """Begin to serve a version, beside the one that is served until it answers."""
        check_model_name(name)
        version = await self._copies.find(name, body.version, body.alias)
        return await self._serve(version, body.alias, body.monitor, body.environment)

    async def roll_back(self, name: str) -> m.EndpointView:
        """Begin to serve the version that was served before."""
        previous = self._get(name).endpoint.previous
        if previous is None:
            raise Conflict(f"No version of {name} was served before this one.")
        return await self._serve(await self._copies.find(name, previous, None), None)

    async def stop_endpoint(self, name: str) -> m.Empty:
        """Stop serving a model."""
        served = self._get(name)
        del self._served[name]
        endpoint_address(self._project, name).unlink(missing_ok=True)
        await served.cancel()
        await self._stored(partial(self._store.endpoints.remove, name))
        if served.process is not None:
            await served.process.stop()
        return m.Empty()

    async def _serve(
        self,
        version: ModelVersion,
        alias: str | None,
        monitor: m.MonitorRequest | None = None,
        environment: Environment | None = None,
    ) -> m.EndpointView:
        name, number = version.name, version.version
        async with self._locks[name]:
            served = self._served.get(name)
            if served is not None and served.next is not None:
                raise Conflict(f"v{served.next} of {name} is just being loaded. Wait for its end.")
            copy = await self._copies.get(version)
            endpoint = served.endpoint if served is not None else new(name, number, alias)
            monitoring = await self._monitoring(endpoint, monitor, copy)
            if served is None:
                served = self._served[name] = Served(endpoint)
            plan = Plan(number, alias, copy, monitoring, environment or endpoint.environment)
            if served.follows(plan):
                served.endpoint = replace(endpoint, alias=alias)
                await self._put(served)
                return served.view(self._project)
            if endpoint.status is EndpointStatus.FAILED:
                served.endpoint = replace(new(name, number, alias), created_at=endpoint.created_at)
            served.next = number
            await self._put(served)
            unfinished.mark(self._project, True)
            served.bringing = asyncio.create_task(self._bring(served, plan))
            return served.view(self._project)

    async def _monitoring(
        self, endpoint: Endpoint, monitor: m.MonitorRequest | None, copy: ModelCopy
    ) -> Monitoring:
        """Return what is to be kept of an endpoint's requests. Raises `InvalidInput`."""
        if monitor is None:
            return endpoint.monitoring
        known = [each.name for each in copy.facts.columns]
        unknown = [each for each in monitor.columns if known and each not in known]
        if unknown:
            raise InvalidInput(
                f"columns: the model asks for no {unknown[0]} (it does for {', '.join(known)}).",
                field="columns",
            )
        if monitor.challenger is not None:
            await self._copies.get(await self._copies.find(endpoint.name, monitor.challenger, None))
        return Monitoring(tuple(monitor.columns), monitor.share, monitor.challenger)

    # -- a version takes its place -----------------------------------------------------------------

    async def _bring(self, served: Served, plan: Plan) -> None:
        """Start a version's process and let it take the place of the present one."""
        try:
            process = await self._launcher.start(served.endpoint.name, plan)
        except MlopsError as error:
            await self._refuse(served, plan, error)
            return
        finally:
            served.next = None
        before, old = served.process, served.endpoint
        changed = before is not None and old.version != plan.version
        served.process, served.facts = process, plan.copy.facts
        served.endpoint = replace(
            old,
            version=plan.version,
            alias=plan.alias,
            previous=old.version if changed else old.previous,
            status=EndpointStatus.READY,
            error=None,
            scorer=process.scorer,
            restarts=0,
            since=datetime.now(UTC),
            monitoring=plan.monitoring,
            environment=plan.environment,
        )
        self._link(served)
        await self._put(served)
        if served.watching is not None:
            served.watching.cancel()
        self._watch(served)
        if before is not None:
            task = asyncio.create_task(self._retire(served, before))
            served.draining.add(task)
            task.add_done_callback(served.draining.discard)

    async def _retire(self, served: Served, process: Process) -> None:
        """End a process that was replaced, once it has answered what it was asked."""
        await process.drain(_DRAINING)
        await process.stop(grace=30.0)
        served.count(process)
        await self._put(served, tell=False)

    async def _refuse(self, served: Served, plan: Plan, error: MlopsError) -> None:
        """Note that a version could not be loaded; what was served goes on."""
        message = (
            f"v{plan.version} could not be loaded: {error.message}"
            f"{python_hint(plan.copy.facts, plan.environment)} "
            f"See {shown_log(self._project, served.endpoint.name)}"
        )
        log.warning("%s %s", served.endpoint.name, message)
        first = served.endpoint.status is EndpointStatus.STARTING
        status = EndpointStatus.FAILED if first else served.endpoint.status
        served.endpoint = replace(served.endpoint, status=status, error=message)
        served.next = None
        await self._put(served)

    def _link(self, served: Served) -> None:
        """Lead all further requests to the present process."""
        if served.process is None:
            return
        address = endpoint_address(self._project, served.endpoint.name)
        aside = address.with_suffix(f".{new_id()}")
        aside.symlink_to(served.process.socket.name)
        aside.replace(address)

    # -- watching ----------------------------------------------------------------------------------

    def _watch(self, served: Served) -> None:
        served.watching = asyncio.create_task(self._keep_alive(served))

    async def _keep_alive(self, served: Served) -> None:
        """Start an endpoint's process again whenever it ends or does not answer."""
        pause = _FIRST_PAUSE
        while True:
            steady = await self._until_ended(served)
            pause = _FIRST_PAUSE if steady else pause
            while not await self._restart(served, pause):
                pause = min(2 * pause, _LONGEST_PAUSE)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _until_ended(self, served: Served) -> bool:
        """Return when the process has ended or fallen silent; whether it was steady before."""
        loop = asyncio.get_running_loop()
        began, looks, silences = loop.time(), 0, 0
        while served.process is not None and served.process.alive and silences < _SILENCES:
            await asyncio.sleep(_LOOK_EVERY)
            looks += 1
            if looks % _ASK_EVERY == 0:
                silences = 0 if await served.process.look() else silences + 1
        return loop.time() - began > _STEADY

    async def _restart(self, served: Served, pause: float) -> bool:
        """Start an endpoint's process again after a pause; whether it answers."""
        name, version = served.endpoint.name, served.endpoint.version
        before = served.process
        if before is not None:
            served.count(before)
            error = f"Its process {'does not answer' if before.alive else 'has ended'}."
            log.warning("Endpoint %s: %s It is started again.", name, error)
            await before.stop(grace=0)
            served.process = None
            served.endpoint = replace(
                served.endpoint, status=EndpointStatus.RESTARTING, error=error, scorer=None
            )
            await self._put(served)
        await asyncio.sleep(pause)
        try:
            found = await self._copies.find(name, version, None)
            copy = await self._copies.get(found)
            endpoint = served.endpoint
            plan = Plan(version, endpoint.alias, copy, endpoint.monitoring, endpoint.environment)
            process = await self._launcher.start(name, plan)
        except MlopsError as error:
            log.warning("Endpoint %s: %s", name, error.message)
            served.endpoint = replace(served.endpoint, error=error.message)
            await self._put(served)
            return False
        served.process = process
        served.endpoint = replace(
            served.endpoint,
            status=EndpointStatus.READY,
            error=None,
            scorer=process.scorer,
            restarts=served.endpoint.restarts + 1,
        )
        self._link(served)
        await self._put(served)
        return True

    # -- the worker's beginning and end ------------------------------------------------------------

    async def resume(self) -> None:
        """Go on with what an earlier worker has served: its processes may still answer."""
        for endpoint in await asyncio.to_thread(self._store.endpoints.all):
            served = self._served[endpoint.name] = Served(endpoint)
            if endpoint.status is EndpointStatus.FAILED:
                continue
            await self._adopt(served)
            if served.process is None:
                served.endpoint = replace(endpoint, status=EndpointStatus.RESTARTING, scorer=None)
            self._watch(served)
        known = [each.process for each in self._served.values() if each.process is not None]
        await asyncio.to_thread(scorers.end_others, self._project.root, known)

    async def _adopt(self, served: Served) -> None:
        """Take over a process; what does not answer is ended, and started again by the watch."""
        scorer = served.endpoint.scorer
        if scorer is None:
            return
        process = Process(scorer)
        state = await process.look() if process.alive else None
        if state is not None and state.build == __version__:
            served.process = process
            self._link(served)
        else:
            await process.stop(grace=5.0)

    async def close(self, *, keep: bool) -> None:
        """Watch no more; ``keep`` the processes for the next worker, or end them."""
        for served in self._served.values():
            await served.cancel()
            if served.process is None:
                continue
            if keep:
                continue
            await served.look()
            served.count(served.process)
            endpoint_address(self._project, served.endpoint.name).unlink(missing_ok=True)
            await served.process.stop()
            served.endpoint = replace(served.endpoint, scorer=None)
            await self._put(served, tell=False)

    # -- what is known -----------------------------------------------------------------------------

    def _get(self, name: str) -> Served:
        if name not in self._served:
            raise NotFound(f"{name} is not served. Serve it with: jupyter mlops models serve NAME")
        return self._served[name]

    async def _put(self, served: Served, *, tell: bool = True) -> None:
        if served is self._served.get(served.endpoint.name):
            await self._stored(partial(self._store.endpoints.put, served.endpoint, tell=tell))

    async def _stored(self, write: partial[None]) -> None:
        """Write what the next worker needs; this one goes on without it."""
        try:
            await asyncio.to_thread(write)
        except StoreUnavailable as error:
            log.warning("Endpoints could not be recorded: %s", error.message)
