"""Projects with features, for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from jupyter_mlops.catalog.place import Place
from jupyter_mlops.core.features import Source

#: What every module of features begins with.
HEAD = """\
import jupyter_mlops as mlops
import pandas as pd
from hamilton.function_modifiers import check_output, extract_columns, parameterize, source, tag

"""


def write_group(root: Path, group: str, text: str) -> Path:
    """Write a module of features and return its path."""
    path = root / "features" / f"{group.replace('.', '/')}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + dedent(text), "utf-8")
    return path


def make_place(root: Path, **sources: str) -> Place:
    """Return the place of a project's features; sources are files with a column ``at``."""
    return Place(
        root=root,
        modules=root / "features",
        data=root / ".mlops/features",
        online=f"sqlite:///{root}/.mlops/online.db",
        sources={
            name: Source(name=name, path=path, timestamp="at") for name, path in sources.items()
        },
    )
