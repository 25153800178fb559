"""Sending runs to other trackers than MLflow, each through its own client.

Clients are heavy, start threads and services, and may fail in ways of their own: each one lives in
a process that the worker starts when there is something to send, and ends soon after.

Others can add a tracker by an entry point of the group ``jupyter_mlops.trackers``, whose name is
the one in the settings. It loads a callable that takes a folder and returns a
`jupyter_mlops.core.mirrors.Mirror`.
"""

from __future__ import annotations

from .client import MirrorProcess
from .known import GROUP, is_known, known_trackers

__all__ = ["GROUP", "MirrorProcess", "is_known", "known_trackers"]
