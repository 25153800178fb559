"""What a template preloads, and which attempts may share one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec

from jupyter_mlops.execution.warm import recipes
from jupyter_mlops.execution.warm.preloads import FORK_SAFE, modules_to_preload
from jupyter_mlops.execution.warm.recipes import Need, NoTemplate, recipe_for


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import numpy as np, pandas", ["numpy", "pandas"]),
        ("import scipy.stats", ["scipy.stats"]),
        ("from sklearn.svm import SVC", ["sklearn.svm", "sklearn.svm.SVC"]),
        ("import mylib, os, plotly.express", []),
        ("from . import numpy", []),
        ("if fast:\n    import numpy\ndef f():\n    import pandas", []),
        ("%matplotlib inline\n!ls\nimport numpy\nnumpy?", ["numpy"]),
        ("%%bash\nimport numpy", []),
        ("import numpy\nthis is no Python", []),
    ],
)
def test_what_is_preloaded(source: str, found: list[str]) -> None:
    """Imports of known packages that every run reaches, and nothing of the user's own."""
    assert modules_to_preload([source]) == found


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.environ['OMP_NUM_THREADS'] = '1'",
        "%env CUDA_VISIBLE_DEVICES=1",
        "from dotenv import load_dotenv; load_dotenv()",
        "os.putenv('A', 'b')",
    ],
)
def test_a_notebook_that_sets_variables(source: str) -> None:
    """Its imports shall see them, so that none is done in advance."""
    assert modules_to_preload([source, "import numpy"]) == []


def test_the_list_can_be_extended() -> None:
    """A setting names further packages."""
    assert modules_to_preload(["import mylib.parts"], FORK_SAFE | {"mylib"}) == ["mylib.parts"]


def a_need(tmp_path: Path, **changes: Any) -> Need:
    """A need with what a test does not care about filled in."""
    values: dict[str, Any] = {
        "kernel": "python3",
        "environment": {"HOME": "/home/ada", "OMP_NUM_THREADS": "1"},
        "cwd": tmp_path,
        "sources": ["import numpy", "data = 1"],
        **changes,
    }
    return Need(**values)


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
class TestRecipes:
    """Equal recipes share a template."""

    @pytest.fixture(autouse=True)
    def spec(self, monkeypatch: pytest.MonkeyPatch) -> KernelSpec:
        """The kernelspec that is found."""
        spec = KernelSpec(
            argv=[sys.executable, "-Xx=1", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            language="python",
        )
        monkeypatch.setattr(recipes, "find_kernelspec", lambda _: spec)
        return spec

    @pytest.mark.parametrize(
        ("name", "same"),
        [
            ("MLFLOW_RUN_ID", True),
            ("JUPYTER_MLOPS_ATTEMPT", True),
            ("TERM", True),
            ("DVC_STAGE", True),
            ("OMP_NUM_THREADS", False),
            ("CUDA_VISIBLE_DEVICES", False),
            ("LANG", False),
            ("PYTHONPATH", False),
            ("MY_OWN", False),
        ],
    )
    def test_variables(self, tmp_path: Path, name: str, same: bool) -> None:
        """All must be equal but those that no import reads."""
        first = recipe_for(a_need(tmp_path), FORK_SAFE, set())
        changed = {**a_need(tmp_path).environment, name: "7"}
        second = recipe_for(a_need(tmp_path, environment=changed), FORK_SAFE, set())
        assert (first == second) is same

    def test_the_command(self, tmp_path: Path, spec: KernelSpec) -> None:
        """Options of Python and of the kernel are kept."""
        spec.argv += ["--quiet"]
        recipe = recipe_for(a_need(tmp_path), FORK_SAFE, set())
        assert recipe.command == (sys.executable, "-Xx=1")
        assert recipe.arguments[0] == "--quiet"

    def test_shared_cells(self, tmp_path: Path) -> None:
        """They belong to one sweep, and no pool of threads may come from them."""
        need = a_need(tmp_path, shared=[1], sweep="s", environment={"OMP_NUM_THREADS": "4"})
        recipe = recipe_for(need, FORK_SAFE, set())
        assert (recipe.shared, recipe.sweep) == (((1, "data = 1"),), "s")
        assert dict(recipe.environment)["OMP_NUM_THREADS"] == "1"
        other = recipe_for(a_need(tmp_path, shared=[1], sweep="t"), FORK_SAFE, set())
        assert recipe != other
        assert recipe.without_sharing().shared == ()

    def test_noisy_modules(self, tmp_path: Path) -> None:
        """What prints when it is imported is left to the notebook."""
        assert recipe_for(a_need(tmp_path), FORK_SAFE, {"numpy"}).preload == ()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"argv": ["ir", "{connection_file}"]}, "not started by ipykernel"),
            ({"argv": ["python", "-m", "ipykernel_launcher"]}, "not started by ipykernel"),
            (
                {"metadata": {"kernel_provisioner": {"provisioner_name": "remote"}}},
                "asks for the provisioner remote",
            ),
        ],
    )
    def test_no_template(
        self, tmp_path: Path, spec: KernelSpec, change: dict[str, Any], reason: str
    ) -> None:
        """Kernels that are not ipykernel's, or are started elsewhere, say so."""
        for name, value in json.loads(json.dumps(change)).items():
            setattr(spec, name, value)
        with pytest.raises(NoTemplate, match=reason):
            recipe_for(a_need(tmp_path), FORK_SAFE, set())
