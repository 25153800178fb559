"""Measures what a machine achieves at common workloads, so that two can be compared."""

from .rounds import measure_all

__all__ = ["measure_all"]
