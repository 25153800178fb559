"""What doctor notices."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from jupyter_mlops.app import checkup
from jupyter_mlops.app.messages import Finding
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.cli import main


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of Jupyter's configuration."""
    folder = tmp_path / "config"
    (folder / "labconfig").mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    return folder


def test_a_disabled_server_extension(configuration: Path) -> None:
    """Who disabled the server extension is told how to enable it."""
    switch = {"ServerApp": {"jpserver_extensions": {"jupyter_mlops": False}}}
    (configuration / "jupyter_server_config.json").write_text(json.dumps(switch), "utf-8")
    found = checkup._server_extension()
    assert not found.ok
    assert found.message.endswith("jupyter server extension enable jupyter_mlops")


def test_the_lab_extension(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lab extension is found where JupyterLab looks, and told if it is missing or disabled."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
    assert "does not find it" in checkup._lab_extension().message
    installed = tmp_path / "share" / "labextensions" / "jupyter-mlops"
    installed.mkdir(parents=True)
    (installed / "package.json").write_text("{}", "utf-8")
    assert checkup._lab_extension().ok
    page = configuration / "labconfig" / "page_config.json"
    for disabled in ({"jupyter-mlops": True}, ["jupyter-mlops"]):
        page.write_text(json.dumps({"disabledExtensions": disabled}), "utf-8")
        found = checkup._lab_extension()
        assert not found.ok
        assert found.message.endswith("jupyter labextension enable jupyter-mlops")


def test_broken_configuration_is_skipped(configuration: Path) -> None:
    """A configuration file that is no JSON does not end the examination."""
    (configuration / "jupyter_server_config.json").write_text("{", "utf-8")
    assert checkup._server_extension().name == "server extension"


def test_a_kernel_without_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel whose environment was deleted is named, with the command that removes it."""
    folder = tmp_path / "kernels" / "old"
    folder.mkdir(parents=True)
    spec = {"argv": ["/gone/bin/python", "-m", "x"], "display_name": "Old", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    line = "/gone/bin/python is gone. Run: jupyter kernelspec remove old"
    assert Finding("kernel old", False, line) in list(checkup._broken_kernels())


def test_a_kernel_of_our_own_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that names no path runs with our own Python; no activated environment is needed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("python") is None
    assert list(checkup._broken_kernels()) == []


def test_a_worker_that_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a worker the rest is still examined; the exit code is 1."""
    (tmp_path / "mlops.toml").touch()
    (tmp_path / ".mlops").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--json"]) == 1
    findings = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert not findings["worker"]["ok"]
    assert findings["worker"]["message"].startswith(f"{tmp_path / '.mlops'} cannot be written")
    assert " free; used here: runs 0 B, artifacts 0 B, " in findings["disk"]["message"]
    assert findings["project"]["message"] == f"{find_project(tmp_path).root} (by its mlops.toml)"


def test_a_shared_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime folder that others may enter is told, not used."""
    tmp_path.chmod(0o755)
    monkeypatch.setenv("JUPYTER_MLOPS_RUNTIME_DIR", str(tmp_path))
    findings = {each.name: each for each in checkup._folders(find_project(tmp_path))}
    assert not findings["runtime folder"].ok
    assert "is not a private folder of yours" in findings["runtime folder"].message


def test_the_environment(tmp_path: Path) -> None:
    """It is compared with the project's lock, if there is one, and how to mend it is said."""
    (tmp_path / "mlops.toml").write_text('lock = "mine.lock"\n', "utf-8")
    project = find_project(tmp_path)

    def found() -> Finding:
        (finding,) = checkup._locked(project)
        return finding

    assert found().message == "mine.lock cannot be read: No such file or directory."
    (tmp_path / "mine.lock").write_text(f"msgspec=={version('msgspec')}\n", "utf-8")
    assert (found().ok, found().message) == (True, "As mine.lock says.")
    (tmp_path / "mine.lock").write_text("msgspec==0.0.1\n", "utf-8")
    assert found().message == (
        f"Differs from mine.lock: msgspec {version('msgspec')} instead of 0.0.1. "
        "Run: uv pip sync mine.lock, or pip install -r mine.lock"
    )
    (tmp_path / "mlops.toml").write_text("", "utf-8")
    assert list(checkup._locked(find_project(tmp_path))) == []
