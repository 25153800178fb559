"""``%mlops`` in a kernel that has IPython and this package, but none of its dependencies.

The Python of the project's worker carries out the commands. Logging and sessions belong to this
process and need the standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from .core.exceptions import Conflict, InvalidInput, MlopsError, WorkerUnavailable
from .metrics import flush, log_values
from .sessions import VARIABLE, current_session

_ERROR = "Error: "

#: What the environment held before a session's variables came into it.
_before: dict[str, str | None] = {}


def call(arguments: Sequence[str], body: str | None = None) -> None:
    """Carry out a command; what it prints appears as it is printed. Raises `MlopsError`.

    It reads ``body``, a cell's, from its standard input.
    """
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if command == "log" and "--help" not in rest:
        _log(rest)
    elif command == "track" and "--stop" in rest:
        _stop()
    elif command == "track" and "--" not in rest and "--help" not in rest:
        _track(rest)
    else:
        _stream(list(arguments), body)


def recorded_python(folder: Path) -> str:
    """Return the Python of the worker of a folder's project. Raises `WorkerUnavailable`."""
    for each in (folder, *folder.parents):
        record = each / _state_dir(each) / "worker.json"
        try:
            python = json.loads(record.read_text("utf-8"))["python"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(python, str) and os.access(python, os.X_OK):
            return python
    raise WorkerUnavailable(
        "This kernel lacks what jupyter-mlops needs, and the project has had no worker that could "
        "help. Start one in a terminal: jupyter mlops worker"
    )


def _state_dir(project: Path) -> str:
    for name, keys in (("mlops.toml", ()), ("pyproject.toml", ("tool", "jupyter-mlops"))):
        try:
            table = tomllib.loads((project / name).read_text("utf-8"))
            for key in keys:
                table = table[key]
            return str(table["state_dir"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ".mlops"


def _command(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the program to run and its environment."""
    python = recorded_python(Path.cwd())
    own = ("PYTHONHOME", "PYTHONPATH")
    environment = {name: text for name, text in os.environ.items() if name not in own}
    return [python, "-P", "-m", "jupyter_mlops", *arguments], environment


def _stream(arguments: Sequence[str], body: str | None) -> None:
    command, environment = _command(arguments)
    error = ""
    with subprocess.Popen(  # noqa: S603  # the project's own Python, an argv list
        command,
        stdin=subprocess.DEVNULL if body is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=environment,
    ) as process:
        if process.stdin is not None:
            with process.stdin:
                process.stdin.write(body or "")
        for line in process.stdout or ():
            if line.startswith(_ERROR):
                error = line.removeprefix(_ERROR).strip()
            else:
                sys.stdout.write(line)
    if error:
        raise MlopsError(error)
    if process.returncode:
        raise MlopsError("The command failed: see above.")


def _log(arguments: Sequence[str]) -> None:
    step: int | None = None
    values: dict[str, float] = {}
    words = iter(arguments)
    for word in words:
        name, equals, text = word.partition("=")
        try:
            if word == "--step":
                step = int(next(words, ""))
            elif name == "--step":
                step = int(text)
            elif equals and name:
                values[name] = float(text)
            else:
                raise InvalidInput(f"{word!r} is not of the form NAME=VALUE.")
        except ValueError:
            raise InvalidInput(f"{word}: it is not a number.") from None
    log_values(values, step=step)


def _track(arguments: Sequence[str]) -> None:
    if current_session() is not None:
        raise Conflict("A session is open already. Close it first: %mlops track --stop")
    command, environment = _command(["track", "--pid", str(os.getpid()), "--json", *arguments])
    done = subprocess.run(  # noqa: S603  # the project's own Python, an argv list
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    if done.returncode:
        raise MlopsError(done.stderr.strip().removeprefix(_ERROR) or "No session was opened.")
    record = json.loads(done.stdout)
    variables: dict[str, str] = record["environment"]
    _before.update({name: os.environ.get(name) for name in variables})
    os.environ.update(variables)
    sys.stdout.write(f"Session {record['run_id']} · experiment {record['experiment']} · open\n")


def _stop() -> None:
    session = current_session()
    if session is None or VARIABLE not in _before:
        raise Conflict("No session is open here. Open one with: %mlops track")
    flush()
    heard = session.finish()
    for name, text in _before.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text
    _before.clear()
    ending = "closed" if heard else "closed when the worker is back"
    sys.stdout.write(f"Session {session.run_id} · {ending}\n")
