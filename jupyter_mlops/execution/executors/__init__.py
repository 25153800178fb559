"""Where attempts run. Each executor implements `jupyter_mlops.core.ports.Executor`."""
