"""What the worker and a runner process say to each other: MessagePack, each with its length."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from ..core.executors import Outcome, Progress, Task
from .warm import Source

T = TypeVar("T")
_LENGTH = struct.Struct(">I")
HEADER_SIZE = _LENGTH.size


class Execute(msgspec.Struct, tag=True):
    """Worker to runner: execute this."""

    task: Task
    source: Source


class Cancel(msgspec.Struct, tag=True):
    """Worker to runner: stop that attempt, unless it has ended already."""

    attempt_id: str


class Kill(msgspec.Struct, tag=True):
    """Worker to runner: end that attempt at once, since it takes too much memory."""

    attempt_id: str
    line: str


class Reported(msgspec.Struct, tag=True):
    """Runner to worker: something happened."""

    #: Which of the records of `Progress`.
    kind: str
    content: msgspec.Raw


class Done(msgspec.Struct, tag=True):
    """Runner to worker: the attempt has ended, and the next may come."""

    outcome: Outcome


Command = Execute | Cancel | Kill
Reply = Reported | Done


def _encode_hook(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent.")


def _decode_hook(kind: type, value: Any) -> Any:
    return kind(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_hook)
_commands = msgspec.msgpack.Decoder(Command, dec_hook=_decode_hook)
_replies = msgspec.msgpack.Decoder(Reply, dec_hook=_decode_hook)
_progress = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in get_args(Progress)}


def encode(value: Any) -> bytes:
    """Encode a record, its paths as text."""
    return _encoder.encode(value)


def decode(data: bytes, kind: type[T]) -> T:
    """Decode a record."""
    return msgspec.msgpack.decode(data, type=kind, dec_hook=_decode_hook)


def pack(message: Command | Reply) -> bytes:
    """Encode a message with its header."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def body_size(header: bytes) -> int:
    """Return the number of bytes that follow a header."""
    return int(_LENGTH.unpack(header)[0])


def read_command(body: bytes) -> Command:
    """Decode what the worker said."""
    command: Command = _commands.decode(body)
    return command


def read_reply(body: bytes) -> Reply:
    """Decode what a runner said."""
    reply: Reply = _replies.decode(body)
    return reply


def report(progress: Progress) -> Reported:
    """Return the message that tells of progress."""
    return Reported(type(progress).__name__, msgspec.Raw(_encoder.encode(progress)))


def read_report(message: Reported) -> Progress:
    """Return the progress that a message tells of."""
    progress: Progress = _progress[message.kind].decode(message.content)
    return progress
