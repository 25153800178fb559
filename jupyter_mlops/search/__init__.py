"""Adaptive search by Optuna, which is imported when a sweep asks for it."""

from __future__ import annotations

import importlib

from ..core.exceptions import SearchMissing
from ..core.ports import Searcher
from ..core.runs import Sweep

__all__ = ["check_installed", "open_searcher"]


def check_installed() -> None:
    """Raise `SearchMissing` unless Optuna can be imported."""
    try:
        importlib.import_module("optuna")
    except ImportError:
        raise SearchMissing from None


def open_searcher(sweep: Sweep) -> Searcher:
    """Return what chooses the points of a sweep and prunes its runs. Raises `SearchMissing`."""
    check_installed()
    from .optuna_searcher import OptunaSearcher

    return OptunaSearcher(sweep.search, sweep.pruning, maximize=sweep.maximize)
