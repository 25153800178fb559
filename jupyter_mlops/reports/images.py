"""What to say about an image of a project."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from .form import Report

if TYPE_CHECKING:
    from ..app.imaging import WrittenImage


def image_report(written: WrittenImage, root: Path) -> Report:
    """Say what was written, and what to type in order to build and run it."""
    folder = shlex.quote(os.path.relpath(written.folder, root))
    manifest = next(each for each in written.files if each.endswith(".yaml"))
    details = ["Nothing was built."]
    if not written.keeps_state:
        details.append(
            "The tracking store ends with its container: set MLFLOW_TRACKING_URI in the secret of "
            "--secret, or keep it with --claim."
        )
    return Report(
        headline=f"{', '.join(written.files)} in {folder}: {shlex.join(written.command)} in the "
        f"environment of {written.lock}",
        details=tuple(details),
        hints=(
            ("Build the image", f"docker build --file {folder}/Dockerfile --tag {written.image} ."),
            ("Try it", f"docker run --rm {written.image}"),
            ("Push it", f"docker push {written.image}"),
            ("Run it on a cluster", f"kubectl apply --filename {folder}/{manifest}"),
        ),
    )
