"""An MLflow server for kernels that cannot open the tracking database themselves.

A database belongs to one version of MLflow. A kernel whose environment has another one, or
``mlflow-skinny``, talks to this server instead, on loopback and behind a token.
"""

from __future__ import annotations

from .kernels import Installed, installed, needs_front
from .launch import Front

__all__ = ["Front", "Installed", "installed", "needs_front"]
