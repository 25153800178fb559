"""Conditions: their values from files and the registry, and what dvc.yaml declares of a stage."""

from .files import read_values
from .language import Answer, Sources, Versioned, evaluate
from .stages import Declaration, find_declaration

__all__ = [
    "Answer",
    "Declaration",
    "Sources",
    "Versioned",
    "evaluate",
    "find_declaration",
    "read_values",
]
