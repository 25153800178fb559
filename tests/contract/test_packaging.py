"""What a user gets who installs the wheel: everything, once, without Node."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(600)]


def run(*command: str | Path, path: str | None = None, cwd: Path | None = None) -> str:
    """Run a program and return all that it printed; ``path`` is the PATH that it sees."""
    environment = os.environ | ({"PATH": path} if path else {}) | {"NO_COLOR": "1"}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


class Environment:
    """A fresh virtual environment, in which nothing of this machine is on PATH."""

    def __init__(self, folder: Path, *requirements: str | Path) -> None:
        self.folder = folder
        run(str(UV), "venv", "--quiet", "--python", sys.executable, folder)
        run(
            *(str(UV), "pip", "install", "--quiet", "--python", folder / "bin" / "python"),
            *("--constraint", ROOT / "requirements" / "dev.txt", *requirements),
        )

    def run(self, program: str, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Run one of the environment's programs."""
        bin_folder = self.folder / "bin"
        return run(bin_folder / program, *arguments, path=str(bin_folder), cwd=cwd or self.folder)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it is built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and what it depends on, in the locked versions."""
    return Environment(tmp_path_factory.mktemp("installed") / "venv", wheel)


@pytest.fixture(scope="module")
def kernel_only(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with IPython and the wheel, but nothing that the wheel depends on."""
    environment = Environment(tmp_path_factory.mktemp("kernel") / "venv", "ipython")
    run(
        *(str(UV), "pip", "install", "--quiet", "--no-deps"),
        *("--python", environment.folder / "bin" / "python", wheel),
    )
    return environment


def names(wheel: Path) -> list[PurePosixPath]:
    """Return the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return [PurePosixPath(name) for name in archive.namelist()]


def test_wheel_holds_the_assets_once(wheel: Path) -> None:
    """The lab extension lies where JupyterLab looks for it, and nowhere else."""
    share = "jupyter_mlops-0.1.0.data/data/share/jupyter/labextensions/jupyter-mlops"
    files = names(wheel)
    assets = [path for path in files if path.is_relative_to(share)]
    relative = {path.relative_to(share).as_posix() for path in assets}
    assert {"install.json", "package.json", "static/style.js"} <= relative
    assert any(name.startswith("static/remoteEntry.") for name in relative)
    assert not [path for path in files if path.suffix == ".js" and path not in assets]


def test_wheel_holds_the_example(wheel: Path) -> None:
    """The example's notebooks, modules and sample come along; what its runs leave does not."""
    example = {
        path.relative_to("jupyter_mlops/example").as_posix()
        for path in names(wheel)
        if path.is_relative_to("jupyter_mlops/example")
    }
    assert {
        "01_prepare.ipynb",
        "02_train.ipynb",
        "quickstart.ipynb",
        "flights_data.py",
        "mlops.toml",
        "03_week.ipynb",
        "dvc.yaml",
        "params.yaml",
        "week_pull.py",
        "data/sample/flights.parquet",
    } <= example
    made = ("runs/", "week/", "dvc.lock", ".dvc", ".mlops/", ".ipynb_checkpoints/")
    left = (*made, "__pycache__/", "data/full/")
    assert not [name for name in example if name.startswith(left)]


def test_wheel_holds_the_scaffold(wheel: Path) -> None:
    """All that a new project is made of comes along."""
    scaffold = ROOT / "jupyter_mlops" / "scaffold"
    assert {
        path.relative_to("jupyter_mlops/scaffold").as_posix()
        for path in names(wheel)
        if path.is_relative_to("jupyter_mlops/scaffold")
    } == {
        path.relative_to(scaffold).as_posix()
        for path in scaffold.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_init_from_the_wheel(wheel: Path, installed: Environment, tmp_path: Path) -> None:
    """A project that an installed wheel makes takes that wheel along, and installs it."""
    path = f"{installed.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    run(installed.folder / "bin" / "jupyter", "mlops", "init", "new", path=path, cwd=tmp_path)
    lock = (tmp_path / "new" / "requirements.txt").read_text("utf-8")
    assert f"\n./wheels/{wheel.name}\n" in lock
    assert (tmp_path / "new" / "wheels" / wheel.name).read_bytes() == wheel.read_bytes()


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    """The wheel brings one package, typed, and no tests."""
    files = names(wheel)
    assert {path.parts[0] for path in files} == {
        "jupyter_mlops",
        "jupyter_mlops-0.1.0.data",
        "jupyter_mlops-0.1.0.dist-info",
    }
    assert PurePosixPath("jupyter_mlops/py.typed") in files
    assert not [path for path in files if path.name.startswith(("test_", "conftest"))]
    assert not [path for path in files if "node_modules" in path.parts]


def test_sdist_builds_the_same_wheel_without_node(wheel: Path, tmp_path: Path) -> None:
    """Whoever builds from the sdist needs no Node and gets the same files."""
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path)
    run(*build, "--sdist", ROOT)
    (sdist,) = tmp_path.glob("*.tar.gz")
    (tmp_path / "unpacked").mkdir()
    # Python's own can say how to unpack safely only since 3.11.4.
    run("tar", "-xzf", sdist, "-C", tmp_path / "unpacked")
    (source,) = (tmp_path / "unpacked").iterdir()
    run(*build, "--wheel", source, path=str(tmp_path))
    (again,) = tmp_path.glob("*.whl")
    assert set(names(again)) == set(names(wheel))


def test_no_node_in_the_environment(installed: Environment) -> None:
    """The tests below do see no Node."""
    seen = str(installed.folder / "bin")
    assert shutil.which("node", path=seen) is None
    assert shutil.which("jlpm", path=seen) is not None


def test_server_extension_is_enabled(installed: Environment) -> None:
    """Installing the wheel enables the server extension, and it validates."""
    listed = installed.run("jupyter", "server", "extension", "list")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", listed)
    assert re.search(r"jupyter_mlops +enabled", plain)
    assert "jupyter_mlops 0.1.0 OK" in plain


def test_lab_extension_is_enabled(installed: Environment) -> None:
    """JupyterLab finds the prebuilt extension, and knows which package uninstalls it."""
    listed = installed.run("jupyter", "labextension", "list")
    (line,) = [line for line in listed.splitlines() if "jupyter-mlops" in line]
    assert "v0.1.0" in line
    assert "enabled" in line
    assert "OK" in line
    assert "(python, jupyter_mlops)" in line


def test_the_feature_installs_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """The dev container Feature adds the panel to the JupyterLab that a container has."""
    demo = ROOT / "requirements" / "demo.txt"
    container = Environment(tmp_path / "venv", "pip", "--requirement", demo)
    assert "jupyter-mlops" not in container.run("jupyter", "labextension", "list")
    path = f"{container.folder / 'bin'}{os.pathsep}{os.defpath}"
    options = (f"VERSION={wheel}", "EXTRAS=demo", "PIP_NO_INDEX=1")
    script = ROOT / "devcontainer" / "feature" / "install.sh"
    assert "Installed jupyter-mlops 0.1.0" in run("env", *options, script, path=path)
    assert re.search(
        "jupyter-mlops v0.1.0.*enabled.*OK", container.run("jupyter", "labextension", "list")
    )


def test_command_is_found(installed: Environment) -> None:
    """``jupyter mlops`` works, though nobody activated the environment."""
    shown = installed.run("jupyter", "mlops", "--help")
    for command in ("run", "sweep", "runs", "models", "init", "demo", "doctor"):
        assert f"\n  {command} " in shown


def test_magic_loads(installed: Environment) -> None:
    """``%load_ext jupyter_mlops`` gives ``%mlops``."""
    code = "%load_ext jupyter_mlops\nprint('magic', get_ipython().find_line_magic('mlops'))"
    assert "magic <function mlops" in installed.run("ipython", "-c", code)


def test_kernel_needs_only_ipython(kernel_only: Environment) -> None:
    """In a kernel's own environment the magic loads and metrics can be logged."""
    code = (
        "%load_ext jupyter_mlops\n"
        "import jupyter_mlops as mlops\n"
        "mlops.log(loss=1.0)\n"
        "print('magic', get_ipython().find_line_magic('mlops'))"
    )
    assert "magic <function mlops" in kernel_only.run("ipython", "-c", code)


def test_notebook_runs_from_the_wheel(installed: Environment, tmp_path: Path) -> None:
    """What the wheel declares is enough to execute and track a notebook, and read its metrics."""
    cells = [
        nbformat.v4.new_code_cell("x: int = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import jupyter_mlops as mlops\nmlops.log(doubled=2 * x)"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "double.ipynb")
    try:
        shown = installed.run("jupyter", "mlops", "run", "double.ipynb", "x=21", cwd=tmp_path)
        assert "succeeded" in shown
        listed = installed.run("jupyter", "mlops", "runs", "list", "--json", cwd=tmp_path)
    finally:
        installed.run("jupyter", "mlops", "worker", "--stop", cwd=tmp_path)
    (listed_run,) = json.loads(listed)
    assert listed_run["parameters"] == {"x": 21}
    assert listed_run["metrics"] == {"doubled": 42}
