"""Which modules a template should import for a notebook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

#: Packages whose import is known to be safe before a fork, and to have the same effect there as
#: in a kernel. They start no thread, keep no connection, and do not ask for IPython when they are
#: imported (as plotly and tqdm.auto do).
FORK_SAFE = frozenset(
    {
        "catboost",
        "dateutil",
        "duckdb",
        "imblearn",
        "joblib",
        "lightgbm",
        "matplotlib",
        "networkx",
        "numba",
        "numpy",
        "pandas",
        "patsy",
        "PIL",
        "polars",
        "pyarrow",
        "scipy",
        "seaborn",
        "shap",
        "skimage",
        "sklearn",
        "statsmodels",
        "sympy",
        "torch",
        "xgboost",
        "yaml",
    }
)

#: A notebook that sets variables wants its imports to see them.
_SETS_VARIABLES = re.compile(
    r"\benviron\b|\bputenv\b|^\s*%(?:set_)?env\b|\bload_dotenv\b", re.MULTILINE
)

#: Lines that IPython understands and Python does not.
_NOT_PYTHON = re.compile(r"^\s*[%!?].*$|^.*\?\s*$", re.MULTILINE)


def modules_to_preload(sources: Iterable[str], allowed: frozenset[str] = FORK_SAFE) -> list[str]:
    """Return the modules that cells import and that may be preloaded, in their order.

    ``allowed`` names top-level packages. Nothing is preloaded for a notebook that sets environment
    variables, which libraries read when they are imported.
    """
    found: dict[str, None] = {}
    for source in sources:
        if _SETS_VARIABLES.search(source):
            return []
        for name in _imported(source):
            if name.partition(".")[0] in allowed:
                found[name] = None
    return list(found)


def _imported(source: str) -> Iterable[str]:
    if source.lstrip().startswith("%%"):
        return
    try:
        tree = ast.parse(_NOT_PYTHON.sub("", source))
    except (SyntaxError, ValueError):
        return
    # What stands in a condition or a function is perhaps never imported.
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            for alias in node.names:
                # A submodule, perhaps; the template tries.
                yield f"{node.module}.{alias.name}"
