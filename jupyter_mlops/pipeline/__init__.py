"""Pipelines: DVC's graph, why its stages run, and how each is brought up to date.

DVC runs in a process of its own, the `host`, which the worker asks through `client`; nothing that
the worker imports imports DVC.
"""
