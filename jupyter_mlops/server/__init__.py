"""The Jupyter server extension: forwards the browser's requests to the project's worker."""
