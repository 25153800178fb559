"""Refusing YAML whose aliases expand to more than anybody means.

DVC copies what it reads, aliases expanded, so that a few hundred bytes could take all memory.
"""

from __future__ import annotations

import os
import re
from collections import Counter
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
_YAML = (".yaml", ".yml")

# A name as long as any parser may read it, but for what ends it in all of them.
_ANCHOR = re.compile(r"&([^\s,\[\]{}:?%@`]+)")
_ALIAS = re.compile(r"\*([^\s,\[\]{}:?%@`]+)")
#: The last part of the name of a YAML file in a dvc.yaml.
_MENTIONED = re.compile(r"[^\s/\\'\":,\[\]{}]*\.ya?ml")


def check_aliases(root: Path) -> None:
    """Raise `InvalidInput` if a YAML file beside a dvc.yaml, or a .dvc file, is a bomb."""
    for path in _files(root):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # DVC says what is wrong with it
        if not _may_repeat(text):
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


def _may_repeat(text: str) -> bool:
    """Whether an alias occurs twice, going by its name alone; most files have none at all."""
    anchors = set(_ANCHOR.findall(text))
    aliases = Counter(_ALIAS.findall(text)) if anchors else Counter()
    return any(count > 1 and name in anchors for name, count in aliases.items())


def _files(root: Path) -> Iterator[Path]:
    """Yield what DVC may read: what lies beside a dvc.yaml, and what one mentions."""
    others: list[Path] = []
    mentioned: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if each not in _SKIPPED]
        declares = "dvc.yaml" in files
        if declares:
            text = Path(folder, "dvc.yaml").read_text("utf-8", "replace")
            mentioned.update(_MENTIONED.findall(text))
        for name in files:
            if name.endswith(".dvc") or (declares and name.endswith((*_YAML, ".lock"))):
                yield Path(folder, name)
            elif name.endswith(_YAML):
                others.append(Path(folder, name))
    # Of a name with a template in it, its end is known.
    yield from (each for each in others if each.name.endswith(tuple(mentioned)))


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
