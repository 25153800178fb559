"""Use cases, one module per noun, and the worker that composes them: all that the edges call."""
