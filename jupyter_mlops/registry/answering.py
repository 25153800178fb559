"""A script: the Python of a model loads it and prints what it predicts for requests in a file.

``python answering.py FOLDER REQUESTS``. Needs nothing of the package that it lies in but the
script beside it.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any


def answer(folder: Path, requests: Path) -> list[Any]:
    """Return the predictions of a model."""
    import mlflow
    import pandas as pd

    content = json.loads(requests.read_text("utf-8"))
    if isinstance(content, dict) and {"columns", "data"} <= content.keys():
        content = pd.DataFrame(content["data"], columns=content["columns"])
    made = mlflow.pyfunc.load_model(str(folder)).predict(content)
    found: list[Any] = _definitions().predictions(made)
    return found


def _definitions() -> Any:
    spec = importlib.util.spec_from_file_location(
        "definitions", Path(__file__).with_name("definitions.py")
    )
    if spec is None or spec.loader is None:
        raise ImportError("definitions.py is missing.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.path.pop(0)
    print(f"\n{json.dumps(answer(Path(sys.argv[1]), Path(sys.argv[2])))}")  # noqa: T201
