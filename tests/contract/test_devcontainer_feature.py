"""The dev container Feature, installed into a Python that has nothing but pip."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FEATURE = Path(__file__).parents[2] / "devcontainer" / "feature"
WHEEL = "jupyter_mlops-0.1.0-py3-none-any.whl"
#: Builds a source folder into the wheel that lies in it.
BACKEND = f"""
import pathlib, shutil

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return pathlib.Path(shutil.copy("{WHEEL}", wheel_directory)).name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def stand_in(folder: Path) -> Path:
    """Write a wheel of our name that needs nothing, and has an extra."""
    info = "jupyter_mlops-0.1.0.dist-info"
    files = {
        "jupyter_mlops/__init__.py": '__version__ = "0.1.0"\n',
        f"{info}/METADATA": (
            "Metadata-Version: 2.1\nName: jupyter-mlops\nVersion: 0.1.0\nProvides-Extra: demo\n"
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={digest(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return folder / WHEEL


def digest(text: str) -> str:
    """Return a hash in a wheel's own way of writing."""
    hashed = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own."""
    folder = tmp_path_factory.mktemp("target") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def feature(tmp_path: Path, target: Path) -> Iterator[Path]:
    """The Feature's folder as a container's build has it; what it installed is removed again."""
    folder = tmp_path / "feature"
    shutil.copytree(FEATURE, folder)
    yield folder
    command = [target, "-m", "pip", "--quiet", "uninstall", "--yes", "jupyter-mlops"]
    subprocess.run(command, check=True, capture_output=True)


def install(
    feature: Path, python: Path | str, links: Path | None = None, **options: str
) -> subprocess.CompletedProcess[str]:
    """Run the script as a container's build does, without an index."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(feature),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(links or feature),
        "PYTHON": str(python),
        **options,
    }
    return subprocess.run(
        [feature / "install.sh"],
        cwd=feature,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def installed(python: Path) -> str:
    """Return the version that a Python has."""
    code = "import jupyter_mlops; print(jupyter_mlops.__version__)"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("version", ["latest", "0.1.0"])
def test_a_version_comes_from_the_index(
    feature: Path, target: Path, tmp_path: Path, version: str
) -> None:
    """A version, or the latest, is looked up as pip is configured to."""
    stand_in(tmp_path)
    done = install(feature, target, tmp_path, VERSION=version, EXTRAS="demo")
    assert done.returncode == 0, done.stdout
    assert installed(target) == "0.1.0"


@pytest.mark.parametrize("kind", ["relative", "absolute", "url"])
def test_a_wheel_comes_from_where_it_lies(feature: Path, target: Path, kind: str) -> None:
    """A wheel is named by its path, also beside the Feature, or by a URL."""
    wheel = stand_in(feature)
    version = {"relative": WHEEL, "absolute": str(wheel), "url": wheel.as_uri()}[kind]
    done = install(feature, target, VERSION=version, EXTRAS="demo")
    assert done.returncode == 0, done.stdout
    assert installed(target) == "0.1.0"


def test_a_folder_is_built(feature: Path, target: Path) -> None:
    """A folder with sources is built where the container is."""
    source = feature / "source"
    source.mkdir()
    stand_in(source)
    (source / "backend.py").write_text(BACKEND)
    (source / "pyproject.toml").write_text(PROJECT)
    done = install(feature, target, VERSION="./source")
    assert done.returncode == 0, done.stdout
    assert installed(target) == "0.1.0"


def test_it_goes_where_jupyter_is(feature: Path, target: Path, tmp_path: Path) -> None:
    """Unless told otherwise it is installed into the environment of the jupyter on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    jupyter = programs / "jupyter"
    jupyter.write_text(f"#!{target}\n")
    jupyter.chmod(0o755)
    stand_in(feature)
    path = f"{programs}{os.pathsep}{os.defpath}"
    done = install(feature, "auto", VERSION=WHEEL, PATH=path)
    assert done.returncode == 0, done.stdout
    assert installed(target) == "0.1.0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"VERSION": "9.9"}, "jupyter-mlops==9.9 could not be installed"),
        ({"VERSION": "./missing.whl"}, "missing.whl: give a wheel or a folder"),
        ({"PYTHON": "/bin/false"}, "/bin/false is no Python 3.11 or newer"),
    ],
)
def test_what_is_wrong_is_said(
    feature: Path, target: Path, options: dict[str, str], message: str
) -> None:
    """The build of the container ends with a line that says what to change."""
    done = install(feature, target, **options)
    assert done.returncode == 1
    assert message in done.stdout
