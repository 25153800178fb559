"""What every test may rely on: nothing of the user's own set-up reaches it, nor the reverse."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sybil import Sybil
from sybil.parsers.myst import CodeBlockParser, SkipParser

from tests.support import pages

# A shell ignores interrupts in what it starts in the background, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before a test module imports it: what it asserts is told in full, as in a test module.
pytest.register_assert_rewrite("jupyter_mlops.testing")

#: The code of README and documentation runs too: pytest docs README.md.
pytest_collect_file = Sybil(
    parsers=[
        SkipParser(),
        CodeBlockParser("sh", pages.run_shell),
        CodeBlockParser("python", pages.run_cell),
        CodeBlockParser("ipython", pages.run_cell),
        CodeBlockParser("toml", pages.read_toml),
        CodeBlockParser("yaml", pages.read_yaml),
        CodeBlockParser("json", pages.read_json),
    ],
    patterns=["docs/*.md", "docs/**/*.md", "README.md"],
    excludes=["docs/_build/*"],
    teardown=pages.close_page,
).pytest()


@pytest.fixture(scope="session", autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep configuration, sockets and git identity of the person who runs the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    # What all processes that test side by side can use once one of them has computed it.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    # A Unix socket's path has about 100 bytes, more than a folder of pytest's would leave.
    runtime = Path(tempfile.mkdtemp(prefix="mlops-"))
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in {
            "IPYTHONDIR": "ipython",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "XDG_STATE_HOME": "state",
        }.items():
            patch.setenv(name, str(home / folder))
        for name, folder in {
            "JUPYTER_MLOPS_CACHE_DIR": "cache",
            "MPLCONFIGDIR": "matplotlib",
        }.items():
            patch.setenv(name, str(shared / folder))
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID"):
            patch.delenv(name, raising=False)
        patch.setenv("JUPYTER_MLOPS_RUNTIME_DIR", str(runtime))
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "A Tester")
            patch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
        yield
        _end_workers(runtime)
    shutil.rmtree(runtime, ignore_errors=True)


def _end_workers(runtime: Path) -> None:
    """End the workers that tests have started and left to their own idle time."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.environ().get("JUPYTER_MLOPS_RUNTIME_DIR") == str(runtime)
            if ours and "jupyter_mlops.app.worker" in process.cmdline():
                process.terminate()
                left.append(process)
    psutil.wait_procs(left, timeout=30)
