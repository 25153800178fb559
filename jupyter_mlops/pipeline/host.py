"""The process that hosts DVC for one repository: answers what the worker asks, one at a time.

It serves on an inherited socket until the worker closes it.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from dvc.exceptions import DvcException

from ..core.exceptions import MlopsError
from . import wire
from .problems import describe
from .repository import Repository

log = logging.getLogger(__name__)

#: What other DVC processes are told about who holds a lock.
_NAME = ["jupyter", "mlops", "pipeline", "run"]


class _Host:
    """Answers questions about one repository."""

    def __init__(self, root: Path, notify: Callable[[str], None]) -> None:
        self._root = root
        self._notify = notify
        #: What the last plan is about, until it is closed.
        self._planned: Repository | None = None

    def answer(self, question: wire.Question) -> wire.Answer:
        """Answer a question; what is refused is answered too."""
        try:
            return self._answer(question)
        except MlopsError as error:
            return wire.Refused(error.message)
        except (DvcException, OSError, RecursionError) as error:
            log.info("Refused.", exc_info=True)
            users = isinstance(error, DvcException | FileNotFoundError)
            return wire.Refused(describe(error, self._root), users)
        except Exception as error:  # DVC raises what it has not foreseen as it comes
            log.exception("Failed.")
            problem = f"{type(error).__name__}: {describe(error, self._root).rstrip('.')}"
            return wire.Refused(f"DVC failed. {problem}. Its log is .mlops/logs/dvc.log.")

    def _answer(self, question: wire.Question) -> wire.Answer:
        match question:
            case wire.Look():
                return self._open().look()
            case wire.Inspect(name=name):
                return self._open().inspect(name)
            case wire.Plan(dry=dry):
                repository = self._open()
                answer = repository.plan(question)
                if not dry:
                    self._planned = repository
                return answer
        if self._planned is None:
            if isinstance(question, wire.Close):
                return wire.Done()
            raise MlopsError("The process that runs DVC was started anew. Run the pipeline again.")
        return self._work(self._planned, question)

    def _work(self, planned: Repository, question: wire.Question) -> wire.Answer:
        match question:
            case wire.Begin(name=name):
                return planned.begin(name)
            case wire.Again(name=name):
                planned.again(name)
            case wire.Finish(name=name):
                planned.finish(name)
            case wire.Abandon(name=name):
                planned.abandon(name)
            case wire.Close():
                self._planned = None
                planned.close()
        return wire.Done()

    def _open(self) -> Repository:
        repository = Repository(self._root, self._notify)
        if self._planned is None:
            repository.recover()
        return repository


def serve(root: Path, channel: socket.socket) -> None:
    """Answer questions until the other side closes the channel."""
    host = _Host(root, lambda text: channel.sendall(wire.pack(wire.Notice(text))))
    while (question := _receive(channel)) is not None:
        channel.sendall(wire.pack(host.answer(question)))


def _receive(channel: socket.socket) -> wire.Question | None:
    header = _exactly(channel, wire.HEADER_SIZE)
    body = _exactly(channel, wire.body_size(header)) if header else b""
    return wire.read_question(body) if body else None


def _exactly(channel: socket.socket, size: int) -> bytes:
    """Return so many bytes; none if the other side has closed."""
    parts = bytearray()
    while len(parts) < size:
        part = channel.recv(size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def main() -> int:
    """Serve a repository; returns the exit code."""
    parser = argparse.ArgumentParser(prog="jupyter_mlops.pipeline")
    parser.add_argument("root", type=Path)
    parser.add_argument("--channel", type=int, required=True)
    options = parser.parse_args()
    sys.argv = list(_NAME)
    # The worker ends us; an interrupt of the terminal is for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As at an interrupt, locks that are files are removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    os.chdir(options.root)
    with socket.socket(fileno=options.channel) as channel:
        try:
            serve(options.root, channel)
        except (ConnectionError, KeyboardInterrupt):
            return 1
    return 0
