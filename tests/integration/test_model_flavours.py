"""Models of each kind are logged, registered, described, and answer raw requests elsewhere."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions as providers
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.client import Client
from tests.support import workers
from tests.support.carded import card_of, register
from tests.support.repositories import make_repository
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)

#: Requests have a column that no model takes: featurize makes another one of it.
DATA = """
import json
import helper
import numpy as np
import pandas as pd
import jupyter_mlops as mlops

numbers = np.arange(120)
requests = pd.DataFrame({"half": numbers % 24 / 2, "distance": numbers * 7 % 900})
truth = (numbers % 24 > 11).astype("int64")

def featurize(requests):
    return helper.scaled(requests)

features = featurize(requests)
"""
HELPER = """
import pandas as pd

class Threshold:
    def __init__(self, limit):
        self.limit = limit

    def predict(self, features):
        return (features["hour"] > self.limit).to_numpy()

def scaled(requests):
    hour = requests["half"] * 2 / 24
    return pd.DataFrame({"hour": hour, "distance": requests["distance"] / 1000})
"""
#: What is the same for all: ``model``, and ``expected``, what it answers without our packaging.
LOG = """
json.dump(np.ravel(expected(features)[:10]).tolist(), open("NAME.json", "w"))
mlops.log(loss=0.5)
mlops.log_model(model, "NAME", featurize=featurize, data={"train": requests},
                example=requests.head(10), tags={"stakeholders": "ops"})
"""
TORCH = """
import torch

class Net(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.hidden = hidden
        self.first = torch.nn.Linear(2, hidden)
        self.dropout = torch.nn.Dropout(0.5)
        self.second = torch.nn.Linear(hidden, 1)

    def forward(self, features):
        return self.second(self.dropout(torch.relu(self.first(features))))

torch.manual_seed(1)
model = Net(8)

def expected(features):
    model.eval()
    made = model(torch.tensor(features.to_numpy("float32"))).detach().numpy()
    model.train()
    return made
"""
KERAS = """
import os
from importlib.util import find_spec
backends = ("tensorflow", "jax", "torch")
os.environ["KERAS_BACKEND"] = next(each for each in backends if find_spec(each))
import keras

model = keras.Sequential([
    keras.Input((2,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(features.to_numpy(), truth, epochs=1, verbose=0)
expected = lambda features: model.predict(features.to_numpy(), verbose=0)
"""


@dataclass(frozen=True)
class Kind:
    """A kind of model: what it needs, how one is made, and what its card must tell of it."""

    package: str
    code: str
    klass: str
    framework: str
    told: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)


KINDS = {
    "sklearn": Kind(
        "sklearn",
        """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(features, truth)
expected = model.predict
""",
        "sklearn.pipeline.Pipeline",
        "sklearn",
        {"task": "classification", "parameter_count": 3, "features": 2},
        {"logisticregression__C": 0.5},
    ),
    "xgboost": Kind(
        "xgboost",
        """
from xgboost import XGBClassifier
model = XGBClassifier(n_estimators=4, max_depth=2).fit(features, truth)
expected = model.predict
""",
        "xgboost.sklearn.XGBClassifier",
        "xgboost",
        {"task": "classification", "loss": "binary:logistic", "trees": 4, "features": 2},
        {"max_depth": 2, "n_estimators": 4},
    ),
    "booster": Kind(
        "xgboost",
        """
import xgboost
given = {"objective": "reg:squarederror", "max_depth": 3}
model = xgboost.train(given, xgboost.DMatrix(features, truth), num_boost_round=5)
expected = lambda features: model.predict(xgboost.DMatrix(features))
""",
        "xgboost.core.Booster",
        "xgboost",
        {"loss": "reg:squarederror", "trees": 5, "features": 2},
        {"max_depth": "3"},
    ),
    "lightgbm": Kind(
        "lightgbm",
        """
from lightgbm import LGBMClassifier
model = LGBMClassifier(n_estimators=4, num_leaves=5, verbose=-1).fit(features, truth)
expected = model.predict
""",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm",
        {"task": "classification", "loss": "binary", "trees": 4, "features": 2},
        {"n_estimators": 4, "num_leaves": 5},
    ),
    "leaves": Kind(
        "lightgbm",
        """
import lightgbm
given = {"objective": "binary", "num_leaves": 5, "verbose": -1}
model = lightgbm.train(given, lightgbm.Dataset(features, truth), num_boost_round=6)
expected = model.predict
""",
        "lightgbm.basic.Booster",
        "lightgbm",
        {"loss": "binary", "trees": 6, "features": 2},
        {"num_leaves": 5},
    ),
    "torch": Kind(
        "torch",
        TORCH,
        "__main__.Net",
        "torch",
        {"parameter_count": 33, "trainable_count": 33},
        {"hidden": 8},
    ),
    "keras": Kind(
        "keras",
        KERAS,
        "keras.src.models.sequential.Sequential",
        "keras",
        {"parameter_count": 33, "loss": "binary_crossentropy"},
        {"name": "adam"},
    ),
    "function": Kind(
        "pandas",
        """
limit = 0.25

def model(features):
    return features["hour"] * 2 + limit
expected = model
""",
        "function model",
        "python",
        {"signature": "(features)"},
    ),
    "object": Kind(
        "pandas",
        "model = helper.Threshold(0.5)\nexpected = model.predict",
        "helper.Threshold",
        "helper",
        {},
        {"limit": 0.5},
    ),
}


#: How plain MLflow logs those that it has a form of its own for, and what their cards can tell.
PLAIN = {
    "booster": ("mlflow.xgboost.log_model(model, input_example=features.head(3)", {"trees": 5}),
    "leaves": ("mlflow.lightgbm.log_model(model, input_example=features.head(3)", {"trees": 6}),
    "torch": (
        "mlflow.pytorch.log_model(model, input_example=features.head(3).to_numpy('float32')",
        {"parameter_count": 33},
    ),
    "keras": ("mlflow.keras.log_model(model", {"parameter_count": 33}),
}


def marked(names: Iterable[str]) -> list[Any]:
    """Return kinds for tests, those that are not here with the reason to skip them."""
    found = []
    for name in names:
        package = KINDS[name].package
        reason = f"{package} is not installed"
        skips = pytest.mark.skipif(find_spec(package) is None, reason=reason)
        found.append(pytest.param(name, marks=skips))
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A project with a module that its notebooks import."""
    root = tmp_path_factory.mktemp("kinds")
    folder = make_repository(root / "project", mlops_toml="", helper_py=HELPER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(root / "keras"))
        with workers.worker(folder) as started:
            yield started


def described(client: Client, name: str, *cells: str) -> dict[str, m.PartView]:
    """Register what the cells log as a model; return the parts of its card."""
    workers.write(client, "x: int = 1", DATA, *cells, name=f"{name}.ipynb")
    version = register(client, f"{name}.ipynb", name)
    return {each.name.value: each for each in card_of(client, version).parts}


@pytest.mark.parametrize("name", marked(KINDS))
def test_kind(client: Client, name: str, tmp_path: Path) -> None:
    """Its card tells what it is, each file's hash and the columns; elsewhere it answers alike."""
    kind = KINDS[name]
    parts = described(client, name, kind.code, LOG.replace("NAME", name))
    definition = parts["definition"].facts
    assert (definition["class"], definition["framework"]) == (kind.klass, kind.framework)
    assert {key: definition.get(key) for key in kind.told} == kind.told
    hyperparameters = definition.get("hyperparameters", {})
    assert {key: hyperparameters.get(key) for key in kind.hyperparameters} == kind.hyperparameters
    assert parts["definition"].line is None
    if name in ("torch", "keras"):
        counts = [each["parameters"] for each in definition["layers"]]
        assert [each for each in counts if each] == [24, 9]
    model = client.project.root / "models" / name / "v1" / "model"
    check_files(model, parts["parameters"].facts)
    check_signature(model)
    asked = parts["functions"].facts["signature"]["inputs"]
    assert asked == ["half: double", "distance: long"]
    assert parts["data"].facts["columns"] == ["half", "distance"]
    lines = parts["dependencies"].facts["requirements"]
    assert {f"{each}=={version_of(each)}" for each in providers()[kind.package]} <= set(lines)
    expected = json.loads((client.project.root / f"{name}.json").read_text("utf-8"))
    assert answers(model, tmp_path) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", marked(PLAIN))
def test_logged_by_mlflow(client: Client, name: str) -> None:
    """What MLflow alone has logged is loaded once, as it was made, and described too."""
    kind, (call, told), other = KINDS[name], PLAIN[name], f"plain-{name}"
    log = f"import mlflow\n{call}, name='m', pip_requirements=['mlflow'])"
    parts = described(client, other, kind.code, log)
    definition = parts["definition"].facts
    assert "problem" not in definition
    assert definition["framework"] == kind.framework
    assert {key: definition.get(key) for key in told} == told
    check_files(client.project.root / "models" / other / "v1" / "model", parts["parameters"].facts)


def check_files(model: Path, facts: dict[str, Any]) -> None:
    """See that the card has each file of a model with its size and hash."""
    present = {
        each.relative_to(model).as_posix(): (
            each.stat().st_size,
            hashlib.sha256(each.read_bytes()).hexdigest(),
        )
        for each in model.rglob("*")
        # MLflow writes the latter when a model's files are fetched.
        if each.is_file() and each.name != "registered_model_meta"
    }
    told = {each["path"]: (each["size"], each["sha256"]) for each in facts["files"]}
    assert told == present
    assert facts["size"] == sum(size for size, _ in told.values())


def check_signature(model: Path) -> None:
    """See that a model's signature is that of raw requests, and says what is answered."""
    signature = yaml.safe_load((model / "MLmodel").read_text("utf-8"))["signature"]
    inputs = [(each["name"], each["type"]) for each in json.loads(signature["inputs"])]
    assert inputs == [("half", "double"), ("distance", "long")]
    assert json.loads(signature["outputs"])


def answers(model: Path, folder: Path) -> list[float]:
    """Load a model in another process that has nothing of ours and of the project."""
    script = (
        "import json, sys, mlflow, numpy as np, pandas as pd\n"
        "sys.modules['jupyter_mlops'] = None\n"
        f"model = mlflow.pyfunc.load_model({str(model)!r})\n"
        "numbers = np.arange(10)\n"
        "requests = pd.DataFrame({'half': numbers % 24 / 2, 'distance': numbers * 7 % 900})\n"
        "print(json.dumps(np.ravel(model.predict(requests)).tolist()))\n"
    )
    done = subprocess.run(
        (sys.executable, "-I", "-c", script), cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: list[float] = json.loads(done.stdout.decode().splitlines()[-1])
    return found
