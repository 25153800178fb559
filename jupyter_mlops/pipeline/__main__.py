"""The way into the process that hosts DVC (`jupyter_mlops.pipeline.host`)."""

from importlib import import_module

from ..core.imports import leave, without_garbage_collection

#: What DVC imports when it first needs it. Here it comes while the worker is importing, too.
_LATER = (
    "configobj",
    "dulwich.client",
    "dulwich.diff_tree",
    "dulwich.ignore",
    "dulwich.index",
    "dulwich.repo",
    "dulwich.walk",
    "dvc.data_cloud",
    "dvc_render",
    "fsspec.implementations.memory",
    "networkx",
    "platformdirs",
)

with without_garbage_collection():
    from .host import main

    for name in _LATER:
        import_module(name)

leave(main())
