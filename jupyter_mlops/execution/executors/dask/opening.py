"""The entry point of the executor ``dask``."""

from __future__ import annotations

import uuid

from ....core.executors import Site
from ....core.resources import parse_memory
from . import settings as dask_settings
from .clusters import open_cluster
from .executor import DaskExecutor
from .files import Places
from .manifests import Manifests
from .node import NodeConfig
from .nodes import Nodes


def open_executor(site: Site) -> DaskExecutor:
    """Return the executor of a project. Raises `InvalidInput`."""
    settings = dask_settings.read(site.settings)
    token = uuid.uuid4().hex
    probe = site.state / "dask.probe"
    config = NodeConfig(
        name=f"jupyter-mlops-{site.project}",
        warm=site.warm,
        preload=site.preload,
        mark=dict(site.mark),
        resources=settings.resources,
        probe=str(probe),
        token=token,
        files=settings.files,
    )
    nodes = Nodes()
    places = Places(site.root, site.state)
    manifests = Manifests(places, parse_memory(settings.max_sent))
    cluster = open_cluster(settings, site.state / "logs", lambda: nodes.wanted)
    return DaskExecutor(config, nodes, cluster, places, manifests)
