"""What a stage must declare whose command is carried out on a condition."""

from __future__ import annotations

import pytest

from jupyter_mlops.core.conditions import check_conditional

FILES = """jupyter mlops when 'metrics("a.json").auc > 0.7' --decision d.json -- python deploy.py"""
MODEL = """jupyter mlops when 'champion("m").auc < 0.7' --decision d.json -- python promote.py"""


@pytest.mark.parametrize(
    "command",
    [
        "python train.py",
        "jupyter mlops run train.ipynb",
        "jupyter mlops sweep when.ipynb",
        "echo 'jupyter mlops when'",
        "python when.py --decision d.json",
        "echo 'unclosed",
        "",
    ],
)
def test_other_commands_are_free(command: str) -> None:
    """A stage without a conditional command declares what it likes."""
    assert check_conditional(command, ["model.pkl", "a"], always_changed=False) is None


@pytest.mark.parametrize(
    "command",
    [
        FILES,
        FILES.replace("jupyter mlops", "jupyter-mlops"),
        FILES.replace("jupyter mlops", "python -m jupyter_mlops"),
        FILES.replace("jupyter mlops", "uv run /venv/bin/jupyter mlops"),
        FILES.replace("--decision d.json", "--decision=d.json --else 'python b.py'"),
        FILES.replace("--decision", "\\\n  --decision"),
        f"mkdir -p out && {FILES}",
        f"mkdir -p out\n{FILES}",
        f"({FILES})",
    ],
)
def test_the_decision_is_the_only_output(command: str) -> None:
    """However the command is written, its decision is declared, and nothing else."""
    assert check_conditional(command, ["d.json"], always_changed=False) is None
    assert check_conditional(command, ["./d.json"], always_changed=False) is None
    missing = check_conditional(command, [], always_changed=False)
    assert missing is not None
    assert missing.endswith("Add to it: metrics: [{d.json: {cache: false}}]")
    more = check_conditional(command, ["d.json", "model.pkl"], always_changed=False)
    assert more is not None
    assert "declares model.pkl too, which DVC would delete and miss" in more


def test_a_folder_may_hold_the_decision() -> None:
    """An output may be the folder that the decision is written into."""
    command = FILES.replace("d.json", "out/d.json")
    assert check_conditional(command, ["out"], always_changed=False) is None
    assert check_conditional(command, ["out", "outer"], always_changed=False) is not None


def test_several_conditions() -> None:
    """A stage of several conditional commands declares all their decisions."""
    command = f"{FILES}\n{FILES.replace('d.json', 'e.json')}"
    assert check_conditional(command, ["d.json", "e.json"], always_changed=False) is None
    refused = check_conditional(command, ["d.json"], always_changed=False)
    assert refused is not None
    assert refused.startswith("The decision e.json is not among")


@pytest.mark.parametrize("call", ['champion("m").auc', 'model("m@a").auc', 'version("m", 1).auc'])
def test_the_registry_is_no_dependency(call: str) -> None:
    """A condition on the registry runs always; the line says what to add."""
    command = MODEL.replace('champion("m").auc', call)
    refused = check_conditional(command, ["d.json"], always_changed=False)
    assert refused is not None
    assert refused.endswith("Add to the stage: always_changed: true")
    assert check_conditional(command, ["d.json"], always_changed=True) is None


def test_what_a_shell_puts_in_counts_as_asking_the_registry() -> None:
    """A condition that only the shell knows in full is judged by what is there."""
    command = 'jupyter mlops when "champion(\\"$M\\").auc > $LEAST" --decision d.json -- true'
    refused = check_conditional(command, ["d.json"], always_changed=False)
    assert refused is not None
    assert refused.endswith("always_changed: true")
    files = 'jupyter mlops when "metrics(\\"$M\\").auc > 1" --decision d.json -- true'
    assert check_conditional(files, ["d.json"], always_changed=False) is None


def test_a_condition_that_cannot_be_read() -> None:
    """An error in the condition is told before anything runs."""
    refused = check_conditional(FILES.replace("> 0.7", "> > 0.7"), ["d.json"], always_changed=False)
    assert refused is not None
    assert refused.startswith("condition: invalid syntax, at character")
