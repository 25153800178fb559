"""What other systems are told of features, and that nobody's files are written over."""

from __future__ import annotations

import ast
import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from jupyter_mlops.catalog.exporters import amundsen, datahub, feast
from jupyter_mlops.catalog.exporters.writing import RECORD, Exported, write
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import Catalog, read_catalog
from jupyter_mlops.core.exceptions import Conflict, InvalidInput, NotFound
from jupyter_mlops.core.features import Source
from tests.support.catalog import write_group
from tests.support.features import place as make_place
from tests.support.stored import declared, project, store

AT = [datetime(2020, 1, day, tzinfo=UTC) for day in (2, 3)]
EXPORTERS = (feast.export, datahub.export, amundsen.export)


def stored(root: Path, values: Any = (1.5, None), **said: Any) -> tuple[Place, Catalog]:
    """Make a project with one feature, ``shop.spent``, stored with these values."""
    place, catalog = project(root, shop=declared("spent", **said))
    values = values if isinstance(values, pa.Array) else pa.array(values)
    keys = {name: pa.array(["a", "b"]) for name in said.get("entity", ("key",))}
    times = {} if said.get("timestamp", "at") is None else {"at": pa.array(AT)}
    store(place, catalog, "shop.spent", pa.table({**keys, **times, "spent": values}))
    return place, catalog


def module(done: Exported) -> str:
    """The Python that Feast is to read, which is at least that."""
    text = next(path for path in done.files if path.name == "features.py").read_text("utf-8")
    ast.parse(text)
    return text


def proposals(done: Exported) -> dict[tuple[str, str], Any]:
    """What DataHub is told, by entity and aspect."""
    found = json.loads(done.files[0].read_text("utf-8"))
    return {(each["entityUrn"], each["aspectName"]): each["aspect"]["json"] for each in found}


def rows(done: Exported, name: str) -> list[dict[str, str]]:
    """The rows of one of Amundsen's files."""
    with next(path for path in done.files if path.name == name).open(newline="") as file:
        return list(csv.DictReader(file))


# -- files -----------------------------------------------------------------------------------------


def test_what_was_exported_is_exported_again(tmp_path: Path) -> None:
    """Files are replaced, those that are not exported any more go, and others' stay."""
    write(tmp_path / "out", {"a.txt": "1", "b/c.txt": "2"})
    (tmp_path / "out" / "registry.db").write_text("theirs")
    files = write(tmp_path / "out", {"a.txt": "3"})
    assert files == (tmp_path / "out" / "a.txt",)
    assert files[0].read_text() == "3"
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert left == {"a.txt", "registry.db", RECORD}


@pytest.mark.parametrize("name", ["a.txt", "b/c.txt"])
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    """A file of somebody else, or one that was changed, keeps all from being written."""
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("theirs")
    contents = {"a.txt": "1", "b/c.txt": "2"}
    with pytest.raises(Conflict, match="exists already"):
        write(tmp_path, contents)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs]
    theirs.unlink()
    write(tmp_path, contents)
    theirs.write_text("changed")
    with pytest.raises(Conflict, match="was changed since it was exported"):
        write(tmp_path, {"a.txt": "3", "b/c.txt": "4"})
    assert theirs.read_text() == "changed"
    assert "3" not in (tmp_path / "a.txt").read_text()


def test_a_changed_file_that_is_not_exported_any_more_stays(tmp_path: Path) -> None:
    """It is somebody's work now."""
    write(tmp_path, {"a.txt": "1", "b.txt": "2"})
    (tmp_path / "b.txt").write_text("changed")
    write(tmp_path, {"a.txt": "3"})
    assert (tmp_path / "b.txt").read_text() == "changed"


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link in a file's place is not ours, whatever it leads to."""
    write(tmp_path / "out", {"a.txt": "1"})
    (tmp_path / "elsewhere.txt").write_text("1")
    (tmp_path / "out" / "a.txt").unlink()
    (tmp_path / "out" / "a.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(Conflict, match="was changed"):
        write(tmp_path / "out", {"a.txt": "2"})


@pytest.mark.parametrize("record", ["", "[]", '{"files": 1}', '{"files": {"../b.txt": ["HASH"]}}'])
def test_a_strange_record_removes_nothing(tmp_path: Path, record: str) -> None:
    """Whoever wrote it, it reaches no file outside of the folder."""
    (tmp_path / "out").mkdir()
    (tmp_path / "b.txt").write_text("")
    hashed = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "out" / RECORD).write_text(record.replace("HASH", hashed))
    write(tmp_path / "out", {"a.txt": "1"})
    assert (tmp_path / "b.txt").exists()


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Nothing has its name before all is written, and nothing stays beside."""
    write(tmp_path, {"a.txt": "1", "b.txt": "1"})

    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(NotFound, match="cannot be written: No space left on device"):
        write(tmp_path, {"a.txt": "2", "b.txt": fail})
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.txt", RECORD}
    assert (tmp_path / "a.txt").read_text() == "1"


def test_an_export_that_was_killed_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had written counts as exported."""
    write(tmp_path, {"a.txt": "1", "b.txt": "1"})
    replace_file = Path.replace

    def replace_one(self: Path, target: Path) -> Path:
        if target.name == "b.txt":
            raise KeyboardInterrupt
        return replace_file(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace_one)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, {"a.txt": "2", "b.txt": "2"})
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == ["2", "1"]
    write(tmp_path, {"a.txt": "3", "b.txt": "3"})
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == ["3", "3"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It is refused, and stays."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Conflict, match="is a file"):
        write(tmp_path / "out", {"a.txt": "1"})
    with pytest.raises(NotFound, match="cannot be written"):
        write(tmp_path / "out" / "deeper", {"a.txt": "1"})


# -- all systems -----------------------------------------------------------------------------------


@pytest.mark.parametrize("export", EXPORTERS)
def test_a_project_without_features_has_nothing_to_export(tmp_path: Path, export: Any) -> None:
    """It says so, and writes nothing."""
    with pytest.raises(InvalidInput, match="no feature to export"):
        export(make_place(tmp_path), Catalog({}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("export", EXPORTERS)
def test_what_is_wrong_or_was_changed_is_said(tmp_path: Path, export: Any) -> None:
    """A feature that cannot be read, and one whose code is newer than its values."""
    place, _catalog = stored(tmp_path)
    text = declared("spent").replace("return events", "return events * 2")
    write_group(
        tmp_path,
        "shop",
        text + '\n@feature(entity="key")\ndef own(own: pd.Series) -> pd.Series:\n    return own\n',
    )
    notes = export(place, read_catalog(place), tmp_path / "out").notes
    assert any("shop.own" in each and each.startswith("Left out") for each in notes), notes
    assert any(each.startswith("shop.spent was changed since") for each in notes), notes


# -- Feast -----------------------------------------------------------------------------------------


def test_feast_gets_a_registry_and_a_store_that_keep_everything(tmp_path: Path) -> None:
    """Registry and online store are found from wherever Feast is started."""
    place, catalog = stored(tmp_path / "my project")
    done = feast.export(place, catalog, tmp_path / "out")
    settings = yaml.safe_load(done.files[0].read_text())
    assert settings["project"] == "my_project"
    registry = {"registry_type": "sql", "path": f"sqlite:///{tmp_path}/out/registry.db"}
    assert settings["registry"] == registry
    assert settings["offline_store"] == {"type": "duckdb"}
    assert settings["online_store"]["path"] == f"{tmp_path}/out/online_store.db"


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (pa.array([True, None]), "Bool"),
        (pa.array([1, 2], pa.int8()), "Int32"),
        (pa.array([1, 2], pa.uint32()), "Int64"),
        (pa.array([1, 2], pa.float32()), "Float32"),
        (pa.array(["a", "b"], pa.large_string()), "String"),
        (pa.array(["a", "b"]).dictionary_encode(), "String"),
        (pa.array([b"a", b"b"]), "Bytes"),
        (pa.array(AT), "UnixTimestamp"),
        (pa.array([[1.5], None]), "Array(Float64)"),
        (pa.array([["a"], []], pa.large_list(pa.string())), "Array(String)"),
    ],
)
def test_feast_gets_its_own_types(tmp_path: Path, values: pa.Array, word: str) -> None:
    """Whichever way Arrow keeps the values."""
    text = module(feast.export(*stored(tmp_path, values), tmp_path / "out"))
    assert f"dtype={word})" in text
    (imported,) = (line for line in text.splitlines() if line.startswith("from feast.types"))
    assert imported.partition("import ")[2].split(", ") == sorted(set(word.strip(")").split("(")))


@pytest.mark.parametrize(
    ("values", "said", "reason"),
    [
        (pa.array(AT).cast(pa.date32()), {}, r"values of type date32\[day\], which Feast lacks"),
        (pa.array([[[1]], None]), {}, "which Feast lacks"),
        (pa.array([1, 2]), {"entity": ("key_y",)}, "a column key_y"),
        (pa.array([1, 2]), {"entity": ("rn",)}, "a column rn"),
    ],
)
def test_what_feast_lacks_is_left_out(
    tmp_path: Path, values: pa.Array, said: dict[str, Any], reason: str
) -> None:
    """The reason is said, and nothing is written if nothing is left."""
    with pytest.raises(InvalidInput, match=f"Left out: shop.spent has .*{reason}"):
        feast.export(*stored(tmp_path, values, **said), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_feast_gets_no_functions(tmp_path: Path) -> None:
    """What depends on the request, or is not computed, is left out with a line."""
    code = declared("spent") + declared("lost")
    code += '@feature(entity="key")\ndef asked(spent: pd.Series, amount: pd.Series) -> pd.Series:\n'
    code += "    return spent > amount\n"
    place, catalog = project(tmp_path, shop=code)
    values = pd.DataFrame({"key": [1, 2], "at": AT, "spent": [1.5, 2.5]})
    store(place, catalog, "shop.spent", values)
    done = feast.export(place, catalog, tmp_path / "out")
    assert "shop__spent = FeatureView(" in module(done)
    assert "lost" not in module(done)
    lost, asked = done.notes
    assert lost == (
        "Left out: shop.lost is not computed. Run: jupyter mlops features compute shop.lost"
    )
    assert asked.startswith("Left out: shop.asked is computed from the request (amount)")


def test_feast_gets_an_entity_for_each_type_of_a_key(tmp_path: Path) -> None:
    """A key that is a number in one place and text in another is two things."""
    place, catalog = project(tmp_path, shop=declared("spent") + declared("visits"))
    values = pd.DataFrame({"key": [1, 2], "at": AT, "spent": [1.5, 2.5]})
    store(place, catalog, "shop.spent", values)
    visits = values.rename(columns={"spent": "visits"}).assign(key=["a", "b"])
    store(place, catalog, "shop.visits", visits)
    text = module(feast.export(place, catalog, tmp_path / "out"))
    assert "key = Entity(name='key', join_keys=['key'], value_type=ValueType.INT64)" in text
    entity = "Entity(name='key_string', join_keys=['key'], value_type=ValueType.STRING)"
    assert f"key_string = {entity}" in text
    assert "entities=[key_string]," in text


def test_names_that_python_needs_are_given_others(tmp_path: Path) -> None:
    """Keys may be called like words of Python or of Feast, or like no variable at all."""
    keys = ("class", "Entity", "tail number", "String")
    text = module(feast.export(*stored(tmp_path, entity=keys), tmp_path / "out"))
    assert "entities=[class_, Entity_, tail_number, String_]," in text
    assert "tail_number = Entity(name='tail number', join_keys=['tail number']," in text


def test_what_never_changes_is_copied_with_a_time(tmp_path: Path) -> None:
    """Nobody can read the copy who could not read the values."""
    place, catalog = stored(tmp_path, timestamp=None)
    (file,) = (place.data / "shop" / "spent").rglob("*.parquet")
    file.chmod(0o640)
    done = feast.export(place, catalog, tmp_path / "out")
    copy = tmp_path / "out" / "data" / "shop__spent.parquet"
    assert copy in done.files
    table = pd.read_parquet(copy)
    assert list(table.columns) == ["key", "spent", "known_since"]
    assert set(table["known_since"]) == {pd.Timestamp("1970-01-01", tz="UTC")}
    assert table["spent"].tolist()[0] == 1.5
    assert copy.stat().st_mode & 0o777 == 0o640
    assert "shop.spent never changes" in done.notes[0]
    assert feast.export(place, catalog, tmp_path / "out").files == done.files


# -- DataHub ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "urn"),
    [
        ({"path": "data/a,b (1).csv"}, "file,air/data/a%2Cb %281%29.csv"),
        ({"path": "s3://bucket/days/*.parquet"}, "s3,bucket/days/*.parquet"),
        ({"path": "all.duckdb", "table": "days"}, "file,air/all.duckdb.days"),
        (
            {"url": "postgresql+psycopg://me:hidden@db:5432/air", "table": "days"},
            "postgres,air.public.days",
        ),
        ({"url": "postgresql://db/air", "table": "raw.days"}, "postgres,air.raw.days"),
        ({"url": "snowflake://me@there/air/raw", "table": "days"}, "snowflake,air.raw.days"),
    ],
)
def test_datahub_knows_where_features_come_from(
    tmp_path: Path, source: dict[str, str], urn: str
) -> None:
    """Sources are called as DataHub's own readers call them, without anybody's password."""
    (tmp_path / "air").mkdir()
    place, catalog = stored(tmp_path / "air")
    place = replace(place, sources={"events": Source(name="events", **source)})
    done = datahub.export(place, catalog, tmp_path / "out")
    found = proposals(done)["urn:li:mlFeature:(air.shop.by_key,spent)", "mlFeatureProperties"]
    assert found["sources"] == [f"urn:li:dataset:(urn:li:dataPlatform:{urn},PROD)"]
    assert "hidden" not in done.files[0].read_text("utf-8")
    assert done.notes == ()


def test_a_query_has_no_name_in_datahub(tmp_path: Path) -> None:
    """The feature is told without it, and it is said."""
    place, catalog = stored(tmp_path)
    source = Source(name="events", url="postgresql://db/air", query="select 1")
    done = datahub.export(replace(place, sources={"events": source}), catalog, tmp_path / "out")
    assert done.notes == ("Without links, since they have no name there: events.",)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([1, 2]), "ORDINAL"),
        (pa.array([1.5, 2]), "CONTINUOUS"),
        (pa.array([True, False]), "BINARY"),
        (pa.array(["a", "b"]).dictionary_encode(), "TEXT"),
        (pa.array(AT).cast(pa.date32()), "TIME"),
        (pa.array([[1], [2]]), "SEQUENCE"),
        (pa.array([None, None], pa.null()), "UNKNOWN"),
    ],
)
def test_datahub_knows_what_values_are_like(tmp_path: Path, values: pa.Array, kind: str) -> None:
    """In its own words for them."""
    found = proposals(datahub.export(*stored(tmp_path, values), tmp_path / "out"))
    properties = next(each for (_, name), each in found.items() if name == "mlFeatureProperties")
    assert properties["dataType"] == kind


# -- Amundsen --------------------------------------------------------------------------------------


def test_amundsen_knows_no_times_of_restricted_values(tmp_path: Path) -> None:
    """Its watermarks are statistics of the values; where it is served is not."""
    code = declared("spent") + declared("secret").replace(
        "timestamp=", 'sensitivity="restricted", timestamp='
    )
    place, catalog = project(tmp_path, shop=code)
    for name in ("spent", "secret"):
        values = pd.DataFrame({"key": [1, 2], "at": AT, name: [1, 2]})
        store(place, catalog, f"shop.{name}", values, online_at=AT[0])
    done = amundsen.export(place, catalog, tmp_path / "out")
    marked = {each["feature_name"] for each in rows(done, amundsen.WATERMARKS)}
    assert marked == {"spent"}
    known = {each["name"]: each["availability"] for each in rows(done, amundsen.FEATURES)}
    assert known == {"spent": "parquet,sqlite", "secret": "parquet,sqlite"}
