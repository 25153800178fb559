"""A machine that installs a new project, as CI and containers do, without a network."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import site
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.repositories import environment

ROOT = Path(__file__).parents[2]
#: Verifies as nbstripout does, as far as our notebooks need it, where that is not installed.
STRIP = """
import json, sys
def main():
    names = [each for each in sys.argv[1:] if each.endswith(".ipynb")]
    cells = [cell for name in names for cell in json.load(open(name, encoding="utf-8"))["cells"]]
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
"""


def wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """Build a wheel of one module, with a program."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    path = folder / f"{module}-{version}-py3-none-any.whl"
    files = {
        f"{module}_program.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}_program:main\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
    return path


def make_origin(folder: Path) -> Path:
    """Make a project by `init`, as if that had been installed from a wheel."""
    version = importlib.metadata.version("jupyter-mlops")
    made = wheel(folder, "jupyter-mlops", version, "")
    installed = folder / "site" / f"jupyter_mlops-{version}.dist-info"
    installed.mkdir(parents=True)
    metadata = importlib.metadata.distribution("jupyter-mlops").read_text("METADATA")
    (installed / "METADATA").write_text(metadata or "", "utf-8")
    told = f'{{"url": "{made.as_uri()}", "archive_info": {{}}}}'
    (installed / "direct_url.json").write_text(told, "utf-8")
    command = [sys.executable, "-m", "jupyter_mlops", "init", str(folder / "project")]
    path = os.pathsep.join([str(folder / "site"), str(ROOT)])
    subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, capture_output=True)
    return folder / "project"


@dataclass
class Machine:
    """A machine with a Python of its own that finds what is installed here."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        packages, self.venv = self.folder / "packages", self.folder / "venv"
        packages.mkdir()
        tools = (ROOT / "jupyter_mlops" / "scaffold" / "tools.txt").read_text("utf-8").split()
        for name, _, version in (each.partition("==") for each in tools):
            wheel(packages, name, version, STRIP)
        subprocess.run([sys.executable, "-m", "venv", self.venv], check=True)
        (here,) = (self.venv / "lib").glob("python*/site-packages")
        for each in here.glob("setuptools*"):  # of Python's own, in place of the locked one
            shutil.rmtree(each)
        (here / "here.pth").write_text("\n".join(site.getsitepackages()) + "\n", "utf-8")
        self.variables |= {
            "PATH": os.pathsep.join([str(self.venv / "bin"), environment(self.folder)["PATH"]]),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(packages),
            "PYTHONPATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
        }

    def step(self, script: str, clone: Path, variables: dict[str, str] | None = None) -> str:
        """Execute a step as GitHub and CircleCI do; return all that it printed."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=clone,
            env=environment(clone) | self.variables | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout
