"""What the worker and the process that hosts DVC say to each other.

The worker asks one thing at a time. Each question gets one answer, before which there may be
notices. MessagePack, each message with its length.
"""

from __future__ import annotations

import struct
from typing import Any, TypeVar

import msgspec

from ..core.pipelines import Cause, StageState

_LENGTH = struct.Struct(">I")
HEADER_SIZE = _LENGTH.size

# -- what is told of a stage -----------------------------------------------------------------------


class Stage(msgspec.Struct):
    """A node of DVC's graph. Paths are relative to the repository's root."""

    #: Its address in DVC.
    name: str
    #: What it is called in dvc.yaml if a foreach or matrix makes several of it.
    group: str | None
    #: ``stage``, ``import`` or ``data``.
    kind: str
    #: The file that declares it.
    file: str
    description: str | None
    #: One line for each command; empty if it has none.
    commands: list[str]
    #: Folder in which the commands are executed.
    folder: str
    #: Names of the stages that it depends on.
    upstream: list[str]
    #: What ``meta.mlops`` says in dvc.yaml.
    settings: dict[str, Any]
    frozen: bool
    always_changed: bool
    #: Paths of the outputs as they are declared, relative to the folder.
    outputs: list[str]
    dependencies: list[str]
    state: StageState
    causes: list[Cause]


class File(msgspec.Struct):
    """A dependency or an output of a stage."""

    path: str
    kind: str
    size: int | None
    hash: str | None
    files: int | None
    change: str | None
    cached: bool
    metric: bool
    plot: bool
    values: dict[str, Any]
    exists: bool


class Metric(msgspec.Struct):
    """A value of a metrics file now, and in the last commit; None if it is in neither."""

    path: str
    name: str
    value: Any
    before: Any


# -- questions, each with the type of its answer ---------------------------------------------------


class Look(msgspec.Struct, tag=True):
    """Which stages are there, and where do they stand? Answered by `Stages`."""


class Plan(msgspec.Struct, tag=True):
    """What would ``dvc repro`` look at, in which order? Answered by `Stages`.

    What is planned last, unless it is ``dry``, is what the following questions are about.
    """

    #: Folder from which targets are seen, relative to the repository's root.
    folder: str = ""
    targets: list[str] = msgspec.field(default_factory=list)
    force: bool = False
    single_item: bool = False
    downstream: bool = False
    all_pipelines: bool = False
    pull: bool = False
    no_commit: bool = False
    #: Stages that are not forced though others are: they ran already for this request.
    done: list[str] = msgspec.field(default_factory=list)
    dry: bool = False


class Begin(msgspec.Struct, tag=True):
    """Prepare a stage: its outputs are removed, or restored from the run cache. See `Began`."""

    name: str


class Again(msgspec.Struct, tag=True):
    """Prepare a stage once more, whose command failed. Answered by `Done`."""

    name: str


class Finish(msgspec.Struct, tag=True):
    """Save a stage whose commands were executed. Answered by `Done`."""

    name: str


class Abandon(msgspec.Struct, tag=True):
    """Let go of a stage whose commands failed. Answered by `Done`."""

    name: str


class Close(msgspec.Struct, tag=True):
    """Write what is not in dvc.lock yet: the plan has come to its end. Answered by `Done`."""


class Inspect(msgspec.Struct, tag=True):
    """What is there to know of a stage? Answered by `Details`."""

    name: str


Question = Look | Plan | Begin | Again | Finish | Abandon | Close | Inspect

# -- answers ---------------------------------------------------------------------------------------


class Stages(msgspec.Struct, tag=True):
    """Stages in DVC's order: each after those that it depends on."""

    stages: list[Stage]


class Began(msgspec.Struct, tag=True):
    """What is to be done with a stage."""

    #: ``execute`` its commands; or it is ``fresh``, ``restored`` from the run cache, or ``done``
    #: by DVC alone, such as an import.
    action: str
    causes: list[Cause]


class Done(msgspec.Struct, tag=True):
    """It is done."""


class Details(msgspec.Struct, tag=True):
    """All that DVC knows of a stage."""

    stage: Stage
    dependencies: list[File]
    outputs: list[File]
    metrics: list[Metric]
    downstream: list[str]


class Refused(msgspec.Struct, tag=True):
    """It cannot be done, and this is why, in one line."""

    message: str
    #: Whether the user's files are at fault, so that asking again is of no use.
    input: bool = True


class Notice(msgspec.Struct, tag=True):
    """What the answer waits for, in one line; empty when it waits no more."""

    text: str


Answer = Stages | Began | Done | Details | Refused | Notice

A = TypeVar("A")


def _plain(value: Any) -> Any:
    # Numbers and dates of YAML, and whatever else a parameter may be.
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_questions = msgspec.msgpack.Decoder(Question)
_answers = msgspec.msgpack.Decoder(Answer)


def pack(message: Question | Answer) -> bytes:
    """Encode a message with its header."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def body_size(header: bytes) -> int:
    """Return the number of bytes that follow a header."""
    return int(_LENGTH.unpack(header)[0])


def read_question(body: bytes) -> Question:
    """Decode what the worker asks."""
    question: Question = _questions.decode(body)
    return question


def read_answer(body: bytes) -> Answer:
    """Decode what the host says."""
    answer: Answer = _answers.decode(body)
    return answer
