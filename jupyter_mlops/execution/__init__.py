"""Execution of notebooks: the runner processes, executors, and the machine's cores."""
