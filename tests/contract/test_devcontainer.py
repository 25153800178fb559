"""The devcontainer as far as it can be judged without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
#: The only places below the repository where Codespaces and VS Code look.
CONFIGURATIONS = (".devcontainer/devcontainer.json", ".devcontainer/team/devcontainer.json")
DOCKERFILES = ("devcontainer/Dockerfile", "devcontainer/team/mlflow.Dockerfile")
COMPOSE = "devcontainer/team/compose.yaml"
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("devcontainer/**/*.sh"), *ROOT.glob("scripts/*.sh"))
)
LIFECYCLE = (
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postStartCommand",
    "postAttachCommand",
)
#: Folder with the schemas of the dev container specification, if somebody has them.
SCHEMAS = os.environ.get("DEVCONTAINER_SCHEMAS")

#: What we know of them without.
SCHEMA = ROOT / "tests/fixtures/devcontainer/devcontainer.schema.json"

configurations = pytest.mark.parametrize("name", CONFIGURATIONS)


def read(name: str) -> dict[str, Any]:
    """Return what a JSON file of the repository holds."""
    held: dict[str, Any] = json.loads((ROOT / name).read_text("utf-8"))
    return held


@pytest.fixture
def scaffolded(tmp_path: Path) -> Path:
    """The configuration that a new project gets."""
    text = (ROOT / "jupyter_mlops/scaffold/devcontainer/devcontainer.json").read_text("utf-8")
    path = tmp_path / "devcontainer.json"
    path.write_text(text.replace("@NAME@", '"mine"').replace("@PYTHON@", "3.12"), "utf-8")
    return path


def check(*command: str | Path) -> None:
    """Run a program that finds nothing to say, or fail with what it said."""
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def sourced(script: str, **variables: str) -> str:
    """Run shell code that has read common.sh, and return what it prints."""
    code = f'here={ROOT}/devcontainer; . "$here/common.sh"; {script}'
    environment = {"PATH": os.defpath, "HOME": "/nowhere", **variables}
    return subprocess.run(
        ["sh", "-euc", code], env=environment, check=True, capture_output=True, text=True
    ).stdout


@configurations
def test_configurations_are_files_of_their_own(name: str) -> None:
    """They lie where they are looked for, as files: a link is not followed everywhere."""
    assert (ROOT / name).is_file()
    assert not any((ROOT / part).is_symlink() for part in (name, ".devcontainer"))


@configurations
def test_lifecycle_scripts_can_be_run(name: str) -> None:
    """Each step names an executable script of the repository."""
    commands = [read(name)[key] for key in LIFECYCLE if key in read(name)]
    assert len(commands) >= 4
    for command in commands:
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "--stage", command],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        assert listed.stdout.startswith("100755 "), command


@configurations
def test_a_prebuild_holds_no_token(name: str) -> None:
    """What a prebuild runs makes no token: all codespaces made from it would share it."""
    for key in ("onCreateCommand", "updateContentCommand"):
        assert "token" not in (ROOT / read(name)[key]).read_text("utf-8")
    assert "make_token" in (ROOT / read(name)["postStartCommand"]).read_text("utf-8")


@configurations
def test_features_have_one_version(name: str) -> None:
    """A Feature is named by its full version, so that it cannot change by itself."""
    features = read(name)["features"]
    assert features
    assert all(re.search(r":\d+\.\d+\.\d+$", feature) for feature in features)


@configurations
def test_jupyterlab_has_a_labelled_port_that_opens_once(name: str) -> None:
    """The port is forwarded, says what it is, and every other one is left alone."""
    held = read(name)
    assert held["forwardPorts"][0] == 8888
    assert held["portsAttributes"]["8888"] == {
        "label": "JupyterLab",
        "onAutoForward": "openBrowserOnce",
    }
    assert {str(port) for port in held["forwardPorts"]} == set(held["portsAttributes"])
    assert held["otherPortsAttributes"] == {"onAutoForward": "ignore"}


@configurations
def test_nobody_works_as_root(name: str) -> None:
    """The container's user is an ordinary one, and the machine has what the example needs."""
    held = read(name)
    assert held["remoteUser"] == "vscode"
    assert set(held["hostRequirements"]) == {"cpus", "memory", "storage"}
    assert "useradd --create-home --uid 1000 --shell /bin/bash vscode" in (
        ROOT / DOCKERFILES[0]
    ).read_text("utf-8")


def test_configurations_are_spelt_as_specified(scaffolded: Path) -> None:
    """Every property is one of the specification, of the type that it has there."""
    check(BIN / "check-jsonschema", "--schemafile", SCHEMA, *CONFIGURATIONS, scaffolded)


@pytest.mark.parametrize(
    "change", [{"forwardPort": [8888]}, {"remoteUser": 1}, {"hostRequirements": {"memory": "8"}}]
)
def test_misspelt_configurations_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    """A name that is none, a wrong type and a size without a unit do not pass."""
    path = tmp_path / "devcontainer.json"
    path.write_text(json.dumps(read(CONFIGURATIONS[0]) | change), "utf-8")
    with pytest.raises(AssertionError, match=next(iter(change))):
        check(BIN / "check-jsonschema", "--schemafile", SCHEMA, path)


@pytest.mark.skipif(SCHEMAS is None, reason="DEVCONTAINER_SCHEMAS names no folder with schemas")
@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("devContainer.base.schema.json", CONFIGURATIONS),
        ("devContainerFeature.schema.json", ["devcontainer/feature/devcontainer-feature.json"]),
    ],
)
def test_configurations_fit_their_schemas(
    schema: str, names: tuple[str, ...], scaffolded: Path
) -> None:
    """The specification's own schemas accept them; on GitHub a workflow checks it."""
    more = [scaffolded] if names is CONFIGURATIONS else []
    check(BIN / "check-jsonschema", "--schemafile", f"{SCHEMAS}/{schema}", *names, *more)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfiles_are_linted(name: str) -> None:
    """Hadolint has nothing to say, the last user is not root, and every image has a version."""
    check(BIN / "hadolint", ROOT / name)
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "1000"
    assert all(
        re.search(r":\d+\.\d+\.\d+", image)
        for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    )


def test_compose_file_is_valid() -> None:
    """The compose file fits its schema, and its images have versions."""
    check(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / COMPOSE)
    services = yaml.safe_load((ROOT / COMPOSE).read_text("utf-8"))["services"]
    assert set(services) == {"lab", "mlflow", "minio", "postgres"}
    images = [service["image"] for service in services.values() if "image" in service]
    assert all(re.search(r":\D*\d+[.-]\d+", image) for image in images)


def test_compose_file_holds_no_password() -> None:
    """Passwords come from generated files, which git ignores, and no port leaves the machine."""
    held = yaml.safe_load((ROOT / COMPOSE).read_text("utf-8"))
    for service in held["services"].values():
        assert "ports" not in service
        for key, value in service.get("environment", {}).items():
            assert "PASSWORD" not in key or (key.endswith("_FILE") and value.startswith("/run/"))
            assert "SECRET" not in key
            assert not re.search(r"//[^/]*:[^/]*@", value)
    for secret in held["secrets"].values():
        path = (ROOT / COMPOSE).parent / secret["file"]
        check("git", "-c", "safe.directory=*", "check-ignore", path)


def test_passwords_are_generated_once(tmp_path: Path) -> None:
    """Each service has a password of its own, which stays, in a folder of the user's."""
    script = shutil.copy(ROOT / "devcontainer/team/make-secrets.sh", tmp_path)
    subprocess.run([script], check=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(first) == {"minio_password", "postgres_password"}
    assert len(set(first.values())) == 2
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in first.values())
    assert folder.stat().st_mode & 0o777 == 0o700
    subprocess.run([script], check=True)
    assert first == {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_read(name: str) -> None:
    """The shell understands them, and they stop at the first failure."""
    check("sh", "-n", ROOT / name)
    assert "\nset -eu" in (ROOT / name).read_text("utf-8")


def test_the_origin_is_exact() -> None:
    """The pattern accepts Codespaces' origin of the port and nothing that resembles it."""
    host = sourced(
        "public_host",
        CODESPACE_NAME="a-b-x1",
        GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN="app.github.dev",
    ).strip()
    assert host == "a-b-x1-8888.app.github.dev"
    pattern = re.compile(sourced(f"origin_pattern {host}"))
    assert pattern.match(f"https://{host}")
    for other in (
        f"http://{host}",
        f"https://{host}:8888",
        f"https://{host}.example.org",
        f"https://{host}\n",
        f"https://x{host}",
        f"https://{host.replace('.', 'x')}",
        "https://a-b-x1-8889.app.github.dev",
        "https://app.github.dev",
        "",
    ):
        assert not pattern.match(other), other


def test_elsewhere_there_is_no_other_origin() -> None:
    """Outside of Codespaces no pattern is set: the browser's origin is the server's own."""
    assert sourced("public_host") == ""
    assert sourced("public_host", CODESPACE_NAME="a-b-x1") == ""
