"""The process in which a model's code runs, behind a Unix socket.

This package runs by itself, under the Python of a model, where nothing but MLflow need be
installed: it imports nothing of the package that it lies in.
"""
