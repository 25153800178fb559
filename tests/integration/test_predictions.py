"""Predictions for files: pieces, formats, errors, and what a kill leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.core.exceptions import Conflict, InvalidInput, ModelAltered
from jupyter_mlops.registry.batch import Job, _alone, as_table, predict_file
from jupyter_mlops.registry.mlops_scoring.columns import WrongColumn
from jupyter_mlops.registry.model_files import present_hashes
from jupyter_mlops.registry.sources import Source
from tests.support import served
from tests.support.tracked import MLFLOW_WARNING

pytestmark = pytest.mark.filterwarnings(MLFLOW_WARNING)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a model's files, as the worker makes them."""
    folder = tmp_path_factory.mktemp("model")
    place = folder / "model"
    served.save(place, served.ADDER.format(number=1, before="pass"))
    (folder / "sha256.json").write_text(json.dumps(present_hashes(place)))
    return folder


def table(count: int) -> pd.DataFrame:
    """Rows that the model takes, with an id that it does not."""
    numbers = np.arange(count)
    return pd.DataFrame(
        {"id": numbers, "distance": numbers * 0.1, "hour": numbers % 24, "name": "a b"}
    )


def expected(frame: pd.DataFrame) -> list[float]:
    """What the model predicts."""
    return (frame["distance"] * 2.0 + frame["hour"] + 1).tolist()


def write(frame: pd.DataFrame, path: Path) -> Source:
    """Write rows in the format that a name tells."""
    match path.suffix:
        case ".parquet":
            frame.to_parquet(path)
        case ".csv":
            frame.to_csv(path, index=False)
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True, double_precision=15)
        case _:
            with duckdb.connect(str(path)) as connection:
                connection.register("frame", frame)
                connection.execute("CREATE TABLE flights AS SELECT * FROM frame")
    return Source(path)


def read(path: Path) -> pd.DataFrame:
    """Read an output."""
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("beginning", ["rows.parquet", "rows.csv", "rows.jsonl", "rows.duckdb"])
def test_formats(files: Path, tmp_path: Path, beginning: str, ending: str) -> None:
    """Every source gives the same rows in the same order, with the predictions beside them."""
    frame = table(2500)
    source = write(frame, tmp_path / beginning)
    output = tmp_path / f"out.{ending}"
    told: list[tuple[int, int | None]] = []
    done = predict_file(
        Job(files=files, input=source, output=output, chunk=1000),
        lambda done, total: told.append((done, total)),
    )
    assert done == 2500
    assert told[0][0] == 0
    assert told[-1][0] == 2500
    made = read(output)
    assert made.columns.tolist() == ["id", "distance", "hour", "name", "prediction"]
    assert made["id"].tolist() == frame["id"].tolist()
    assert made["prediction"].tolist() == pytest.approx(expected(frame), rel=1e-12)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([beginning, output.name])


def test_several_files(files: Path, tmp_path: Path) -> None:
    """A pattern means its files in the order of their names."""
    frame = table(30)
    for i in (2, 0, 1):
        write(frame.iloc[i * 10 : (i + 1) * 10], tmp_path / f"day{i}.parquet")
    output = tmp_path / "out.parquet"
    predict_file(Job(files=files, input=Source(tmp_path / "day*.parquet"), output=output))
    assert read(output)["id"].tolist() == list(range(30))


def test_predictions_alone_and_of_some_rows(files: Path, tmp_path: Path) -> None:
    """The columns of the input can be left out, and the first rows taken alone."""
    source, output = write(table(50), tmp_path / "rows.parquet"), tmp_path / "out.csv"
    predict_file(
        Job(files=files, input=source, output=output, rows=7, chunk=3, only_predictions=True)
    )
    made = read(output)
    assert made.columns.tolist() == ["prediction"]
    assert made["prediction"].tolist() == pytest.approx(expected(table(7)))


def test_goes_on_where_it_was_interrupted(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that were predicted are not predicted again, unless something has changed."""
    from jupyter_mlops.registry import batch

    source, output = write(table(1000), tmp_path / "rows.parquet"), tmp_path / "out.parquet"
    job = Job(files=files, input=source, output=output, chunk=100)
    seen: list[int] = []
    predict = batch.Model.predict

    def counting(self: Any, frame: pd.DataFrame, *, start: int = 0) -> pd.DataFrame:
        if start == fail_at:
            raise KeyboardInterrupt
        seen.append(start)
        return predict(self, frame, start=start)

    monkeypatch.setattr(batch.Model, "predict", counting)
    fail_at = 400
    with pytest.raises(KeyboardInterrupt):
        predict_file(job)
    assert not output.exists()
    assert seen == [0, 100, 200, 300]
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        predict_file(job)
    assert seen == []
    fail_at = -1
    assert predict_file(job) == 1000
    assert seen == list(range(400, 1000, 100))
    assert read(output)["prediction"].tolist() == pytest.approx(expected(table(1000)))
    fail_at, _ = 300, seen.clear()
    with pytest.raises(KeyboardInterrupt):
        predict_file(job)
    write(table(900), source.path)
    fail_at = -1
    seen.clear()
    assert predict_file(job) == 900
    assert seen[0] == 0


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_wrong_value_is_named(files: Path, tmp_path: Path, name: str) -> None:
    """A value of another type is told with its column and its row in the file."""
    frame = table(30)
    frame["hour"] = [str(each) for each in frame["hour"]]
    frame.loc[24, "hour"] = "noon"
    source = write(frame, tmp_path / name)
    job = Job(files=files, input=source, output=tmp_path / "out.csv", chunk=10)
    row = 25 if name == "rows.csv" else 1  # in Parquet the whole column is text
    with pytest.raises(WrongColumn, match=f"Column 'hour': expected long, .* in row {row}"):
        predict_file(job)
    assert not (tmp_path / "out.csv").exists()


def test_missing_values_of_whole_numbers(files: Path, tmp_path: Path) -> None:
    """A missing value is refused where the signature has no place for it, by its row."""
    frame = table(30).astype({"hour": "Int64"})
    frame.loc[12, "hour"] = pd.NA
    source = write(frame, tmp_path / "rows.parquet")
    job = Job(files=files, input=source, output=tmp_path / "out.csv", chunk=10)
    with pytest.raises(WrongColumn, match="Column 'hour': expected long, got null in row 13"):
        predict_file(job)


def test_missing_column(files: Path, tmp_path: Path) -> None:
    """A missing column is told with those that there are."""
    source = write(table(3).drop(columns="hour"), tmp_path / "rows.csv")
    job = Job(files=files, input=source, output=tmp_path / "out.csv")
    with pytest.raises(
        WrongColumn, match=r"'hour': expected long, got no such column .*'distance'"
    ):
        predict_file(job)


def test_bad_input(files: Path, tmp_path: Path) -> None:
    """What cannot be read or written is refused, with what to do."""
    rows, out = write(table(3), tmp_path / "rows.parquet"), tmp_path / "out.parquet"
    (tmp_path / "rows.xlsx").write_bytes(b"x")
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    write(table(0), tmp_path / "empty.parquet")
    database = tmp_path / "two.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE a AS SELECT 1.5 AS distance, 1 AS hour")
        connection.execute("CREATE TABLE b AS SELECT 2.5 AS distance, 1 AS hour")
    for source, output, message in (
        (Source(tmp_path / "none.csv"), out, "There is no file"),
        (Source(tmp_path / "rows.xlsx"), out, "of no known format"),
        (Source(tmp_path / "broken.parquet"), out, "broken.parquet cannot be read"),
        (Source(tmp_path / "empty.parquet"), out, "has no rows"),
        (Source(database), out, r"not one table \(there are: a, b\)"),
        (Source(database, "c"), out, "no table c"),
        (rows, tmp_path / "out.xlsx", "must end in .parquet or .csv"),
        (rows, tmp_path / "nowhere" / "out.csv", "there is no folder"),
    ):
        with pytest.raises(InvalidInput, match=message):
            predict_file(Job(files=files, input=source, output=output))
    predict_file(Job(files=files, input=Source(database, "b"), output=out))
    assert read(out)["prediction"].tolist() == [7.0]


def test_one_at_a_time(files: Path, tmp_path: Path) -> None:
    """Two runs do not write the same output."""
    source, output = write(table(3), tmp_path / "rows.parquet"), tmp_path / "out.csv"
    with _alone(tmp_path / ".out.csv.parts"), pytest.raises(Conflict, match="Another run"):
        predict_file(Job(files=files, input=source, output=output))


def test_altered_copy_is_refused(files: Path, tmp_path: Path) -> None:
    """A copy that somebody has changed is not loaded."""
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(files, copy)
    (copy / "model" / "MLmodel").write_text("other")
    source = write(table(3), tmp_path / "rows.parquet")
    with pytest.raises(ModelAltered):
        predict_file(Job(files=copy, input=source, output=tmp_path / "out.csv"))


@pytest.mark.parametrize(
    ("raw", "columns"),
    [
        ([1, 2], ["prediction"]),
        (np.array([1.5, 2.5]), ["prediction"]),
        (pd.Series([1, 2], index=[5, 6], name="late"), ["prediction"]),
        (np.array([[0.1, 0.9], [0.8, 0.2]]), ["prediction_0", "prediction_1"]),
        (pd.DataFrame({"late": [1, 2], 0: [3, 4]}), ["late", "0"]),
    ],
)
def test_shapes_of_predictions(raw: Any, columns: list[str]) -> None:
    """Whatever a model returns becomes columns, one row for each of its input."""
    made = as_table(raw, 2)
    assert made.columns.tolist() == columns
    assert made.index.tolist() == [0, 1]
    with pytest.raises(InvalidInput, match="2 predictions of 3 rows"):
        as_table(raw, 3)


def test_types_that_differ_between_pieces(tmp_path: Path) -> None:
    """A column that is whole in one piece and not in another is written as one of numbers."""
    source = (
        "import mlflow.pyfunc\n"
        "class Odd(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        first = model_input['hour'].iloc[0]\n"
        "        return [1 if first == 0 else 1.5] * len(model_input)\n"
        "mlflow.models.set_model(Odd())\n"
    )
    folder = tmp_path / "files"
    served.save(folder / "model", source)
    (folder / "sha256.json").write_text(json.dumps(present_hashes(folder / "model")))
    rows, output = write(table(20), tmp_path / "rows.parquet"), tmp_path / "out.parquet"
    predict_file(Job(files=folder, input=rows, output=output, chunk=10))
    assert read(output)["prediction"].tolist() == [1.0] * 10 + [1.5] * 10
    assert pq.read_schema(output).field("prediction").type == "double"
