"""What the template refuses, so that a kernel is started cold instead."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import random
import sys
import threading
from pathlib import Path

import pytest
import zmq

from jupyter_mlops.execution.warm.mlops_template import preload
from jupyter_mlops.execution.warm.mlops_template.preload import Refusal, Stream, Unseeded


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules count as installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(preload, "_is_installed", lambda _: True)
    monkeypatch.setattr(preload, "_local_modules", set)
    return tmp_path


def loaded(*names: str) -> list[str]:
    """Preload modules as the template does."""
    out, err = Stream(sys.stdout), Stream(sys.stderr)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        return preload.preload(list(names), out, err)


@pytest.mark.parametrize(
    "code",
    [
        "print('hello')",
        "import sys; sys.stderr.write('hello')",
        "import warnings; warnings.warn('soon gone', FutureWarning)",
    ],
)
@pytest.mark.filterwarnings("default::FutureWarning")
def test_a_module_that_prints(site: Path, code: str, request: pytest.FixtureRequest) -> None:
    """A notebook that imports it shows that, so it is not preloaded."""
    name = f"noisy_{abs(hash(request.node.name))}"
    (site / f"{name}.py").write_text(code, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.showwarning", lambda *_, **__: sys.stderr.write("warned"))
        with pytest.raises(Refusal, match="prints when it is imported") as caught:
            loaded(name)
    assert caught.value.noisy == name


def test_a_module_that_fails(site: Path) -> None:
    """The notebook shall meet the error itself; the others are preloaded."""
    (site / "broken_module.py").write_text("1 / 0", "utf-8")
    (site / "good_module.py").write_text("", "utf-8")
    assert loaded("broken_module", "good_module", "missing_module") == ["good_module"]


def test_a_file_of_the_same_name(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the notebook would be imported instead."""
    (site / "hidden_module.py").write_text("", "utf-8")
    monkeypatch.setattr(preload, "_local_modules", lambda: {"hidden_module"})
    with pytest.raises(Refusal, match="files beside the notebook are named like hidden_module"):
        loaded("hidden_module")


def test_own_modules_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies outside of the environment, editable installs too, changes under way."""
    (tmp_path / "own_module.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not preload._is_installed("own_module")
    assert not preload._is_installed("jupyter_mlops")
    assert preload._is_installed("numpy")


def test_threads() -> None:
    """A thread does not survive a fork, but what it had locked stays locked."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="ticker")
    thread.start()
    try:
        with pytest.raises(Refusal, match=r"threads run: .*ticker"):
            preload.check()
    finally:
        end.set()
        thread.join()


@pytest.mark.usefixtures("alone")
class TestContexts:
    """What holds on to the system must not exist before a fork."""

    @pytest.fixture
    def alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only what a test makes is looked at."""
        monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])

    def test_zeromq(self) -> None:
        """Its contexts have threads of their own."""
        with zmq.Context(), pytest.raises(Refusal, match="a ZeroMQ context is open"):
            preload.check()

    def test_event_loops(self) -> None:
        """They have descriptors that two processes would read from."""
        loop = asyncio.new_event_loop()
        try:
            with pytest.raises(Refusal):
                preload.check()
        finally:
            loop.close()


def test_old_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ipykernel that sends no iopub_welcome would lose first outputs."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "6.29.5")
    with pytest.raises(Refusal, match=r"ipykernel 6\.29\.5 is older than 7"):
        preload.import_kernel()


def test_generators_without_a_seed() -> None:
    """They are found, to be seeded anew in each fork; those with a seed stay as they are."""
    with Unseeded() as unseeded:
        first, second = random.Random(), random.Random(5)  # noqa: S311
        third = random.Random()  # noqa: S311
        third.seed(5)
    assert unseeded.found == [first]
    assert second.random() == third.random()


def test_handlers_keep_their_stream() -> None:
    """A log handler that was made while modules were imported writes to the kernel's stream."""
    written: list[str] = []

    class Target:
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

        def flush(self) -> None:
            """Nothing is kept back."""

    stream = Stream(sys.stderr)
    handler = logging.StreamHandler(stream)
    stream.lead_to(Target())
    handler.emit(logging.makeLogRecord({"msg": "heard"}))
    assert "".join(written) == "heard\n"
