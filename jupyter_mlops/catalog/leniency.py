"""How Hamilton's graphs run here: more lenient about types, and keeping nothing afterwards."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hamilton.driver import DefaultGraphExecutor
from hamilton.execution.graph_functions import combine_config_and_inputs, execute_subdag
from hamilton.graph import FunctionGraph
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


class Forgetting(DefaultGraphExecutor):  # type: ignore[misc]  # Hamilton ships no types
    """Executes a graph and lets go of all that nobody asked for.

    Hamilton's own keeps every table in a cycle of references until the garbage collector comes by.
    """

    def execute(
        self,
        fg: FunctionGraph,
        final_vars: list[str],
        overrides: dict[str, Any],
        inputs: dict[str, Any],
        run_id: str,
    ) -> dict[str, Any]:
        """Return the values of nodes, and of inputs that are asked for."""
        computed: dict[str, Any] = {}
        given = combine_config_and_inputs(fg.config, inputs)
        known = dict(overrides or {})
        nodes = [fg.nodes[name] for name in final_vars if name in fg.nodes]
        try:
            execute_subdag(nodes, given, fg.adapter, computed, known, run_id)
            return {name: computed.get(name, inputs.get(name)) for name in final_vars}
        finally:
            for each in (computed, given, known):
                each.clear()
