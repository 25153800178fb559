"""The command line of ``jupyter nbconvert --execute``, read as nbconvert reads it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jupyter_core.paths import jupyter_config_path

from ..core.stages import ErrorRule, NotebookCommand, Program
from .arguments import Flag, Given, NotPlain, parse

T = TypeVar("T")

_EXECUTE = "ExecutePreprocessor"
#: Options that tell how the executed notebook is shown: they go to the conversion as they are.
_SHOWN = ("template", "theme", "no-input", "no-prompt", "sanitize-html")
_EXCLUDED = tuple(
    f"TemplateExporter.exclude_{part}"
    for part in ("input", "output", "input_prompt", "output_prompt", "markdown", "raw")
)

_FLAGS = (
    *(
        Flag(name=name, forms=(f"--{name}",))
        for name in (
            *("to", "output", "output-dir", "log-level", "template", "theme"),
            *(f"{_EXECUTE}.{each}" for each in ("timeout", "startup_timeout", "kernel_name")),
            *(f"{_EXECUTE}.{each}" for each in ("allow_errors", "enabled")),
            *_EXCLUDED,
        )
    ),
    *(
        Flag(name=name, forms=(f"--{name}",), takes=0)
        for name in ("execute", "inplace", "allow-errors", "no-input", "no-prompt", "sanitize-html")
    ),
)

#: Formats of which all files lie where the conversion is told to write.
_FORMATS = ("html", "markdown", "script", "python", "slides", "rst", "asciidoc")

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LOG_LEVELS = re.compile(r"\d+|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL")


def read_command(words: list[str], folder: Path) -> NotebookCommand:
    """Read what follows the program's name. Raises `NotPlain`."""
    arguments, given = parse(words, _FLAGS)
    last = {name: value[0] if value else "" for name, value in given}
    if len(arguments) != 1 or len(last) < len(given):  # said twice: which one counts?
        raise NotPlain
    if not _LOG_LEVELS.fullmatch(last.get("log-level", "INFO")):
        raise NotPlain
    if not ("execute" in last or _value(last, "enabled", _boolean, False)):
        raise NotPlain
    if not _value(last, "enabled", _boolean, True):
        raise NotPlain
    if _is_configured(folder):
        raise NotPlain
    notebook = input_notebook(arguments[0], folder)
    output: Path | None = None
    then: tuple[str, ...] = ()
    format_ = last.get("to", "notebook" if "inplace" in last else "")
    if format_ == "notebook":
        output = _target(last, notebook, folder)
    elif format_ in _FORMATS and "inplace" not in last:
        then = _conversion(format_, last, given, notebook, folder)
    else:
        raise NotPlain
    return NotebookCommand(
        program=Program.NBCONVERT,
        notebook=notebook,
        source=arguments[0],
        folder=notebook.parent,
        output=output,
        target="" if output is None else str(output),
        makes_folder="output-dir" in last,
        options=_options(last),
        errors=_errors(last),
        start_timeout=_value(last, "startup_timeout", _positive, None),
        then=then,
    )


def _is_configured(folder: Path) -> bool:
    """Whether a file tells nbconvert more than its command line does."""
    return any(
        Path(place, f"{name}.{kind}").exists()
        for place in (str(folder), *map(str, jupyter_config_path()))
        for name in ("jupyter_config", "jupyter_nbconvert_config")
        for kind in ("py", "json")
    )


def input_notebook(text: str, folder: Path) -> Path:
    """Return the path of a notebook that a command names. Raises `NotPlain` if it is none."""
    # Programs read braces, stars and the like in it themselves.
    if not text.endswith(".ipynb") or "://" in text or re.search(r"[{}*?\[\]\0]", text):
        raise NotPlain
    return folder / text


def _target(last: dict[str, str], notebook: Path, folder: Path) -> Path:
    """Return where nbconvert writes a notebook."""
    name = _output_name(last)
    if "inplace" in last and "output-dir" in last:
        raise NotPlain
    place = folder / last["output-dir"] if last.get("output-dir") else notebook.parent
    if name:
        return place / f"{name.removesuffix('.ipynb')}.ipynb"
    plain = "inplace" in last or last.get("output-dir")
    return place / (notebook.name if plain else f"{notebook.stem}.nbconvert.ipynb")


def _output_name(last: dict[str, str]) -> str:
    name = last.get("output", "")
    if "{" in name or "}" in name or ("output" in last and not name):
        raise NotPlain
    if "output-dir" in last and not last["output-dir"]:
        raise NotPlain
    return name


def _conversion(
    format_: str, last: dict[str, str], given: list[Given], notebook: Path, folder: Path
) -> tuple[str, ...]:
    """Return what makes of the executed notebook what nbconvert would have made."""
    name = _output_name(last)
    place = folder / last["output-dir"] if "output-dir" in last else notebook.parent
    shown = [
        f"--{option}={value[0]}" if value else f"--{option}"
        for option, value in given
        if option in (*_SHOWN, *_EXCLUDED)
    ]
    return (
        *(sys.executable, "-m", "nbconvert", "--to", format_, "--output-dir", str(place)),
        *((f"--output={name}",) if name else ()),
        *shown,
    )


def _options(last: dict[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    timeout = _value(last, "timeout", _seconds, None)
    if timeout is not None:
        options["cell_timeout"] = timeout
    if kernel := last.get(f"{_EXECUTE}.kernel_name"):
        options["kernel"] = kernel
    return options


def _errors(last: dict[str, str]) -> ErrorRule:
    allowed = _value(last, "allow_errors", _boolean, None)
    if allowed is not None and "allow-errors" in last:
        raise NotPlain
    return ErrorRule.NONE if allowed or "allow-errors" in last else ErrorRule.UNTAGGED


def _value(last: dict[str, str], name: str, read: Callable[[str], T], default: T) -> T:
    text = last.get(f"{_EXECUTE}.{name}")
    return default if text is None else read(text)


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise NotPlain
    return _BOOLEANS[text.lower()]


def _seconds(text: str) -> float | None:
    """Read a limit of nbclient, where less than nothing means that there is none."""
    if text == "None":
        return None
    seconds = _int(text)
    if seconds == 0:
        raise NotPlain
    return float(seconds) if seconds > 0 else None


def _positive(text: str) -> float | None:
    seconds = _int(text)
    if seconds <= 0:
        raise NotPlain
    return float(seconds)


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotPlain from None
