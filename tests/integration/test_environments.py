"""Models that need other packages, or another Python, than there are here."""

from __future__ import annotations

import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import serving_operations
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.environments import is_present
from jupyter_mlops.app.runtime import endpoint_address
from jupyter_mlops.core.endpoints import EndpointStatus, Environment
from jupyter_mlops.registry.model_files import ModelFacts
from tests.support import served, workers
from tests.support.served import ask, rows
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: A model that can be loaded where a package is that is not here.
NEEDY = """
import os

if "JUPYTER_MLOPS_ENDPOINT" in os.environ:
    import mlops_tests_bonus
""" + served.ADDER.format(number="mlops_tests_bonus.NUMBER", before="pass")


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    """Write a wheel of version 1.0."""
    info = f"{name}-1.0.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = files | metadata
    record = "".join(f"{path},,\n" for path in (*contents, f"{info}/RECORD"))
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in (contents | {f"{info}/RECORD": record}).items():
            wheel.writestr(path, text)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A project with a model that needs a package, and an index that has it.

    MLflow comes from where it is, so that nothing is fetched.
    """
    folder = workers.make_project(tmp_path / "project")
    wheels = tmp_path / "wheels"
    write_wheel(wheels, "mlops_tests_bonus", {"mlops_tests_bonus.py": "NUMBER = 5"})
    here = sysconfig.get_path("purelib")
    write_wheel(wheels, "mlops_tests_mlflow", {"mlops_tests_mlflow.pth": f"{here}\n"})
    (folder / ".env").write_text(f"UV_NO_INDEX=1\nUV_FIND_LINKS={wheels}\n")
    place = served.register(folder, source=NEEDY)
    (place / "requirements.txt").write_text("mlops-tests-bonus==1.0\nmlops-tests-mlflow==1.0\n")
    with workers.worker(folder) as found:
        yield found


def serve(client: Client, environment: Environment | None = None) -> m.EndpointView:
    """Serve the model in an environment, and return when it answers or has failed to."""
    body = m.ServeRequest(environment=environment)
    client.call(serving_operations.SERVE_MODEL, body=body, timeout=None, name="flights")
    return served.settled(client)


def test_in_its_own_environment(client: Client) -> None:
    """What cannot be loaded here is loaded in an environment that uv makes, also after an end."""
    view = serve(client)
    assert view.status is EndpointStatus.FAILED
    assert view.error is not None
    assert "No module named 'mlops_tests_bonus'" in view.error
    view = serve(client, Environment.UV)
    assert (view.status, view.error) == (EndpointStatus.READY, None)
    address = endpoint_address(client.project, "flights")
    request = {"dataframe_records": rows()}
    assert ask(address, request) == (200, {"predictions": [206.0, 209.0]})
    served.kill(client)
    view = served.until(client, lambda each: each.restarts == 1)
    assert (view.status, view.environment) == (EndpointStatus.READY, Environment.UV)
    (made,) = (client.project.state / "environments").glob("*/bin/python")
    assert made.exists()


def test_an_environment_that_cannot_be_made(client: Client) -> None:
    """What uv says is told, and nothing is left of the environment."""
    place = client.project.root / ".mlops" / "artifacts" / "made" / "flights-1"
    (place / "requirements.txt").write_text("mlops-tests-nowhere==1.0\n")
    view = serve(client, Environment.UV)
    assert view.status is EndpointStatus.FAILED
    assert view.error is not None
    assert "mlops-tests-nowhere" in view.error
    assert "\n" not in view.error
    assert list((client.project.state / "environments").glob("*/bin")) == []


def test_a_model_from_another_python(client: Client) -> None:
    """Where it cannot be loaded, both versions are named, and what may help."""
    place = client.project.root / ".mlops" / "artifacts" / "made" / "flights-1"
    text = yaml.safe_load((place / "MLmodel").read_text())
    text["flavors"]["python_function"]["python_version"] = "3.8.2"
    (place / "MLmodel").write_text(yaml.safe_dump(text))
    view = serve(client)
    assert view.error is not None
    assert "It was made with Python 3.8.2, and this is Python 3." in view.error
    assert "serve it with --env uv" in view.error


def test_what_is_here_is_taken() -> None:
    """An environment that has the Python and the exact versions needs no other one."""
    from importlib.metadata import version

    exact = (f"mlflow=={version('mlflow')}", f"pandas=={version('pandas')}")
    for python, requirements, wanted in (
        (None, exact, True),
        ("3.8.2", exact, False),
        (None, (*exact, "pandas==0.1"), False),
        (None, ("mlops-tests-nowhere==1",), False),
        (None, ("pandas",), False),
    ):
        assert is_present(ModelFacts(python, (), None, requirements)) is wanted
