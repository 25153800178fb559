"""What deployments elsewhere take, before anything is written."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.exports import Deployment, Target, check, constraints

GOOD = Deployment(
    model="late-flights",
    version=4,
    target=Target.SAGEMAKER,
    image="ghcr.io:5000/me/late-flights:4",
    role="arn:aws:iam::123456789012:role/service-role/mlops",
    data="s3://bucket/models/model.tar.gz",
)


@given(st.text(min_size=1, max_size=300), st.integers(1, 10**9))
def test_any_model_has_a_label(name: str, version: int) -> None:
    """Every place takes letters, digits and dashes, and Azure no more than 32 of them."""
    label = replace(GOOD, model=name, version=version).label
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", label), label
    assert len(label) <= 32
    assert label.endswith(f"-v{version}")


@pytest.mark.parametrize(
    ("target", "changes", "message"),
    [
        (Target.KUBERNETES, {"image": None}, "kubernetes needs --image REGISTRY/NAME:TAG."),
        (Target.VERTEX, {"image": None}, "vertex needs --image"),
        (Target.SAGEMAKER, {"role": None}, "sagemaker needs --role"),
        (Target.SAGEMAKER, {"data": None}, "sagemaker needs --data"),
        (Target.SAGEMAKER, {"role": "admin"}, "'admin' is no role. Write it like arn:aws:iam"),
        (Target.SAGEMAKER, {"data": "s3://bucket/model.zip"}, "is no data"),
        (Target.DOCKER, {"image": "UPPER case"}, "is no image"),
        (Target.DOCKER, {"image": "a b; rm -rf /"}, "is no image"),
    ],
)
def test_what_is_missing_is_named(target: Target, changes: dict[str, str], message: str) -> None:
    """One line says what to add, or how to write it."""
    with pytest.raises(InvalidInput, match=re.escape(message)):
        check(replace(GOOD, target=target, **changes))


def test_what_is_complete_passes() -> None:
    """A target asks for no more than it needs."""
    check(GOOD)
    check(Deployment(model="m", version=1, target=Target.DOCKER))
    check(Deployment(model="m", version=1, target=Target.AZUREML))


def test_versions_are_those_that_the_model_was_made_with() -> None:
    """Its own requirements win; local versions count as the public ones that an index has."""
    packages = {"Numpy": "2.1.0", "torch": "2.8.0+cpu", "typing_extensions": "4.12"}
    lines = ["numpy==2.0.0", "mlflow==3.17.2  ", "scipy>=1", "-e .", "# a==1", "x==1; python<4"]
    assert constraints(packages, lines) == {
        "mlflow": "3.17.2",
        "numpy": "2.0.0",
        "torch": "2.8.0",
        "typing-extensions": "4.12",
        "x": "1",
    }
