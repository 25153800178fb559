"""How a kernel's own MLflow reaches the tracking store."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import sys
from collections.abc import Sequence

from ..core.exceptions import TrackingUnavailable
from ..core.runs import Attempt
from ..store import Store
from ..tracking.front import Front, installed, needs_front

log = logging.getLogger(__name__)


class KernelTracking:
    """Puts a server before the database for kernels whose MLflow cannot open it."""

    def __init__(self, store: Store, front: Front) -> None:
        self._store = store
        self._front = front

    async def of_kernel(
        self, attempt: Attempt, argv: Sequence[str], environment: dict[str, str]
    ) -> dict[str, str]:
        """Return the environment for a kernel that is started by ``argv``."""
        python = argv[0] if argv else ""
        if re.fullmatch(r"python(3(\.\d+)?)?", python):
            python = sys.executable  # as jupyter_client does it
        return await self.of_python(attempt, shutil.which(python) or python, environment)

    async def of_python(
        self, attempt: Attempt, python: str, environment: dict[str, str]
    ) -> dict[str, str]:
        """Return the environment for code that this Python executes."""
        uri = environment.get("MLFLOW_TRACKING_URI", "")
        found = await asyncio.to_thread(installed, python)
        if found is None or not needs_front(uri, found):
            return environment
        try:
            return await self._front.variables(environment)
        except TrackingUnavailable as error:
            log.warning("%s", error.message)
            line = f"{error.message} Its MLflow {found.version} cannot open the database itself."
            await asyncio.to_thread(self._store.notes.add, attempt.id, [line])
            return environment

    async def close(self) -> None:
        """End the server, if there is one."""
        await self._front.close()
