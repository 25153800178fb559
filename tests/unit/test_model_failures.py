"""What is told of a request at which a served model has failed."""

from __future__ import annotations

import json

import pytest

from jupyter_mlops.registry.mlops_scoring.failures import without_trace

BEFORE = 'Traceback (most recent call last):\n  File "/a/model.py", line 3, in predict\n    x()\n'


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("ValueError: no weather\n", "The model failed. ValueError: no weather"),
        ("sklearn.base.NotFitted: fit it\n\nfirst\n", "The model failed. NotFitted: fit it first"),
        ("KeyError\n", "The model failed. KeyError"),
        (
            "jupyter_mlops.core.exceptions.NotFound: planes.age is not online. Run: compute\n",
            "planes.age is not online. Run: compute",
        ),
    ],
)
def test_the_exception_is_told(end: str, told: str) -> None:
    """A line says what was raised, ours without its type; the trace is another matter."""
    body = {"error_code": "BAD_REQUEST", "message": "Encountered an…", "stack_trace": BEFORE + end}
    found = without_trace(json.dumps(body).encode())
    assert found == ({"error_code": "BAD_REQUEST", "message": told}, BEFORE + end)


def test_the_last_of_several_counts() -> None:
    """What was raised while another exception was handled is what has ended the request."""
    trace = f"{BEFORE}KeyError: 1\n\nDuring handling of it:\n\n{BEFORE}ValueError: 2\n"
    found = without_trace(json.dumps({"stack_trace": trace}).encode())
    assert found is not None
    assert found[0]["message"] == "The model failed. ValueError: 2"


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"message": "m"}', b'{"stack_trace": 1}'])
def test_other_errors_stay(body: bytes) -> None:
    """What has no trace is passed on as it is."""
    assert without_trace(body) is None
