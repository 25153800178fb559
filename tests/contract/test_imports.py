"""What the package imports, and when: its start is what people wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Slow to import, or absent from a kernel's own environment.
HEAVY = {
    *("IPython", "click", "ipywidgets", "jupyter_client", "jupyter_server", "mlflow", "msgspec"),
    *(
        "apprise",
        "dvc",
        "nbclient",
        "nbformat",
        "numpy",
        "optuna",
        "pandas",
        "papermill",
        "psutil",
        "rich",
    ),
    *("sqlalchemy", "tornado", "traitlets"),
}


def imported_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules that it left imported."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def test_package_imports_nothing_heavy() -> None:
    """``import jupyter_mlops`` imports none of what it depends on."""
    modules = imported_by("import jupyter_mlops")
    assert "jupyter_mlops" in modules
    assert not modules & HEAVY


def test_listing_the_names_imports_nothing_heavy() -> None:
    """Completion looks at the package's names, which must not import what is behind them."""
    assert not imported_by("import jupyter_mlops; dir(jupyter_mlops)") & HEAVY


def test_magic_and_log_need_only_ipython() -> None:
    """A kernel's environment may hold IPython and our wheel alone."""
    code = "import jupyter_mlops.magics, jupyter_mlops.metrics, jupyter_mlops.sessions"
    assert not imported_by(code) & (HEAVY - {"IPython", "traitlets"})


def test_fakes_need_no_pytest() -> None:
    """What tests of ours and of others stand on is had without what runs tests."""
    assert not imported_by("import jupyter_mlops.testing") & {"pytest", "_pytest"}


def test_help_is_quick() -> None:
    """Help, and completion of commands, import click and nothing that executes."""
    modules = imported_by("from jupyter_mlops.cli import main; assert main(['--help']) == 0")
    assert modules & HEAVY == {"click"}


def test_server_extension_leaves_the_engines_to_the_worker() -> None:
    """The Jupyter server imports neither engines nor data libraries: the worker does."""
    engines = {
        "apprise",
        "dvc",
        "mlflow",
        "nbclient",
        "numpy",
        "optuna",
        "pandas",
        "papermill",
        "sqlalchemy",
    }
    modules = imported_by("import jupyter_mlops.server.extension")
    assert "jupyter_server" in modules
    assert not modules & engines


def test_a_worker_starts_without_what_it_may_never_need() -> None:
    """Each of these takes long to import, and most workers do with few of them."""
    modules = imported_by("import jupyter_mlops.app.composition")
    assert "jupyter_mlops" in modules
    assert not modules & {"apprise", "dvc", "mlflow", "nbformat", "optuna", "pandas", "papermill"}
