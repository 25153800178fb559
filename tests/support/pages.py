"""Runs the code of a page of documentation, from top to bottom, in a project of its own.

Pages name their project in the front matter: ``project: example`` is a copy of the example,
``project: empty`` an empty folder. `NEWEST` in a block stands for the newest sweep's id.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import yaml
from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA
from sybil import Document, Example

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import connect
from jupyter_mlops.app.demo import make_demo
from jupyter_mlops.app.projects import Settings
from tests.support import workers
from tests.support.kernels import Kernel, kernel

#: The id that pages use for a sweep.
NEWEST = "k3m9x2ab"
#: Of pages that cannot have a front matter.
_PROJECTS = {"README.md": "example"}


class Page:
    """The project, and the kernel, in which the blocks of a page run."""

    def __init__(self, document: Document) -> None:
        path = Path(document.path)
        chosen = _PROJECTS.get(path.name) or _front_matter(document.text).get("project")
        if chosen not in ("example", "empty"):
            raise AssertionError(f"{path.name} has code to run, and names no project for it.")
        self._cleanup = contextlib.ExitStack()
        base = Path(tempfile.mkdtemp(prefix="page-"))
        self._cleanup.callback(shutil.rmtree, base, ignore_errors=True)
        self.folder = base / "flights"
        if chosen == "example":
            make_demo(self.folder)
        else:
            self.folder.mkdir()
        self._cleanup.callback(self._end_workers)
        self._kernel: Kernel | None = None

    def shell(self, text: str) -> None:
        """Run the lines of a block in a shell, to the first that fails."""
        # What a line makes may be the newest sweep of the next.
        for part in re.split(rf"^(?=.*{NEWEST})", text, flags=re.MULTILINE):
            self._run(self._named(part))

    def _run(self, text: str) -> None:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=self.folder,
            env=os.environ | {"PATH": programs},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not done.returncode, f"exit code {done.returncode} of:\n{text}\n{done.stdout}"

    def cell(self, text: str) -> None:
        """Run a block as a cell."""
        if self._kernel is None:
            self._kernel = self._cleanup.enter_context(kernel(self.folder))
        error = self._kernel.run(self._named(text)).error
        assert error is None, "\n".join(error["traceback"])

    def close(self) -> None:
        """End what runs for the page, and remove its project."""
        self._cleanup.close()

    def _named(self, text: str) -> str:
        if NEWEST not in text:
            return text
        query = m.ListQuery(limit=1)
        (newest,) = connect(self.folder).call(ops.LIST_SWEEPS, query=query)
        return text.replace(NEWEST, newest.id)

    def _end_workers(self) -> None:
        for marker in (self.folder, *self.folder.glob("*/")):
            if (marker / ".mlops").is_dir():
                workers.stop(marker)


def page_of(example: Example) -> Page:
    """Return the page of a block, made for its first one."""
    if "page" not in example.namespace:
        example.namespace["page"] = Page(example.document)
    page: Page = example.namespace["page"]
    return page


def close_page(namespace: dict[str, Any]) -> None:
    """End what runs for a page, if anything does."""
    if "page" in namespace:
        namespace["page"].close()


def run_shell(example: Example) -> None:
    """Run a block of shell commands."""
    page_of(example).shell(example.parsed)


def run_cell(example: Example) -> None:
    """Run a block of Python, which may have magics."""
    page_of(example).cell(example.parsed)


def read_toml(example: Example) -> None:
    """Read a block as settings, or as a part of ``pyproject.toml``."""
    table = tomllib.loads(example.parsed)
    if not table.keys() & {"tool", "project"}:
        msgspec.convert(table, Settings)


def read_yaml(example: Example) -> None:
    """Read a block as YAML, and as ``dvc.yaml`` if it has stages."""
    found = yaml.safe_load(example.parsed)
    if "stages" in found:
        COMPILED_MULTI_STAGE_SCHEMA(found)


def read_json(example: Example) -> None:
    """Read a block as JSON."""
    json.loads(example.parsed)


def _front_matter(text: str) -> dict[str, Any]:
    if not text.startswith("---\n"):
        return {}
    return dict(yaml.safe_load(text.split("---\n", 2)[1]))
