"""Files that are whole whenever somebody looks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import escape
from pathlib import Path
from threading import get_ident


def write_atomically(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace a file by new content, so that a crash leaves the old or the new one whole."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    try:
        with aside.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def remove_unfinished(path: Path) -> None:
    """Remove what processes left that ended while they wrote the file."""
    for aside in path.parent.glob(f".{escape(path.name)}.*"):
        aside.unlink(missing_ok=True)
