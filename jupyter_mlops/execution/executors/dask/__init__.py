"""Executes attempts on the workers of a Dask cluster, which are called nodes here.

Attempts are placed by us, by what each node has; Dask carries them there, watches the nodes, and
shows the work on its dashboard.
"""
