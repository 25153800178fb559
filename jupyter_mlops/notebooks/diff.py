"""Compares two output notebooks cell by cell, with nbdime.

This is a program, ``python -m jupyter_mlops.notebooks.diff LEFT RIGHT``, which prints JSON: nbdime
keeps its settings per process, and what takes it too long can be ended.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbdime.diffing.notebooks import diff_notebooks, set_notebook_diff_targets

from .files import read_bytes

#: Bytes of a notebook that is read, characters of a text that is compared, bytes of an image that
#: is passed on, and lines of a difference that are told.
_NOTEBOOK_LIMIT = 50_000_000
_TEXT_LIMIT = 100_000
_IMAGE_LIMIT = 1_000_000
_LINES_LIMIT = 2_000

_IMAGES = ("image/png", "image/svg+xml", "image/jpeg", "image/webp", "image/gif")
#: What is equal on both sides, and where it is in each; None where it is missing.
Pair = tuple[int | None, int | None]
Node = Mapping[str, Any]


def compare(left: Node, right: Node) -> list[dict[str, Any]]:
    """Return the cells of both notebooks in their order, with what differs of each.

    Sources, outputs and attachments count; metadata, ids and execution counts, which differ in any
    two executions, do not.
    """
    set_notebook_diff_targets(
        sources=True,
        outputs=True,
        attachments=True,
        metadata=False,
        identifier=False,
        details=False,
    )
    found = diff_notebooks(left, right)
    changes: Sequence[Any] = next((each.diff for each in found if each.key == "cells"), [])
    pairs, changed = _aligned(changes, len(left["cells"]))
    return [_cell(left["cells"], right["cells"], pair, changed) for pair in pairs]


def _aligned(changes: Sequence[Any], length: int) -> tuple[list[Pair], dict[int, Any]]:
    """Pair the items of two lists; return the pairs, and what changed by the left index."""
    pairs: list[Pair] = []
    changed: dict[int, Any] = {}
    at = right = 0

    def same_until(end: int) -> None:
        nonlocal at, right
        while at < end:
            pairs.append((at, right))
            at, right = at + 1, right + 1

    for change in changes:
        same_until(change.key)
        if change.op == "patch":
            changed[change.key] = change.diff
            same_until(change.key + 1)
        elif change.op == "removerange":
            pairs += [(index, None) for index in range(at, at + change.length)]
            at += change.length
        elif change.op == "addrange":
            count = len(change.valuelist)
            pairs += [(None, index) for index in range(right, right + count)]
            right += count
    same_until(length)
    return pairs, changed


def _cell(
    left: Sequence[Node], right: Sequence[Node], pair: Pair, changed: Mapping[int, Any]
) -> dict[str, Any]:
    at, other = pair
    old = left[at] if at is not None else None
    new = right[other] if other is not None else None
    shown = new if new is not None else old
    assert shown is not None  # noqa: S101  # a pair has one side at least
    sources = [each["source"] if each is not None else "" for each in (old, new)]
    outputs = list(_outputs(old, new, changed.get(at, []) if at is not None else []))
    change = "changed" if at in changed and at is not None else "same"
    if old is None or new is None:
        change = "added" if old is None else "removed"
    return {
        "change": change,
        "cell_type": shown["cell_type"],
        "left": None if at is None else at + 1,
        "right": None if other is None else other + 1,
        "title": next(
            (line.strip()[:80] for line in shown["source"].splitlines() if line.strip()), ""
        ),
        "source": list(_lines(*sources)) if sources[0] != sources[1] else [],
        "outputs": outputs,
    }


def _outputs(
    old: Node | None, new: Node | None, changes: Sequence[Any]
) -> Iterator[dict[str, Any]]:
    """Yield the outputs of a cell that differ; all of them if one side lacks the cell."""
    before = list(old.get("outputs", ())) if old is not None else []
    after = list(new.get("outputs", ())) if new is not None else []
    if old is None or new is None:
        pairs: list[Pair] = [(index, None) for index in range(len(before))]
        pairs += [(None, index) for index in range(len(after))]
        changed: dict[int, Any] = {}
    else:
        of_outputs: Sequence[Any] = next((c.diff for c in changes if c.key == "outputs"), [])
        pairs, changed = _aligned(of_outputs, len(before))
    for at, other in _together(pairs):
        if at is not None and other is not None and at not in changed and (at, other) in pairs:
            continue
        left = _side(before[at]) if at is not None else None
        right = _side(after[other]) if other is not None else None
        change = "changed" if left and right else "added" if right else "removed"
        texts = [(each or {}).get("text") or "" for each in (left, right)]
        lines = list(_lines(*texts)) if texts[0] != texts[1] else []
        yield {"change": change, "left": left, "right": right, "lines": lines}


def _together(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield pairs, joining what was removed with what was added in its place."""
    removed: list[int] = []
    added: list[int] = []
    for at, other in [*pairs, (-1, -1)]:
        if at is not None and other is not None:
            common = min(len(removed), len(added))
            yield from zip(removed[:common], added[:common], strict=True)
            yield from ((each, None) for each in removed[common:])
            yield from ((None, each) for each in added[common:])
            removed, added = [], []
            if at >= 0:
                yield at, other
        elif at is not None:
            removed.append(at)
        elif other is not None:
            added.append(other)


def _side(output: Node) -> dict[str, Any]:
    """Tell what an output is: an image, or text in its plainest form."""
    kind = output["output_type"]
    if kind == "stream":
        return _text(f"stream/{output.get('name', 'stdout')}", output["text"])
    if kind == "error":
        return _text("error", f"{output.get('ename')}: {output.get('evalue')}")
    data = output.get("data", {})
    mime = next((each for each in _IMAGES if each in data), None)
    if mime is not None:
        text = data[mime]
        size = len(text.encode()) if mime == "image/svg+xml" else len(text) * 3 // 4
        return {"mime": mime, "size": size, "image": text if size <= _IMAGE_LIMIT else None}
    mime = "text/plain" if "text/plain" in data else next(iter(sorted(data)), "text/plain")
    value = data.get(mime, "")
    return _text(mime, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _text(mime: str, text: str) -> dict[str, Any]:
    return {"mime": mime, "size": len(text.encode()), "text": text}


def _lines(old: str, new: str) -> Iterator[dict[str, str]]:
    """Yield the lines of both texts in their order, so many at most, and how many were left out."""
    before, after = old.splitlines(), new.splitlines()
    left, omitted = _LINES_LIMIT, 0
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(before) > _LINES_LIMIT)
    for change, a, b, c, d in matcher.get_opcodes():
        parts = [("same", before[a:b])] if change == "equal" else []
        if change != "equal":
            parts = [("removed", before[a:b]), ("added", after[c:d])]
        for what, lines in parts:
            yield from ({"change": what, "text": line} for line in lines[:left])
            omitted += max(0, len(lines) - left)
            left = max(0, left - len(lines))
    if omitted:
        yield {"change": "same", "text": f"… {omitted:,} more lines"}


def _read(path: str) -> Any:
    """Read a notebook; texts that are too long are cut, and told apart by their hash."""
    content = read_bytes(Path(path), _NOTEBOOK_LIMIT).decode("utf-8-sig")
    notebook = nbformat.reads(content, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                output.text = _cut(output.text)
            for mime, value in output.get("data", {}).items():
                if isinstance(value, str) and not mime.startswith("image/"):
                    output.data[mime] = _cut(value)
    return notebook


def _cut(text: str) -> str:
    if len(text) <= _TEXT_LIMIT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[:_TEXT_LIMIT]}\n… {len(text):,} characters, sha256 {digest}…"


def main(paths: Sequence[str]) -> None:
    """Print what differs between two notebooks."""
    left, right = map(_read, paths)
    sys.stdout.write(json.dumps(compare(left, right)))


if __name__ == "__main__":
    main(sys.argv[1:])
