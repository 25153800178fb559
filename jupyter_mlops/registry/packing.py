"""``mlops.log_model``: a model with the functions around it, and what its card will tell.

Runs in the notebook's kernel, beside the user's own MLflow.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .. import interpreter
from ..core.model_names import check_model_name, check_own_tags
from ..core.runs import (
    ATTEMPT_VARIABLE,
    DECLARATION,
    INGREDIENT,
    PROJECT_VARIABLE,
    READS_VARIABLE,
)
from . import definitions, weights
from .datasets import describe_data, sample_of
from .functions import Gathered, check_arguments, source_of
from .model_files import FEATURES
from .reference import write_reference

#: Where in a model's files what its card tells is, and the requests whose predictions are kept.
FACTS = "artifacts/functions/facts.json"
#: Requests of the sample.
ROWS = 20
#: Form of that file.
FORM = 1

#: Set where a run is tracked.
_TRACKED = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID")


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model that was logged."""

    name: str
    #: What MLflow calls it.
    uri: str
    run_id: str | None

    def __repr__(self) -> str:
        """Say what to do next."""
        how = f"%mlops register {self.name} --run ID"
        return f"Logged the model {self.name}. When the run has ended, register it: {how}"


def log_model(
    model: Any,
    name: str = "model",
    *,
    featurize: Callable[[Any], Any] | None = None,
    predict: Callable[[Any, Any], Any] | None = None,
    data: Any = None,
    tags: Mapping[str, Any] | None = None,
    example: Any = None,
) -> LoggedModel | None:
    """Log a model so that it takes raw requests, with what its card needs.

    ``featurize(requests)`` makes of a table of raw requests what the model takes, and
    ``predict(model, features)`` what is answered; unasked that is ``model.predict(features)``.
    Both are kept as source, with whatever they need of the notebook and the project. ``data`` is a
    path, a table, or the parts of a split: ``{"train": train, "validation": valid}``. ``tags``
    such as owner, task and stakeholders go onto the card. ``example`` is a table of raw requests:
    predictions for its first rows are kept, so that a rebuilt model can be compared.

    The model is one of scikit-learn, xgboost, lightgbm, PyTorch or Keras, any function, or any
    object that can be pickled. Columns of the example that are features of the run's training sets
    need not be in requests: an endpoint fetches them from the online store. Outside a tracked run
    nothing is logged, and a line says so. Raises `InvalidInput`.
    """
    check_model_name(name)
    own = {str(key): str(value) for key, value in (tags or {}).items()}
    check_own_tags(own)
    if featurize is not None:
        check_arguments("featurize", featurize, 1)
    if predict is not None:
        check_arguments("predict", predict, 2)
    parts, paths = describe_data(data)
    if not _is_tracked():
        print(  # noqa: T201  # the one line that an untracked notebook shows
            "The model was not logged: nothing is tracked here. Track it with: %mlops track"
        )
        return None
    _declare(paths)
    functions = _functions(model, featurize, predict)
    requests = _example(example, data, featurize)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlops-")))
        stack.enter_context(_without_bytecode())
        gathered = Gathered(functions, _root())
        gathered.need(weights.modules(model))
        gathered.write(folder / "functions", folder / "code")
        loader = weights.save(model, folder / "weights")
        plan = {
            "loader": loader,
            "variables": weights.variables(model),
            "given": [name for name in functions if name != "model"],
        }
        (folder / "functions" / "plan.json").write_text(json.dumps(plan), "utf-8")
        write_reference(data, folder / "reference")
        facts = {
            "form": FORM,
            "definition": definitions.describe(model),
            "functions": _function_facts(featurize, predict, gathered),
            "environment": _environment(),
            "data": {"splits": parts, "paths": paths},
            "tags": own,
            "name": name,
        }
        answers = _answers(folder, requests, required=example is not None)
        if answers is None:
            requests = None
        else:
            facts["sample"] = {
                "rows": len(requests),
                "predictions": definitions.predictions(answers),
            }
        signature = _signature(requests, answers)
        return _log(
            name, folder, facts, requests, signature, weights.requirements(gathered.packages)
        )


def _log(
    name: str,
    folder: Path,
    facts: dict[str, Any],
    requests: Any,
    signature: Any,
    requirements: list[str],
) -> LoggedModel:
    import mlflow

    (folder / "functions" / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")
    kept = ("functions", "weights", "reference")
    artifacts = {each: str(folder / each) for each in kept if (folder / each).exists()}
    features = _features(requests)
    code = sorted(str(each) for each in (folder / "code").iterdir()) if _has(folder) else None
    info = mlflow.pyfunc.log_model(
        name=name,
        python_model=str(Path(__file__).with_name("raw_model.py")),
        artifacts=artifacts,
        code_paths=code,
        pip_requirements=requirements,
        input_example=requests,
        signature=signature,
        metadata={FEATURES: features} if features else None,
    )
    return LoggedModel(name, info.model_uri, info.run_id)


def _features(requests: Any) -> dict[str, str]:
    """Return the features of the run's training sets by the columns of requests that hold them."""
    try:
        lines = Path(os.environ[READS_VARIABLE]).read_text("utf-8", "replace").splitlines()
    except (KeyError, OSError):
        return {}
    found = {}
    for line in lines:
        if line.startswith(INGREDIENT):
            record = json.loads(line.removeprefix(INGREDIENT))
            if record["column"] in getattr(requests, "columns", ()):
                found[record["column"]] = record["feature"]
    return found


def _has(folder: Path) -> bool:
    return (folder / "code").is_dir()


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Keep what Python compiles out of a model's files, which are tried where they lie."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _signature(requests: Any, answers: Any) -> Any:
    if requests is None:
        return None
    from mlflow.models import infer_signature

    with warnings.catch_warnings():
        # It would have whole numbers be floats, in case that one is missing some day.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return infer_signature(requests, answers)
        except Exception:  # noqa: BLE001 - what it raises for answers of unusual types is not told
            return infer_signature(requests)


def _answers(folder: Path, requests: Any, *, required: bool) -> Any:
    """Return what the packed model answers; None without requests.

    Rows of the data that were taken for requests may have more columns than the model takes.
    """
    if requests is None:
        return None
    try:
        return _predictions(folder, requests)
    except Exception:
        if required:
            raise
        return None


def _predictions(folder: Path, requests: Any) -> Any:
    """Return what the packed model answers, loaded as it will be."""
    from .raw_model import RawModel

    paths = {each: str(folder / each) for each in ("functions", "weights")}
    model = RawModel()
    sys.path.insert(0, str(folder / "code"))
    try:
        model.load_context(SimpleNamespace(artifacts=paths))
        return model.predict(None, requests)
    finally:
        sys.path.remove(str(folder / "code"))


def _functions(
    model: Any, featurize: Callable[..., Any] | None, predict: Callable[..., Any] | None
) -> dict[str, Callable[..., Any]]:
    found = {"featurize": featurize, "predict": predict}
    if inspect.isfunction(model):
        found["model"] = model
    return {name: each for name, each in found.items() if each is not None}


def _function_facts(
    featurize: Callable[..., Any] | None,
    predict: Callable[..., Any] | None,
    gathered: Gathered,
) -> dict[str, Any]:
    return {
        "featurize": {"source": source_of(featurize) if featurize is not None else None},
        "predict": {
            "source": source_of(predict) if predict is not None else "model.predict(features)",
            "given": predict is not None,
        },
        "takes_raw_requests": True,
        "modules": sorted(gathered.modules),
        "packages": sorted(gathered.packages),
        "pickled": sorted(gathered.state),
    }


def _example(example: Any, data: Any, featurize: Callable[[Any], Any] | None) -> Any:
    """Return the requests whose predictions are kept.

    Rows of the data are requests only where no featurize stands before the model.
    """
    if example is not None:
        return example.iloc[:ROWS] if hasattr(example, "iloc") else example[:ROWS]
    return sample_of(data, ROWS) if featurize is None else None


def _environment() -> dict[str, Any]:
    found = interpreter.describe()
    del found["paths"]
    return found


def _declare(paths: list[str]) -> None:
    """Tell the run which files were given, so that their versions are recorded."""
    report = os.environ.get(READS_VARIABLE)
    if report and paths:
        with Path(report).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(f"{DECLARATION}{path}\n" for path in paths))


def _is_tracked() -> bool:
    mlflow = sys.modules.get("mlflow")
    active = mlflow is not None and mlflow.active_run() is not None
    return active or any(os.environ.get(name) for name in (*_TRACKED, ATTEMPT_VARIABLE))


def _root() -> Path:
    """Return the project's folder, as the worker told it, or else as git and we would."""
    known = os.environ.get(PROJECT_VARIABLE)
    if known:
        return Path(known)
    here = Path.cwd()
    marks = ("mlops.toml", ".dvc", ".git")
    return next((each for each in (here, *here.parents) if _marked(each, marks)), here)


def _marked(folder: Path, marks: tuple[str, ...]) -> bool:
    return any((folder / each).exists() for each in marks)
