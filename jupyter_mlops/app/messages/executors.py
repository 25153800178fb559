"""Where attempts may run."""

from __future__ import annotations

from .base import View


class ExecutorNode(View):
    """A machine, or a part of one, on which an executor has attempts run."""

    name: str
    #: What it has, and what of that nobody holds; memory in bytes, GPUs by their number.
    cores: int
    cores_free: int
    memory: int
    memory_free: int
    gpus: int
    gpus_free: int
    #: Number of attempts that it executes.
    running: int


class ExecutorView(View):
    """An executor, and how it stands, by what is known without asking anybody."""

    name: str
    #: What it runs on, as people call it; None if it cannot be opened.
    runs_on: str | None
    #: Whether runs go there unless something else is said.
    default: bool
    #: Whether that is not this machine.
    remote: bool
    #: Whether it was reached, so that its nodes are known; that is tried when a run is sent there.
    connected: bool
    #: What keeps it from executing, in one line; None while nothing does.
    problem: str | None
    nodes: list[ExecutorNode]
    #: What is there and cannot be used, with the reason, in one line each.
    unused: list[str]
    #: Its own view of itself: an http or https URL, or a path of this server; None if none.
    dashboard: str | None
