"""The devcontainer of a new project: its scripts really run, in a clone."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repositories import call
from tests.support.runner import Machine, make_origin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: In place of the one that the container has to itself.
PORT = "8888"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A container."""
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def clone(machine: Machine, tmp_path: Path) -> Path:
    """A clone whose environment finds what is installed here, and with a port that is free."""
    origin, folder = make_origin(tmp_path), tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", origin, folder], check=True)
    (folder / ".venv").symlink_to(machine.venv)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = folder / ".devcontainer" / "start.sh"
    script.write_text(script.read_text("utf-8").replace(PORT, port), "utf-8")
    return folder


@pytest.fixture
def lab(machine: Machine, clone: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables for a JupyterLab, which is stopped in the end."""
    config = tmp_path / "config" / "jupyter_server_config.json"
    config.parent.mkdir()
    config.write_text('{"ServerApp": {"allow_root": true}}', "utf-8")
    variables = {
        "JUPYTER_CONFIG_DIR": str(config.parent),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    yield variables
    for line in machine.step("jupyter server list --jsonlist", clone, variables).splitlines():
        for port in re.findall(r'"port": (\d+)', line):
            machine.step(f"jupyter server stop {port}", clone, variables)


def test_it_is_set_up_and_started(machine: Machine, clone: Path, lab: dict[str, str]) -> None:
    """Packages, git and JupyterLab: what the container is opened for is there, behind a token."""
    container = json.loads((clone / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    for each in ("onCreateCommand", "onCreateCommand"):  # a rebuilt container runs it again
        machine.step(container[each], clone, lab)
    assert call("git", "config", "filter.nbstripout.clean", folder=clone) == (
        "nbstripout --keep-id\n"
    )
    printed = machine.step(container["postAttachCommand"], clone, lab)
    found = re.search(r"(http://\S+/)\?token=(\w{40,})", printed)
    assert found is not None, printed
    url, token = found.groups()
    with urllib.request.urlopen(f"{url}lab?token={token}") as page:  # noqa: S310
        assert b"jupyter-config-data" in page.read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{url}api/contents").close()  # noqa: S310
    again = machine.step(container["postAttachCommand"], clone, lab)
    assert re.findall(r"\?token=(\w+)", again) == [token]
    assert ((clone / ".mlops").stat().st_mode & 0o777) == 0o700


def test_in_codespaces_one_origin_may_ask(machine: Machine, clone: Path, tmp_path: Path) -> None:
    """The browser's address is allowed, and none that only begins or ends as it does."""
    stub = tmp_path / "stub" / "jupyter"
    stub.parent.mkdir()
    stub.write_text(
        "#!/bin/sh\n"
        f'[ "$1" != lab ] || {{ printf "%s\\n" "$@" >{stub}.said; sleep 3; }}\n'
        f"[ ! -f {stub}.said ] || echo http://127.0.0.1:{PORT}/\n",
        "utf-8",
    )
    stub.chmod(0o755)
    (clone / ".venv").unlink()
    script = (clone / ".devcontainer" / "start.sh").read_text("utf-8")
    port = re.findall(r"--port=(\d+)", script)[0]
    stub.write_text(stub.read_text("utf-8").replace(PORT, port), "utf-8")
    path = f"{stub.parent}:{machine.variables['PATH']}"
    variables = {"PATH": path, "CODESPACE_NAME": "my-space"}
    assert "http://127.0.0.1" in machine.step("sh .devcontainer/start.sh", clone, variables)
    said = stub.with_suffix(".said").read_text("utf-8").splitlines()
    (pattern,) = [each.partition("pat=")[2] for each in said if "allow_origin_pat" in each]
    right = f"https://my-space-{port}.app.github.dev"
    assert re.match(pattern, right)
    for wrong in (f"{right}.evil.example", right.replace(".app", "-app"), f"https://x.{right[8:]}"):
        assert not re.match(pattern, wrong)
    assert "--ip=127.0.0.1" in said
    assert not [each for each in said if "token" in each]
