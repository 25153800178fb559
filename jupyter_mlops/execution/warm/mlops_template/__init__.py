"""A template: a process that imports what notebooks import, and forks kernels that are ready.

This package runs by itself, under the Python of a kernelspec, where nothing but ipykernel need be
installed: it imports nothing of the package that it lies in.
"""
