"""A project whose notebooks log models, for tests of their cards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_mlops.app import messages as m
from jupyter_mlops.app import model_operations
from jupyter_mlops.app import operations as ops
from jupyter_mlops.app.client import Client
from tests.support import workers
from tests.support.repositories import call, make_repository

DATA = """
import numpy as np
import pandas as pd
import helper
from sklearn.linear_model import LogisticRegression
import jupyter_mlops as mlops

table = pd.read_csv("data/flights.csv")
train, test = table.iloc[:80], table.iloc[80:]
model = LogisticRegression(C=rate).fit(helper.scaled(train), train["late"])
mlops.log(accuracy=model.score(helper.scaled(test), test["late"]), step=1)
mlops.log(accuracy=model.score(helper.scaled(test), test["late"]), step=2)
"""
LOG = """
SCALE = 2.0
offset = np.array([1.0])

def double(values):
    return values * SCALE + offset[0] - 1.0

def featurize(requests):
    return helper.scaled(requests.assign(hour=double(requests["half"])))

def predict(model, features):
    return model.predict_proba(features)[:, 1]

mlops.log_model(
    model,
    "flights",
    featurize=featurize,
    predict=predict,
    data={"train": train, "test": test},
    example=test.assign(half=test["hour"] / 2)[["half", "distance"]],
    tags={"owner": "ada", "task": "delays", "stakeholders": "ops, crew"},
)
"""
PLAIN = """
import mlflow
mlflow.sklearn.log_model(model, name="m", input_example=helper.scaled(test).head(3),
                         pip_requirements=["scikit-learn"])
"""
HELPER = """
COLUMNS = ["hour", "distance"]

def scaled(table):
    return table[COLUMNS] / [24, 1000]
"""


@contextmanager
def project(root: Path) -> Iterator[Client]:
    """A project in a repository with data in DVC, and three notebooks; two log a model."""
    folder = make_repository(root / "project", mlops_toml="", helper_py=HELPER)
    (folder / ".gitignore").write_text("runs/\n.mlops/\n__pycache__/\n", "utf-8")
    (folder / "data").mkdir()
    rows = [f"{h % 24},{h * 7 % 900},{int(h % 24 > 11)}" for h in range(120)]
    (folder / "data" / "flights.csv").write_text("\n".join(["hour,distance,late", *rows]))
    call("dvc", "add", "--quiet", "data/flights.csv", folder=folder)
    call("dvc", "remote", "add", "--default", "store", str(root / "remote"), folder=folder)
    with workers.worker(folder) as started:
        for name, last in (("train", LOG), ("plain", PLAIN), ("none", "1")):
            workers.write(started, "rate: float = 1.0", DATA, last, name=f"{name}.ipynb")
        call("git", "add", "--all", ".", folder=folder)
        call("git", "commit", "--quiet", "--message", "Train", folder=folder)
        yield started


def run(client: Client, notebook: str, **request: object) -> m.RunView:
    """Run a notebook to its end."""
    sweep = workers.wait_for(client, workers.submit(client, notebook, **request).id)
    found = workers.runs(client, sweep.id)[0]
    assert found.error is None
    return found


def register(client: Client, notebook: str, name: str, **request: Any) -> m.ModelVersionView:
    """Run a notebook and register its model."""
    body = m.RegisterRequest(run=run(client, notebook).id, **request)
    return client.call(ops.REGISTER_MODEL, body=body, name=name, timeout=None)


def card_of(client: Client, version: m.ModelVersionView) -> m.CardView:
    """Return a version's card."""
    return client.call(model_operations.MODEL_CARD, name=version.name, version=str(version.version))
