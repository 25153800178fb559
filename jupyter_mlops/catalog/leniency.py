"""Which arguments Hamilton lets a node be given to, beyond those of its very type."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hamilton.lifecycle import EdgeConnectionHook


class ColumnOfTable(EdgeConnectionHook):  # type: ignore[misc]  # Hamilton ships no types
    """Lets a function take as a column what another returns as a table.

    A stored feature may be returned as a table with its keys; what is computed on demand is given
    its values, a column.
    """

    def check_edge_types_match(self, type_from: type, type_to: type, **kwargs: Any) -> bool:
        """Whether one takes a column and the other makes a table."""
        return type_from is pd.Series and type_to is pd.DataFrame

    def validate_input(self, node_type: type, input_value: Any, **kwargs: Any) -> bool:
        """Take inputs as they are: sources as tables, columns of a request as such."""
        return True
