"""Calling ``jupyter mlops`` in the same process, as a script would: nobody answers questions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from jupyter_mlops.cli import main


class Outcome(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """What --json printed; anything else on standard output is an error."""
        return json.loads(self.out, parse_constant=pytest.fail)


Command = Callable[..., Outcome]


def caller(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command as a function of its arguments."""

    def call(*arguments: str) -> Outcome:
        code = main(arguments)
        return Outcome(code, *capsys.readouterr())

    return call
