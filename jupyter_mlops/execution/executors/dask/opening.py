"""The entry point of the executor ``dask``."""

from __future__ import annotations

from ....core.executors import Site
from . import settings as dask_settings
from .clusters import open_cluster
from .executor import DaskExecutor
from .node import NodeConfig
from .nodes import Nodes


def open_executor(site: Site) -> DaskExecutor:
    """Return the executor of a project. Raises `InvalidInput`."""
    settings = dask_settings.read(site.settings)
    config = NodeConfig(
        name=f"jupyter-mlops-{site.project}",
        warm=site.warm,
        preload=site.preload,
        mark=dict(site.mark),
        resources=settings.resources,
    )
    nodes = Nodes()
    return DaskExecutor(config, nodes, open_cluster(settings, lambda: nodes.wanted))
