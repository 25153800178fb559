"""Refusing YAML whose aliases expand to more than anybody means.

DVC copies what it reads, aliases expanded, so that a few hundred bytes could take all memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from ..core.exceptions import InvalidInput

#: Nodes of one file, aliases expanded.
_MOST = 1_000_000
#: Folders in which DVC looks for no stages, or which it does not know.
_SKIPPED = frozenset([".dvc", ".git", ".mlops", ".venv", "node_modules", "__pycache__"])


def check_aliases(root: Path) -> None:
    """Raise `InvalidInput` if a YAML file beside a dvc.yaml, or a .dvc file, is a bomb."""
    for path in _files(root):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # DVC says what is wrong with it
        # Hardly any has an alias at all.
        if ": &" not in text and "- &" not in text:
            continue
        try:
            node = YAML(typ="safe", pure=True).compose(text)
        except YAMLError:
            continue
        if node is not None and _size(node, {}) > _MOST:
            raise InvalidInput(
                f"{os.path.relpath(path, root)}: its aliases (*name) expand to more than "
                f"{_MOST:,} entries. Write out what is meant."
            )


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if each not in _SKIPPED]
        declares = "dvc.yaml" in files
        for name in files:
            beside = declares and name.endswith((".yaml", ".yml", ".lock"))
            if beside or name.endswith(".dvc"):
                yield Path(folder, name)


def _size(node: Node, known: dict[int, int]) -> int:
    """Count the nodes below one, each as often as aliases repeat it."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST + 1  # an alias of itself has no end
    size = 1
    if isinstance(node, SequenceNode):
        size += sum(_size(each, known) for each in node.value)
    elif isinstance(node, MappingNode):
        size += sum(_size(key, known) + _size(value, known) for key, value in node.value)
    known[id(node)] = size
    return size
