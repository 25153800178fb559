"""Hamilton without what it would import on its own: each engine and library that is installed."""

from __future__ import annotations

import contextlib
import os

#: Hamilton's extensions, by the word that says in a module that it may need them.
_BY_WORD = {
    "dask": ("dask",),
    "geopandas": ("geopandas",),
    "ibis": ("ibis",),
    "polars": ("polars", "polars_lazyframe"),
    "pyspark": ("spark", "pyspark_pandas"),
    "vaex": ("vaex",),
}
_loaded: set[str] = set()


def prepare(*sources: str) -> None:
    """Load Hamilton's extensions for pandas and for what the sources of modules speak of.

    Left alone, it imports all libraries that it knows, which takes seconds and 200 MB.
    """
    from hamilton import registry

    if not registry.INITIALIZED:
        before = os.environ.get(registry.HAMILTON_AUTOLOAD_ENV)
        registry.disable_autoload()
        try:
            registry.initialize()
        finally:
            registry.enable_autoload()
            if before is not None:
                os.environ[registry.HAMILTON_AUTOLOAD_ENV] = before
        _load("pandas")
        _load("numpy")
    for word, names in _BY_WORD.items():
        if any(word in each for each in sources):
            for name in names:
                _load(name)


def _load(name: str) -> None:
    from hamilton import registry

    if name in _loaded:
        return
    _loaded.add(name)
    # It is not installed, or of a version that Hamilton does not know: who needs it is told so.
    with contextlib.suppress(ImportError, NotImplementedError):
        registry.load_extension(name)
