"""What is told to whoever sent a request at which the model has failed: a line, not the trace."""

from __future__ import annotations

import json
import re
from typing import Any

#: How Python ends a trace: the type of the exception, with its module, and its text.
_EXCEPTION = re.compile(r"^(?P<module>(?:\w+\.)*)(?P<name>\w+)(?:: (?P<text>.*))?$", re.DOTALL)
#: Characters of an exception's text that are told.
_MOST = 500


def without_trace(body: bytes) -> tuple[dict[str, Any], str] | None:
    """Return MLflow's error with what the model raised as its message, and the stack trace.

    None if the body is another one.
    """
    try:
        error = json.loads(body)
        trace = error.pop("stack_trace")
        if not isinstance(trace, str):
            return None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return error | {"message": _told(trace)}, trace


def _told(trace: str) -> str:
    """Write in a line what was raised; the first word of our own errors says nothing to users."""
    lines = trace.rstrip().split("\n")
    inside = [number for number, line in enumerate(lines) if line.startswith((" ", "Traceback"))]
    last = " ".join("\n".join(lines[inside[-1] + 1 if inside else 0 :]).split())
    found = _EXCEPTION.match(last)
    if found is not None and found["module"].startswith("jupyter_mlops.") and found["text"]:
        return found["text"][:_MOST]
    name = f"{found['name']}: {found['text'] or ''}".rstrip(": ") if found else last
    return f"The model failed. {name[:_MOST]}"
