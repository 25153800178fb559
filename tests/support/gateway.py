"""A real dask-gateway that starts clusters as processes of this machine."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from tests.support.ports import free_ports
from tests.support.workers import until

#: What it is told; the programs that Dask once had are its subcommands now.
_SETTINGS = """
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.DaskGateway.address = "127.0.0.1:{api}"
c.Proxy.address = "127.0.0.1:{public}"
c.UnsafeLocalBackend.clusters_directory = {clusters!r}
c.ClusterConfig.scheduler_cmd = [{python!r}, "-m", "distributed.cli.dask_scheduler"]
c.ClusterConfig.worker_cmd = [{python!r}, "-m", "distributed.cli.dask_worker"]
c.ClusterConfig.worker_cores = 1
c.ClusterConfig.worker_memory = "1 G"
"""
#: Seconds that it may take to answer.
_PATIENCE = 60


class Gateway:
    """A gateway that runs, at the ``address`` that clients use."""

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self._process = process

    def schedulers(self) -> list[psutil.Process]:
        """Return the schedulers of its clusters."""
        started = psutil.Process(self._process.pid).children()
        return [each for each in started if "distributed.cli.dask_scheduler" in each.cmdline()]

    def wait(self) -> None:
        """Return when it answers."""
        until(self._answers, seconds=_PATIENCE)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "it has ended; its log is gateway.log"
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/api/health").is_success
        return False


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """Start one."""
    folder.mkdir()
    (clusters := folder / "clusters").mkdir()
    api, public = free_ports(2)
    settings = folder / "settings.py"
    python = sys.executable
    settings.write_text(
        _SETTINGS.format(api=api, public=public, clusters=str(clusters), python=python), "utf-8"
    )
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [Path(python).with_name("dask-gateway-server"), "-f", settings],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            made = Gateway(f"http://127.0.0.1:{public}", process)
            made.wait()
            yield made
        finally:
            process.terminate()
            process.wait(30)
