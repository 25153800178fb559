"""Notebooks in memory, and what is read from them."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.core.parameters import Parameter
from jupyter_mlops.notebooks.parameters import NotebookParameters, read_parameters

PYTHON = {"kernelspec": {"name": "python3", "language": "python"}}


def code(source: object, *tags: str, **changes: object) -> dict[str, Any]:
    """Make a code cell."""
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
    } | changes


def read(*cells: dict[str, Any], metadata: object = PYTHON) -> NotebookParameters:
    """Read a notebook of these cells."""
    return read_parameters(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}
    )


def declared(source: object) -> dict[str, Parameter]:
    """Read a parameters cell."""
    return {p.name: p for p in read(code(source, "parameters")).parameters}


def one(source: str) -> Parameter:
    """Read a cell with one parameter."""
    (parameter,) = declared(source).values()
    return parameter
