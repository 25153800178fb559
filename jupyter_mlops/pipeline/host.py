"""The process that hosts DVC for one repository: answers what the worker asks, one at a time.

``python -m jupyter_mlops.pipeline.host ROOT --channel N`` serves on an inherited socket until the
worker closes it.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from dvc.exceptions import DvcException

from ..core.exceptions import MlopsError
from . import wire
from .problems import describe
from .repository import Repository

#: What other DVC processes are told about who holds a lock.
_NAME = ["jupyter", "mlops", "pipeline", "run"]


def serve(root: Path, channel: socket.socket) -> None:
    """Answer questions until the other side closes the channel."""

    def notify(text: str) -> None:
        channel.sendall(wire.pack(wire.Notice(text)))

    repository: Repository | None = None
    while (question := _receive(channel)) is not None:
        try:
            if repository is None:
                repository = Repository(root, notify)
            answer = _answer(repository, question)
        except KeyError as error:
            answer = wire.Refused(f"There is no stage {error.args[0]}.")
        except MlopsError as error:
            answer = wire.Refused(error.message)
        except (DvcException, OSError, RecursionError) as error:
            logging.getLogger(__name__).info("Refused.", exc_info=True)
            users = isinstance(error, DvcException | FileNotFoundError)
            answer = wire.Refused(describe(error, root), users)
        channel.sendall(wire.pack(answer))


def _answer(repository: Repository, question: wire.Question) -> wire.Answer:
    match question:
        case wire.Look():
            return repository.look()
        case wire.Plan():
            return repository.plan(question)
        case wire.Inspect(name=name):
            return repository.inspect(name)
        case wire.Begin(name=name):
            return repository.begin(name)
        case wire.Again(name=name):
            repository.again(name)
        case wire.Finish(name=name):
            repository.finish(name)
        case wire.Abandon(name=name):
            repository.abandon(name)
        case wire.Close():
            repository.close()
    return wire.Done()


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
    parser = argparse.ArgumentParser(prog="jupyter_mlops.pipeline.host")
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


if __name__ == "__main__":
    sys.exit(main())
