"""Copy the example project to a folder and name its store: use_store.py FOLDER URL."""

from __future__ import annotations

import sys
from pathlib import Path

from jupyter_mlops.app.demo import make_demo
from jupyter_mlops.app.projects import SETTINGS_FILE


def main(folder: str, url: str) -> None:
    """Add the setting unless there is one; whoever changed it meant to."""
    settings = make_demo(Path(folder)).folder / SETTINGS_FILE
    text = settings.read_text("utf-8")
    if not any(line.startswith("store ") for line in text.splitlines()):
        settings.write_text(f'store = "{url}"\n{text}', "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
