"""The workloads: what notebooks spend their time with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .rounds import CannotMeasure, Round, Workload

_BLOCK = 1 << 22
#: Bytes that must stay free beside the files.
_SPARE = 1 << 30
_KERNEL = "python3"
_KERNEL_TIMEOUT = 60.0


def workloads(scale: float) -> list[Workload]:
    """Return all workloads, those of a GPU last; ``scale`` of 1 is what figures are told of."""
    side = int(3000 * scale ** (1 / 3))
    size = int((1 << 29) * scale)
    rows = int(4_000_000 * scale)
    samples = int(60_000 * scale)
    return [
        Workload("matrix product", "GFLOP/s", lambda _, cores: _product(side, cores)),
        Workload("memory copy", "GB/s", lambda _, cores: _copy(size, cores)),
        Workload("disk write", "MB/s", lambda place, _: _write(place, size)),
        Workload("disk read", "MB/s", lambda place, _: _read(place, size)),
        Workload("parquet scan", "million rows/s", lambda place, _: _scan(place, rows)),
        Workload("boosted trees", "fits/min", lambda _, cores: _fit(samples, cores), per=60.0),
        Workload("kernel start", "starts/min", lambda place, _: _start(place), per=60.0),
        Workload("GPU matrix product", "GFLOP/s", lambda *_: _gpu_product(2 * side)),
    ]


@contextmanager
def _product(side: int, cores: int) -> Iterator[Round]:
    """Multiply two matrices of float64: 2 n³ floating-point operations."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    generator = np.random.default_rng(0)
    left, right = generator.random((side, side)), generator.random((side, side))
    out = np.empty_like(left)
    with threadpool_limits(cores):
        yield Round(lambda: np.matmul(left, right, out=out), 2 * side**3 / 1e9)


@contextmanager
def _copy(size: int, cores: int) -> Iterator[Round]:
    """Copy memory, each core its part; what is read and what is written both count."""
    import numpy as np

    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    parts = list(zip(np.array_split(source, cores), np.array_split(target, cores), strict=True))
    with ThreadPoolExecutor(cores) as pool:
        yield Round(lambda: list(pool.map(lambda p: np.copyto(p[1], p[0]), parts)), 2 * size / 1e9)


@contextmanager
def _write(place: Path, size: int) -> Iterator[Round]:
    """Write a file of bytes that do not compress, until the disk has it."""
    _check_room(place, size)
    path, block = place / "written", os.urandom(_BLOCK)

    def work() -> None:
        with path.open("wb", buffering=0) as file:
            for _ in range(size // _BLOCK):
                file.write(block)
            os.fsync(file.fileno())

    yield Round(work, _whole(size) / 1e6, before=lambda: path.unlink(missing_ok=True))
    path.unlink(missing_ok=True)


@contextmanager
def _read(place: Path, size: int) -> Iterator[Round]:
    """Read a file that the system does not keep in memory, as far as it heeds the request."""
    _check_room(place, size)
    path, block = place / "read", os.urandom(_BLOCK)
    with path.open("wb") as file:
        for _ in range(size // _BLOCK):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())

    def forget() -> None:
        if hasattr(os, "posix_fadvise"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def work() -> None:
        buffer = bytearray(_BLOCK)
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    yield Round(work, _whole(size) / 1e6, before=forget)
    path.unlink(missing_ok=True)


@contextmanager
def _scan(place: Path, rows: int) -> Iterator[Round]:
    """Read a Parquet file of numbers and words, and aggregate it by the words."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(0)
    words = pa.DictionaryArray.from_arrays(
        generator.integers(0, 100, rows).astype("int32"), [f"word {each}" for each in range(100)]
    )
    columns = {"word": words, "count": generator.integers(0, 10**6, rows)}
    table = pa.table(columns | {f"x{each}": generator.random(rows) for each in range(3)})
    _check_room(place, table.nbytes)
    path = place / "rows.parquet"
    pq.write_table(table, path)

    def work() -> None:
        wanted = [("count", "sum"), *((f"x{each}", "mean") for each in range(3))]
        pq.read_table(path).group_by("word").aggregate(wanted)

    yield Round(work, rows / 1e6)
    path.unlink()


@contextmanager
def _fit(samples: int, cores: int) -> Iterator[Round]:
    """Fit boosted trees to 20 columns."""
    from sklearn.datasets import make_classification
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    columns, label = make_classification(samples, 20, random_state=0)
    with threadpool_limits(cores):
        yield Round(
            lambda: HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(columns, label),
            1.0,
        )


@contextmanager
def _start(place: Path) -> Iterator[Round]:
    """Start a Python kernel until it answers, and end it."""
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import KernelManager

    def work() -> None:
        manager = KernelManager(kernel_name=_KERNEL)
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            manager.start_kernel(cwd=str(place), **silent)
        except NoSuchKernel as error:
            raise CannotMeasure(f"{error}. Run: pip install ipykernel") from error
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_KERNEL_TIMEOUT)
        except RuntimeError as error:
            raise CannotMeasure(str(error)) from error
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    yield Round(work, 1.0, utilisation=lambda: None)


@contextmanager
def _gpu_product(side: int) -> Iterator[Round]:
    """Multiply two matrices of float32 on the first GPU, by PyTorch."""
    if shutil.which("nvidia-smi") is None and not Path("/dev/kfd").exists():
        raise CannotMeasure("There is no GPU.")
    if importlib.util.find_spec("torch") is None:
        raise CannotMeasure("PyTorch is not installed. Run: pip install torch")
    import torch

    if not torch.cuda.is_available():
        raise CannotMeasure("PyTorch sees no GPU. Install the build that fits its driver.")
    left = torch.rand(side, side, device="cuda")
    right = torch.rand(side, side, device="cuda")

    def work() -> None:
        torch.matmul(left, right)
        torch.cuda.synchronize()

    yield Round(work, 2 * side**3 / 1e9, utilisation=_gpu_utilisation)


def _gpu_utilisation() -> float | None:
    """Return the share of the last moment in which the first GPU was busy, as its driver says."""
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-i0"]
    try:
        asked = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)  # noqa: S603
        return float(asked.stdout) / 100
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _whole(size: int) -> int:
    """Return the bytes of a file that is made of whole blocks."""
    return size // _BLOCK * _BLOCK


def _check_room(place: Path, size: int) -> None:
    if shutil.disk_usage(place).free < size + _SPARE:
        raise CannotMeasure("There is too little room on the disk.")
