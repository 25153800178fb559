"""The kernels that are installed, looked up by one thread at a time.

A look-up imports ipykernel, and IPython with it, which two threads cannot begin at the same moment:
one of them fails with ``KeyError: 'IPython'``.
"""

from __future__ import annotations

import threading

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

_lock = threading.Lock()


def find_kernelspec(name: str) -> KernelSpec:
    """Return an installed kernel. Raises jupyter_client's `NoSuchKernel`."""
    with _lock:
        return KernelSpecManager().get_kernel_spec(name)


def kernel_names() -> list[str]:
    """Return the names of the installed kernels, sorted."""
    with _lock:
        return sorted(KernelSpecManager().find_kernel_specs())
