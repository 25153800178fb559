"""`jupyter mlops when` as a stage's command under plain `dvc repro`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from jupyter_mlops.app.projects import find_project
from tests.support import workers
from tests.support.decisions import COMPARE, auc, decision
from tests.support.notebooks import write_notebook
from tests.support.repositories import call, make_repository

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "conditions.md"


def stage(*lines: str, command: str = "", **declared: str) -> str:
    """Return a dvc.yaml of one conditional stage."""
    entries = {
        "cmd": command or f"jupyter mlops when '{COMPARE}' --decision d.json -- touch ran",
        "deps": "[a.json, b.json]",
        "metrics": "[d.json: {cache: false}]",
        **declared,
    }
    texts = [*(f"{key}: {text}" for key, text in entries.items() if text), *lines]
    return "stages:\n  deploy:\n" + "".join(f"    {text}\n" for text in texts)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git and DVC repository with a conditional stage."""
    folder = make_repository(
        tmp_path / "repository",
        dvc_yaml=stage(),
        a_json='{"auc": 0.8}',
        b_json='{"auc": 0.7}',
    )
    assert find_project(folder).marker == ".dvc"
    return folder


def test_a_stage_of_dvc(repository: Path) -> None:
    """It runs, is skipped while nothing has changed, and what it decided is committed."""
    assert "is true" in call("dvc", "repro", folder=repository)
    assert (repository / "ran").exists()
    (repository / "ran").unlink()
    assert "didn't change, skipping" in call("dvc", "repro", folder=repository)
    assert not (repository / "ran").exists()
    assert "up to date" in call("dvc", "status", folder=repository)
    lock = (repository / "dvc.lock").read_text("utf-8")
    assert "path: d.json" in lock
    assert "exit_code" in call("dvc", "metrics", "show", "--json", folder=repository)
    auc(repository, a=0.6)
    assert "is false" in call("dvc", "repro", folder=repository)
    assert not (repository / "ran").exists()
    assert decision(repository, "d.json")["chosen"] == "nothing"
    assert (repository / "dvc.lock").read_text("utf-8") != lock
    auc(repository, a=0.8)
    call("dvc", "repro", folder=repository)
    assert (repository / "dvc.lock").read_text("utf-8") == lock


def test_a_failing_command_fails_the_stage(repository: Path) -> None:
    """DVC sees the exit code, and nothing is committed."""
    command = f"jupyter mlops when '{COMPARE}' --decision d.json -- sh -c 'exit 3'"
    (repository / "dvc.yaml").write_text(stage(command=f'"{_escaped(command)}"'), "utf-8")
    shown = call("dvc", "repro", folder=repository, check=False)
    assert "exited with 3" in shown
    assert not (repository / "dvc.lock").exists()


def _escaped(command: str) -> str:
    return command.replace('"', '\\"')


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (stage(metrics="", outs="[other.json]"), "Add to it: metrics: [{d.json: {cache: false}}]"),
        (stage(outs="[model.pkl]"), "declares model.pkl too, which DVC would delete and miss"),
        (stage(plots="[plots]"), "declares plots too"),
        (
            stage(
                command="jupyter mlops when 'not champion(\"m\")' --decision d.json -- touch ran"
            ),
            "Add to the stage: always_changed: true",
        ),
    ],
)
def test_stages_that_would_not_mean_the_same(
    repository: Path, declaration: str, message: str
) -> None:
    """They are refused in one line that says what to add, and nothing runs."""
    (repository / "dvc.yaml").write_text(declaration, "utf-8")
    shown = call("dvc", "repro", folder=repository, check=False)
    (line,) = [each for each in shown.splitlines() if each.startswith("Error: ")]
    assert line.startswith("Error: Stage deploy: ")
    assert message in line
    assert not (repository / "ran").exists()
    assert not (repository / "d.json").exists()


def test_dependencies_that_are_missing(repository: Path) -> None:
    """A file that the condition reads and the stage does not depend on is named."""
    (repository / "dvc.yaml").write_text(stage(deps="[a.json]"), "utf-8")
    shown = call("dvc", "repro", folder=repository)
    assert "Warning: stage deploy reads b.json but does not depend on it" in shown
    assert (repository / "ran").exists()


def test_templates_and_folders(repository: Path) -> None:
    """Stages of a matrix in another folder, with a wdir of their own, are found and checked."""
    sub = repository / "sub"
    (sub / "work").mkdir(parents=True)
    auc(sub / "work", a=0.8, b=0.7)
    declaration = (
        "stages:\n  deploy:\n    wdir: work\n    matrix:\n      name: [x, y]\n"
        "    cmd: jupyter mlops when '"
        'metrics("a.json").auc > metrics("b.json").auc'
        "' --decision ${item.name}.json -- touch ran-${item.name}\n"
        "    deps: [a.json, b.json]\n    outs: ['${item.name}.json']\n"
    )
    (sub / "dvc.yaml").write_text(declaration, "utf-8")
    shown = call("dvc", "repro", "sub/dvc.yaml", folder=repository)
    assert "Warning" not in shown
    assert {each.name for each in (sub / "work").glob("ran-*")} == {"ran-x", "ran-y"}
    wrong = declaration.replace("outs: ['", "outs: ['model-${item.name}', '")
    (sub / "dvc.yaml").write_text(wrong, "utf-8")
    for target, folder in (("sub/dvc.yaml:deploy@x", repository), ("deploy@x", sub)):
        shown = call("dvc", "repro", target, folder=folder, check=False)
        assert "Error: Stage deploy@x: " in shown
        assert "declares model-" in shown


# -- the registry, and the documented example -----------------------------------------------------

TRAINED = (
    "import jupyter_mlops as mlops, mlflow\n"
    "mlops.log(auc=auc)\n"
    "mlflow.pyfunc.log_model(\n"
    "    name='model', python_model=lambda model_input: [1], pip_requirements=[])"
)
#: What the example's scripts do: the first model's metric is read from a file.
SCRIPTS = {
    "train.py": "import json, pathlib, sys\nname = sys.argv[1]\n"
    "for each in ('models', 'metrics'): pathlib.Path(each).mkdir(exist_ok=True)\n"
    "pathlib.Path(f'models/{name}.txt').write_text(name)\n"
    "auc = 0.7 if name == 'b' else float(pathlib.Path('auc.txt').read_text())\n"
    "pathlib.Path(f'metrics/{name}.json').write_text(json.dumps({'auc': auc}))\n",
    "deploy.py": "import pathlib, sys\npathlib.Path('deployed').write_text(sys.argv[1])\n",
    "promote.py": "import pathlib\npathlib.Path('promoted').touch()\n",
}


def promote(client: Client, auc: float) -> m.ModelVersionView:
    """Train a model with a metric and make it the champion."""
    write_notebook(client.project.root / "model.ipynb", f"auc = {auc}", TRAINED)
    sweep = workers.submit(client, "model.ipynb", kind="run")
    assert workers.wait_for(client, sweep.id).counts.succeeded == 1
    body = m.RegisterRequest(run=f"{sweep.id}-1", alias="champion")
    return client.call(ops.REGISTER_MODEL, name="late-flights", body=body)


def test_the_example(tmp_path: Path) -> None:
    """Deploy A if A is better, else B; promote only what is better than the champion."""
    shown = re.findall(r"```yaml\n(stages:.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (declaration,) = [each for each in shown if "jupyter mlops when" in each]
    folder = make_repository(tmp_path / "example", dvc_yaml=declaration)
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "auc.txt").write_text("0.8", "utf-8")
    with workers.worker(folder) as client:
        shown = call("dvc", "repro", folder=folder)
        assert "Warning" not in shown
        assert (folder / "deployed").read_text("utf-8") == "models/a.txt"
        # There was no champion.
        assert decision(folder, "promoted.json")["values"] == {'champion("late-flights")': None}
        assert (folder / "promoted").exists()
        (folder / "promoted").unlink()
        version = promote(client, 0.75)
        shown = call("dvc", "repro", folder=folder)
        assert "Stage 'deploy' didn't change, skipping" in shown
        assert decision(folder, "promoted.json")["values"] == {
            'champion("late-flights")': f"v{version.version}",
            'metrics("metrics/a.json").auc': 0.8,
            'champion("late-flights").auc': 0.75,
        }
        assert (folder / "promoted").exists()
        (folder / "promoted").unlink()
        promote(client, 0.85)
        (folder / "auc.txt").write_text("0.6", "utf-8")
        call("dvc", "repro", "--force", folder=folder)
        assert (folder / "deployed").read_text("utf-8") == "models/b.txt"
        assert decision(folder, "deployed.json")["chosen"] == "else"
        assert decision(folder, "promoted.json")["chosen"] == "nothing"
        assert not (folder / "promoted").exists()
