"""Features in a live notebook, and as a stage of a pipeline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests.support import workers

SETTINGS = """
[features]
folder = "values"

[features.sources.orders]
path = "orders.csv"
timestamp = "at"
"""
CELL = """%%mlops feature shop
import pandas as pd
import jupyter_mlops as mlops

@mlops.feature(entity="customer", timestamp="at")
def spent(orders: pd.DataFrame) -> pd.DataFrame:
    '''What a customer has spent so far.'''
    total = orders.groupby("customer")["amount"].cumsum()
    return orders[["customer", "at"]].assign(spent=total)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project without features, and its worker."""
    folder = workers.make_project(tmp_path_factory.mktemp("faces") / "shop", SETTINGS)
    write_orders(folder, 10)
    with workers.worker(folder):
        yield folder


def write_orders(folder: Path, days: int) -> None:
    """Write an order of one customer a day."""
    at = pd.date_range("2026-01-01", periods=days, freq="D")
    pd.DataFrame({"customer": 1, "at": at, "amount": 1.5}).to_csv(folder / "orders.csv")


@pytest.fixture(scope="module")
def cell(project: Path) -> Iterator[Callable[[str], str]]:
    """Return a function that executes a cell in a living kernel, and returns what it shows."""
    manager, client = start_new_kernel(cwd=str(project))
    try:
        execute(client, "%load_ext jupyter_mlops")
        yield lambda code: execute(client, code)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def execute(client: BlockingKernelClient, code: str) -> str:
    """Execute code and return all that it puts out."""
    found: list[str] = []

    def take(message: dict[str, object]) -> None:
        content = message["content"]
        assert isinstance(content, dict)
        data = content.get("data", {})
        traceback = "\n".join(content.get("traceback", ()))
        found.append(content.get("text") or data.get("text/plain") or traceback)

    client.execute_interactive(code, output_hook=take, timeout=120)
    return "\n".join(found)


def test_a_cell_defines_a_feature(project: Path, cell: Callable[[str], str]) -> None:
    """The cell is written into a module, a change is shown first, and the feature can be used."""
    assert "Wrote features/shop.py: shop.spent" in cell(CELL)
    assert "says so already" in cell(CELL)
    changed = CELL.replace("cumsum()", "cummax()")
    shown = cell(changed)
    assert "Error: features/shop.py defines spent otherwise. Change it with --replace." in shown
    assert '+    total = orders.groupby("customer")["amount"].cummax()' in shown
    assert "cumsum" in (project / "features/shop.py").read_text("utf-8")
    assert "Wrote" in cell(changed.replace("feature shop", "feature shop --replace", 1))
    assert "Wrote" in cell(CELL.replace("feature shop", "feature shop --replace", 1))
    assert "Only %%mlops feature MODULE has a body" in cell("%%mlops sweep\nx")
    assert "1 feature" in cell("%mlops features list")
    assert "shop.spent is computed: it was never computed." in cell(
        "import jupyter_mlops as mlops\nmlops.features.compute(online=True)"
    )
    joined = cell(
        "import pandas as pd\n"
        "rows = pd.DataFrame({'customer': [1, 2], 'at': pd.to_datetime(['2026-01-05'] * 2)})\n"
        "mlops.features.training_set(rows, ['shop.spent'])['spent'].tolist()"
    )
    assert "[7.5, nan]" in joined
    assert "{'spent': 15.0}" in cell("mlops.features.online({'customer': 1}, ['shop.spent'])")
    assert "shop.spent" in cell("mlops.features.find('customer')")
    assert "def spent(orders: pd.DataFrame)" in cell("mlops.features.get('spent')")
    refused = cell("mlops.features.training_set(rows, ['shop.spend'])")
    assert "Error: There is no feature shop.spend. Did you mean shop.spent?" in refused


def test_as_a_stage(project: Path, cell: Callable[[str], str]) -> None:
    """As a stage of dvc.yaml it is run by DVC and by our pipeline, and is up to date then."""
    cell(CELL)
    stage = {
        "cmd": f"{sys.executable} -m jupyter_mlops features compute",
        "deps": ["features", "orders.csv"],
        "outs": [{"values": {"persist": True}}],
    }
    (project / "dvc.yaml").write_text(json.dumps({"stages": {"features": stage}}))
    (project / ".gitignore").write_text("/.mlops/\n/runs/\n__pycache__/\n", "utf-8")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q"], cwd=project, check=True)
    subprocess.run([*dvc, "repro", "-q"], cwd=project, check=True)
    write_orders(project, 20)
    ours = [sys.executable, "-m", "jupyter_mlops", "pipeline", "run"]
    subprocess.run(ours, cwd=project, check=True, capture_output=True)
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", "features", "show", "spent", "--json"],
        cwd=project, check=True, capture_output=True, text=True,
    )  # fmt: skip
    record = json.loads(listed.stdout)
    assert (record["feature"]["state"], record["computation"]["rows"]) == ("fresh", 20)
    status = subprocess.run(
        [*dvc, "status"], cwd=project, check=True, capture_output=True, text=True
    )
    assert "up to date" in status.stdout
