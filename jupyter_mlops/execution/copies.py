"""Output notebooks as other programs would have written them.

Notebooks are plain JSON here: nbformat and papermill take seconds to import, which a worker's
first stage would wait for. What they would write, tests compare with the programs themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.files import write_atomically

Json = dict[str, Any]
#: Makes a run's output of what was submitted, and the run's output.
Style = Callable[[Json, Json], str]

#: Tag of the cells that papermill adds after a failure (`papermill.execute`).
_ERROR_MARKER = "papermill-error-cell-tag"
#: Kinds of text, beside ``text/…``, that nbformat writes as lists of lines.
_SPLIT = ("application/javascript", "image/svg+xml")


def copy(submitted: Path, executed: Path, target: Path, style: Style) -> None:
    """Write a copy of a run's output in another style. Raises `OSError`, `ValueError`."""
    before, after = _read(submitted), _read(executed)
    write_atomically(target, style(before, after).encode("utf-8", "replace"))


def _read(path: Path) -> Json:
    notebook: Json = json.loads(path.read_text("utf-8-sig"))
    return notebook


def papermill_style(source: str, target: str, parameters: Json, *, report: bool) -> Style:
    """Return papermill's style; the paths are those that it was given."""

    def style(before: Json, after: Json) -> str:
        if report:
            for cell in after["cells"]:
                if cell["cell_type"] == "code":
                    cell["metadata"]["jupyter"] = {"source_hidden": True}
        known = before["metadata"].get("papermill", {}).get("parameters", {})
        after["metadata"].setdefault("papermill", {}).update(
            input_path=source, output_path=target, parameters=parameters or known
        )
        return _written(after)

    return style


def nbconvert_style(before: Json, after: Json) -> str:
    """Return what nbconvert would have written: nothing is added but outputs and times."""
    after["nbformat_minor"] = before["nbformat_minor"]
    after["metadata"] = _restored(before["metadata"], after["metadata"])
    executed = iter(after["cells"])
    after["cells"] = [
        cell if _is_marker(cell) else _cell(cell, next(executed)) for cell in before["cells"]
    ]
    return f"{_written(after)}\n"


def _is_marker(cell: Json) -> bool:
    """Whether papermill has left the cell after a failure, and takes it away again."""
    return _ERROR_MARKER in cell["metadata"].get("tags", [])


def _cell(before: Json, after: Json) -> Json:
    blank = not "".join(before["source"]).strip()
    if before["cell_type"] != "code" or blank or _is_skipped(before):
        return before
    after["metadata"] = _restored(before["metadata"], after["metadata"])
    if "id" not in before:
        after.pop("id", None)
    return after


def _is_skipped(cell: Json) -> bool:
    return "skip-execution" in cell["metadata"].get("tags", [])


def _restored(before: Json, after: Json) -> Json:
    """Return metadata without what papermill has added, and with what it has taken."""
    kept = {name: value for name, value in after.items() if name != "papermill"}
    if not kept.get("tags") and "tags" not in before:
        kept.pop("tags", None)
    return kept | {name: before[name] for name in ("papermill", "mlops") if name in before}


def _written(notebook: Json) -> str:
    """Return a notebook as `nbformat.writes` formats it."""
    for cell in notebook["cells"]:
        cell["source"] = _lines(cell["source"])
        for bundle in cell.get("attachments", {}).values():
            _split(bundle)
        for output in cell.get("outputs", ()):
            if "data" in output:
                _split(output["data"])
            elif output["output_type"] == "stream":
                output["text"] = _lines(output["text"])
    return json.dumps(
        notebook, indent=1, sort_keys=True, separators=(",", ": "), ensure_ascii=False
    )


def _split(bundle: Json) -> None:
    for kind, value in bundle.items():
        if kind.startswith("text/") or kind in _SPLIT:
            bundle[kind] = _lines(value)


def _lines(text: str | list[str]) -> list[str]:
    return text.splitlines(keepends=True) if isinstance(text, str) else text
