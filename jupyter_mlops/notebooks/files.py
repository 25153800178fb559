"""Reads a notebook's file. The standard library does it: importing nbformat takes too long."""

from __future__ import annotations

import codecs
import json
import os
import stat
from pathlib import Path
from typing import Any

from ..core.exceptions import NotebookUnreadable

#: Bytes that a notebook may have.
MAX_BYTES = 200 * 1024 * 1024


def read_notebook(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the notebook's JSON, of nbformat 4.

    A byte order mark is tolerated. Raise NotebookUnreadable, in one line that says what to do, for
    what is no regular file of at most ``max_bytes`` bytes or no such notebook.
    """
    return parse_notebook(read_bytes(Path(path), max_bytes), name=_shown(path))


def _shown(path: str | os.PathLike[str]) -> str:
    """Return the file's name on one line, whatever characters it has."""
    name = Path(path).name or str(path)
    return "".join(c if c.isprintable() else "?" for c in name)


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a notebook file; see read_notebook for what is refused."""
    name = _shown(path)
    try:
        # A FIFO without a writer would block without O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotebookUnreadable(f"{name}: there is no such notebook. Check the path.") from None
    except PermissionError:
        raise NotebookUnreadable(f"{name}: no permission to read it. Check its mode.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise NotebookUnreadable(f"{name}: it cannot be opened: {reason}.") from None
    try:
        _check_file(os.fstat(descriptor), name, max_bytes)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise NotebookUnreadable(f"{name}: it cannot be read: {error.strerror}.") from None
    finally:
        os.close(descriptor)


def _check_file(status: os.stat_result, name: str, max_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise NotebookUnreadable(f"{name}: it is a folder. Name a notebook in it.")
    if not stat.S_ISREG(status.st_mode):
        raise NotebookUnreadable(f"{name}: it is not a regular file. Name a notebook.")
    if status.st_size > max_bytes:
        raise NotebookUnreadable(
            f"{name}: it has {status.st_size / 1e6:,.0f} MB, more than {max_bytes / 1e6:,.0f}."
            " Clear its outputs and save it."
        )


def parse_notebook(content: bytes, *, name: str = "The notebook") -> dict[str, Any]:
    """Return the JSON of a notebook's bytes; see read_notebook. ``name`` is for messages."""
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotebookUnreadable(f"{name}: {_why_not_json(content, error)}") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise NotebookUnreadable(f"{name}: it is not a notebook. Choose an .ipynb file.")
    major = notebook["nbformat"]
    if not isinstance(major, int) or major < 4:
        raise NotebookUnreadable(
            f"{name}: its format {major!r:.20} is too old. Open and save it in JupyterLab once."
        )
    if major > 4:
        raise NotebookUnreadable(
            f"{name}: its format {major!r:.20} is too new; format 4 is known."
            " Save it with an older Jupyter."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotebookUnreadable(f"{name}: its cells are damaged. Restore an earlier version.")
    return notebook


def _why_not_json(content: bytes, error: Exception) -> str:
    start = content[:200].removeprefix(codecs.BOM_UTF8).lstrip()
    if not content.strip():
        return "it is empty. Open and save it in JupyterLab once."
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer. Run: git lfs pull"
    if content.startswith(b"<<<<<<< ") or b"\n<<<<<<< " in content:
        return "it holds conflict markers of git. Resolve the merge first."
    if isinstance(error, UnicodeDecodeError) or b"\0" in start:
        return "it is not UTF-8. Save it as UTF-8."
    if not isinstance(error, json.JSONDecodeError):
        return "it is not valid JSON: a number is too long or it is nested too deeply."
    return (
        f"it is not valid JSON (line {error.lineno}: {error.msg})."
        " It may be cut off: restore an earlier version."
    )
