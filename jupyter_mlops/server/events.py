"""Changes in a project's worker, told to browsers through Jupyter's event socket."""

from __future__ import annotations

from ..app.messages import EventView

#: Identifies what is emitted; a change that breaks listeners gets a new one.
SCHEMA_ID = "https://jupyter-mlops.readthedocs.io/events/change/v1"


class ChangeEvent(EventView):
    """Something changed in a project; fetch it by its id."""

    #: Path of the project, relative to the server's root, and its id.
    project: str
    project_id: str
