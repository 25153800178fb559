"""Columns of requests that are features: what a request leaves out is fetched from the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .columns import Column

if TYPE_CHECKING:
    import pandas as pd


class Features:
    """The features that a model was trained with."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """``config`` names the project, and by their columns the features."""
        self._columns: dict[str, str] = dict(config["columns"])
        self._project: str = config["project"]
        # The one part of this folder that needs more than what the model itself does.
        self._online: Callable[..., Any] = import_module("jupyter_mlops.features").online

    def optional(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """Return the columns of a signature, features among them being optional."""
        return tuple(
            replace(each, required=False) if each.name in self._columns else each
            for each in columns
        )

    def fill(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return requests with the features that they lack, as they are known now."""
        import pandas as pd

        lacking = {column: n for column, n in self._columns.items() if column not in frame.columns}
        if not lacking or frame.empty:
            return frame
        rows = frame.to_dict("records")
        found = self._online(rows, list(lacking.values()), project=self._project)
        # By their order, as a feature is called otherwise where another of its name is asked for.
        values = pd.DataFrame(found, index=frame.index).set_axis(list(lacking), axis="columns")
        return pd.concat([frame, values], axis="columns")
