"""What a Python has: its version, platform and packages. Also a script for that Python to execute.

Needs the standard library alone, as the Python of a notebook's kernel may have nothing else.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any


def meant_by(word: str) -> str:
    """Return the program that a kernelspec means: by ``python``, as in Jupyter, the present one."""
    return sys.executable if re.fullmatch(r"python(3(\.\d+)?)?", word) else word


def describe() -> dict[str, Any]:
    """Return the facts of the Python that executes this, ready for JSON.

    ``sources`` names packages that did not come from an index: where else, or ``editable``.
    """
    packages: dict[str, str] = {}
    sources: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        name, version = each.metadata["Name"], each.version
        if not name or not version or name.lower() in packages:
            continue
        packages[name.lower()] = version
        if source := _source(each.read_text("direct_url.json")):
            sources[name.lower()] = source
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "packages": dict(sorted(packages.items())),
        "sources": dict(sorted(sources.items())),
        "container": _container(),
        "paths": [each for each in sys.path if each and Path(each).is_dir()],
    }


def _source(text: str | None) -> str | None:
    """Return where a package came from by ``direct_url.json`` (PEP 610), without credentials."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if found.get("dir_info", {}).get("editable"):
        return "editable"
    url = str(found.get("url", ""))
    if url.startswith("file:"):
        return "local"
    revision = found.get("vcs_info", {}).get("commit_id")
    if not revision:
        return "address"
    scheme, _, rest = url.partition("://")
    return f"{found['vcs_info'].get('vcs', 'git')}+{scheme}://{rest.rpartition('@')[2]}@{revision}"


def _container() -> str | None:
    """Return the digest or name of the container's image, where its environment tells it."""
    for name in ("JUPYTER_MLOPS_IMAGE", "JUPYTER_IMAGE_SPEC", "JUPYTER_IMAGE", "CONTAINER_IMAGE"):
        if os.environ.get(name):
            return os.environ[name]
    return None


if __name__ == "__main__":
    sys.path.pop(0)
    json.dump(describe(), sys.stdout)
