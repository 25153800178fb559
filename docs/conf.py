"""How Sphinx builds this documentation: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import jupyter_mlops

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "jupyter-mlops"
author = "The jupyter-mlops developers"
copyright = author  # noqa: A001  # Sphinx calls it so
version = release = jupyter_mlops.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "command_help",
    "reference_directives",
]
exclude_patterns = ["_build"]
nitpicky = False
# Options begin with two hyphens, and in docstrings a word in backticks is code.
smartquotes = False
default_role = "code"

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = "jupyter-mlops"
html_show_sphinx = False
html_show_sourcelink = False
