"""What the worker and the process of a tracker say to each other: MessagePack with lengths."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import msgspec

from ..core.mirrors import MirroredRun

LENGTH = struct.Struct(">I")


class Sent(msgspec.Struct):
    """What became of a run: nothing, or a problem in one line."""

    problem: str | None = None


def _to_text(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent.")


def _from_text(kind: type, value: Any) -> Any:
    return kind(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_to_text)
_runs = msgspec.msgpack.Decoder(MirroredRun, dec_hook=_from_text)
_answers = msgspec.msgpack.Decoder(Sent)


def pack(message: MirroredRun | Sent) -> bytes:
    """Encode a message with its length."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def read_run(body: bytes) -> MirroredRun:
    """Decode what the worker said."""
    return _runs.decode(body)


def read_answer(body: bytes) -> Sent:
    """Decode what the tracker's process said."""
    return _answers.decode(body)
