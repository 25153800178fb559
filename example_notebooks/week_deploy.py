"""Stage `deploy`: put a model where a service would load it, with a note of what it is.

`python week_deploy.py boosting` copies the model to `week/deployed/`. A real project would upload
it or tell a service to load it: the choice is made in `dvc.yaml`, this is only its end.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path


def deploy(name: str, week: Path) -> Path:
    """Copy a model of the week and its metrics to the folder `deployed`."""
    target = week / "deployed"
    target.mkdir(parents=True, exist_ok=True)
    copy = Path(shutil.copyfile(week / name / "model.joblib", target / "model.joblib"))
    note = {
        "model": name,
        "sha256": hashlib.sha256(copy.read_bytes()).hexdigest(),
        "test": json.loads((week / "test" / f"{name}.json").read_text("utf-8")),
    }
    (target / "deployed.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    return target


if __name__ == "__main__":
    print(f"deployed {sys.argv[1]} to {deploy(sys.argv[1], Path('week'))}")
