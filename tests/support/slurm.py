"""A real Slurm of one node: munged, slurmctld and slurmd, for as long as a test needs them."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_ports
from tests.support.workers import until

#: What the Debian packages slurm-wlm and munge bring.
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo", "squeue")
#: A user's own path may leave out where the daemons lie.
PATH = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"
#: The node has more of everything than the machine, so that any machine can hold a few jobs.
SETTINGS = """\
ClusterName=tests
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
MailProg=/bin/true
KillWait=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=65536
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Say why there can be no Slurm; None if there can."""
    if sys.platform != "linux":
        return "Slurm runs on Linux only."
    if os.geteuid() != 0:
        return "Slurm's daemons start the jobs of any user, so only root can run them."
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if absent:
        install = "apt-get install --no-install-recommends slurm-wlm munge"
        return f"Slurm is not installed, {', '.join(absent)} is missing ({install})."
    return None


class Slurm:
    """A controller and its only node. Whoever finds SLURM_CONF in the environment talks to it."""

    def __init__(self, folder: Path, cpus: int) -> None:
        self.folder = folder
        self.node = socket.gethostname().partition(".")[0]
        self.config = folder / "slurm.conf"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        controller_port, node_port = free_ports(2)
        self.config.write_text(
            SETTINGS.format(
                folder=folder,
                node=self.node,
                cpus=cpus,
                controller_port=controller_port,
                node_port=node_port,
            ),
            "utf-8",
        )
        for name in ("state", "spool", "logs"):
            (folder / name).mkdir()

    def start(self) -> None:
        """Start everything, and wait until the node takes jobs."""
        key = self.folder / "munge.key"
        key.touch(mode=0o400)
        key.write_bytes(secrets.token_bytes(128))
        self._start(
            *("munged", "--foreground", f"--key-file={key}"),
            f"--socket={self.folder / 'munge.socket'}",
            f"--pid-file={self.folder / 'munged.pid'}",
            f"--seed-file={self.folder / 'munged.seed'}",
        )
        until(lambda: self._alive() and (self.folder / "munge.socket").exists(), seconds=30)
        self._start("slurmctld", "-D")
        self._start("slurmd", "-D")
        until(lambda: self._alive() and self.state() == "idle", seconds=60)

    def state(self) -> str:
        """What the controller says of the node, such as idle or mixed."""
        # The controller does not answer before it is ready.
        return self._ask("sinfo", "--noheader", "--format=%T", check=False)

    def jobs(self) -> list[str]:
        """The ids of all jobs that wait, run or are being ended."""
        return self._ask("squeue", "--noheader", "--format=%A").split()

    def cancel(self, job: str) -> None:
        """Cancel a job, as a user or a site does."""
        subprocess.run(["scancel", job], check=True, timeout=30)

    def processes(self) -> list[psutil.Process]:
        """Everything that was started with this configuration, daemons and jobs alike."""
        found: set[psutil.Process] = set()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self._owns(process):
                    found |= {process, *process.children(recursive=True)}
        return [each for each in found if each.pid != os.getpid()]

    def logs(self) -> str:
        """What daemons and jobs have printed."""
        return "".join(
            f"-- {path.name}\n{path.read_text('utf-8', 'replace')}"
            for path in sorted((self.folder / "logs").iterdir())
        )

    def close(self) -> None:
        """End daemons and jobs at once: nobody will ask for what they might still write."""
        while left := self.processes():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=10)
        for daemon in self._daemons.values():
            daemon.wait(10)

    def _start(self, program: str, *arguments: str) -> None:
        found = shutil.which(program, path=PATH)
        assert found is not None
        with (self.folder / "logs" / f"{program}.log").open("ab") as log:
            self._daemons[program] = subprocess.Popen(
                [found, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )

    def _owns(self, process: psutil.Process) -> bool:
        if process.name() == "slurmstepd":
            # It overwrites its environment by its title; its socket lies with those of the node.
            listening = (str(each.laddr) for each in process.net_connections("unix"))
            return any(each.startswith(f"{self.folder}/") for each in listening)
        return process.environ().get("SLURM_CONF") == str(self.config)

    def _alive(self) -> bool:
        ended = [name for name, each in self._daemons.items() if each.poll() is not None]
        assert not ended, ended
        return True

    def _ask(self, *command: str, check: bool = True) -> str:
        answer = subprocess.run(command, check=check, stdout=subprocess.PIPE, text=True, timeout=30)
        return answer.stdout.strip()


@contextmanager
def slurm(cpus: int = 4) -> Iterator[Slurm]:
    """Run a Slurm that this process and all that it starts find in their environment."""
    # munged's socket needs a short path, in a folder that everyone may enter.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    made = Slurm(folder, cpus)
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith(("SLURM_", "SBATCH_"))]:
            patch.delenv(name)
        patch.setenv("SLURM_CONF", str(made.config))
        patch.setenv("SBATCH_OUTPUT", str(folder / "logs" / "job-%j.log"))
        try:
            made.start()
            yield made
        finally:
            made.close()
            # pytest shows it where a test has failed.
            sys.stderr.write(made.logs())
            shutil.rmtree(folder)
