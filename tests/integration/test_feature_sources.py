"""Sources of features where they really lie: files, DVC, an S3 server and databases."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.sources import fingerprint, read, span
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.features import Source, Why, Window
from tests.support import postgres
from tests.support.features import DELAYS, flights, place, stored, write_module
from tests.support.repositories import call, environment, make_repository

DAY = Window(since=datetime(2013, 1, 2, tzinfo=UTC), until=datetime(2013, 1, 3, tzinfo=UTC))


def source(**facts: Any) -> Source:
    """Return a source of flights."""
    return Source(**{"name": "flights", "timestamp": "time_hour", **facts})


def check(root: Path, wanted: Source) -> None:
    """Read a source whole and for a day, and find the flights there."""
    here = place(root, {"flights": wanted})
    table = flights(days=3)
    found = read(here, wanted)
    assert found["time_hour"].dtype.kind == "M"
    assert found[["carrier", "dep_delay"]].equals(table[["carrier", "dep_delay"]])
    day = read(here, wanted, DAY)
    assert len(day) == 24 * 4
    assert {str(each)[:10] for each in day["time_hour"]} == {"2013-01-02"}
    times = span(here, wanted)
    assert times is not None
    assert [str(each) for each in times] == [
        "2013-01-01 00:00:00+00:00",
        "2013-01-03 23:00:00+00:00",
    ]
    assert fingerprint(here, wanted) == fingerprint(here, wanted)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format that the file's name tells."""
    match path.name.partition(".")[2]:
        case "parquet":
            table.to_parquet(path)
        case "csv" | "csv.gz":
            table.to_csv(path, index=False)
        case "tsv":
            table.to_csv(path, index=False, sep="\t")
        case "jsonl":
            table.to_json(path, orient="records", lines=True, date_format="iso", date_unit="s")
        case "duckdb":
            with duckdb.connect(path) as connection:
                connection.register("given", table)
                connection.sql("CREATE TABLE flown AS SELECT * FROM given")
                connection.sql("CREATE TABLE other AS SELECT 1 AS one")


@pytest.mark.parametrize("end", ["parquet", "csv", "csv.gz", "tsv", "jsonl", "duckdb"])
def test_formats(tmp_path: Path, end: str) -> None:
    """Files are read by their names' ends, for a window of time or whole."""
    write(flights(days=3), tmp_path / f"flights.{end}")
    check(tmp_path, source(path=f"flights.{end}", table="flown"))


def test_query_of_a_file(tmp_path: Path) -> None:
    """A DuckDB file answers queries, too."""
    write(flights(days=3), tmp_path / "flights.duckdb")
    wanted = source(path="flights.duckdb", query="SELECT * FROM flown ORDER BY time_hour, carrier")
    check(tmp_path, wanted)
    with pytest.raises(InvalidInput, match=r"has not one table \(there are: flown, other\)"):
        read(place(tmp_path), replace(wanted, query=None))


def test_pattern(tmp_path: Path) -> None:
    """Several files are one source, whose content changes with any of them or their number."""
    table = flights(days=3)
    (tmp_path / "data").mkdir()
    for number in range(3):
        table[number * 96 : (number + 1) * 96].to_parquet(tmp_path / "data" / f"{number}.parquet")
    wanted = source(path="data/*.parquet")
    check(tmp_path, wanted)
    before = fingerprint(place(tmp_path), wanted)
    (tmp_path / "data" / "2.parquet").unlink()
    assert fingerprint(place(tmp_path), wanted) != before


def test_zones(tmp_path: Path) -> None:
    """Times with a zone are found by a window in UTC."""
    table = flights(days=3)
    table["time_hour"] = table["time_hour"].dt.tz_localize("Europe/Berlin")
    table.to_parquet(tmp_path / "flights.parquet")
    day = read(place(tmp_path), source(path="flights.parquet"), DAY)
    assert str(day["time_hour"].min()) == "2013-01-02 00:00:00+00:00"
    assert len(day) == 24 * 4


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"path": "none.parquet"}, r"^Source flights: there is no file none\.parquet\.$"),
        ({"path": "f.xlsx"}, r"^Source flights: f\.xlsx is of no known format"),
        ({}, "^Source flights has neither path nor url"),
        ({"path": "f.csv", "timestamp": "when"}, "^Source flights has no column when, which its"),
        ({"path": "f.csv", "timestamp": "carrier"}, "^Source flights: its timestamp carrier is of"),
        ({"url": "sqlite:///f.db"}, "^Source flights has a url, but neither table nor query"),
        ({"url": "sqlite:///f.db", "table": "t"}, "^Source flights cannot be read: no such table"),
        ({"url": "no url"}, "^Source flights: its url cannot be read"),
        ({"url": "snowflake://me@there/db"}, r"needs a driver .* install .*jupyter-mlops\[snowfl"),
        ({"url": "oracle+none://me@there/db"}, "needs a driver that is not installed"),
    ],
)
def test_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], line: str
) -> None:
    """What is wrong with a source's settings is said in one line, with its name."""
    monkeypatch.chdir(tmp_path)
    flights(days=1).to_csv(tmp_path / "f.csv")
    (tmp_path / "f.xlsx").touch()
    with pytest.raises(InvalidInput, match=line):
        read(place(tmp_path), source(**facts), DAY)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with two versions of the flights in DVC, tagged one and two."""
    root = make_repository(tmp_path / "repository")
    for name, value in environment(root).items():
        monkeypatch.setenv(name, value)
    call("dvc", "remote", "add", "--default", "away", str(tmp_path / "away"), folder=root)
    for days, tag in ((2, "one"), (3, "two")):
        flights(days=days).to_parquet(root / "flights.parquet")
        call("dvc", "add", "flights.parquet", folder=root)
        call("git", "add", "--all", folder=root)
        call("git", "commit", "--quiet", "--message", tag, folder=root)
        call("git", "tag", tag, folder=root)
    call("dvc", "push", "--all-tags", folder=root)
    return root


def test_pulled(repository: Path) -> None:
    """A file that DVC keeps, and that is not here, is fetched from where DVC keeps it."""
    (repository / "flights.parquet").unlink()
    shutil.rmtree(repository / ".dvc" / "cache")
    check(repository, source(path="flights.parquet"))
    assert (repository / "flights.parquet").is_file()


def test_not_pulled(repository: Path, tmp_path: Path) -> None:
    """It is said why DVC cannot fetch one."""
    (repository / "flights.parquet").unlink()
    shutil.rmtree(repository / ".dvc" / "cache")
    shutil.rmtree(tmp_path / "away")
    line = r"^Source flights: flights\.parquet is not here, and DVC cannot fetch it: \S"
    with pytest.raises(InvalidInput, match=line):
        read(place(repository), source(path="flights.parquet"))


def test_revision(repository: Path) -> None:
    """A source may be a file as it was at a revision; the work tree stays as it is."""
    old = source(path="flights.parquet", rev="one")
    here = place(repository)
    assert len(read(here, old)) == len(flights(days=2))
    check(repository, source(path="flights.parquet", rev="two"))
    assert fingerprint(here, old) != fingerprint(here, source(path="flights.parquet"))
    assert len(pd.read_parquet(repository / "flights.parquet")) == len(flights(days=3))
    with pytest.raises(InvalidInput, match="git knows no revision three"):
        read(here, replace(old, rev="three"))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Yield the address of an S3 server, a process of its own."""
    argv = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        lines = (re.search(r"Running on (http://\S+)", each) for each in server.stderr)
        address = next(each for each in lines if each)[1]
        threading.Thread(target=server.stderr.read, daemon=True).start()  # it tells each request
        yield address
        server.terminate()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the file system of an S3 server with an empty bucket."""
    from pyarrow.fs import S3FileSystem

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    system = S3FileSystem(endpoint_override=s3, region="eu-central-1", allow_bucket_creation=True)
    system.create_dir("lake")
    system.delete_dir_contents("lake")
    return system


def put(system: Any, table: pd.DataFrame, path: Path, key: str) -> None:
    """Write a table to the bucket."""
    write(table, path)
    with system.open_output_stream(key, compression=None) as stream:
        stream.write(path.read_bytes())


@pytest.mark.parametrize("end", ["parquet", "csv", "csv.gz", "tsv", "jsonl", "duckdb"])
def test_s3(tmp_path: Path, bucket: Any, end: str) -> None:
    """Objects are read as files are."""
    put(bucket, flights(days=3), tmp_path / f"f.{end}", f"lake/raw/f.{end}")
    check(tmp_path, source(path=f"s3://lake/raw/f.{end}", table="flown"))


def test_s3_pattern(tmp_path: Path, bucket: Any) -> None:
    """A pattern names several objects; their entity tags tell whether content has changed."""
    table = flights(days=3)
    for number in range(3):
        part = table[number * 96 : (number + 1) * 96]
        put(bucket, part, tmp_path / "part.parquet", f"lake/raw/{number}.parquet")
    put(bucket, table, tmp_path / "part.parquet", "lake/raw/deeper/0.parquet")
    wanted = source(path="s3://lake/raw/*.parquet")
    check(tmp_path, wanted)
    here = place(tmp_path)
    before = fingerprint(here, wanted)
    put(bucket, table[:5], tmp_path / "part.parquet", "lake/raw/2.parquet")
    assert fingerprint(here, wanted) != before
    for path in ("s3://lake/none/*.parquet", "s3://lake/none.parquet"):
        with pytest.raises(InvalidInput, match=r"^Source flights: there is no object s3://lake/no"):
            read(here, source(path=path))


def test_s3_away(tmp_path: Path, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is told as one line."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(InvalidInput, match=r"^Source flights cannot be read: .*CONNECTION"):
            read(place(tmp_path), source(path="s3://lake/raw/f.parquet"))


def check_database(root: Path, url: str, engine: sa.Engine) -> None:
    """Compute a feature from a table of a database, whole and for a window."""
    wanted = source(url=url, table="flown")
    check(root, wanted)
    check(root, replace(wanted, table=None, query="SELECT * FROM flown WHERE distance > 0;"))
    here = place(root, {"flights": wanted})
    write_module(here, "delays", DELAYS)

    def computed(window: Window | None = None) -> Why:
        (record,) = compute(here, read_catalog(here), ["delay_yesterday"], window)
        return record.why

    assert [computed(), computed()] == [Why.NEW, Why.FRESH]
    assert len(stored(here, "delays.delay_yesterday")) == 12
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE flown SET dep_delay = 9 WHERE carrier = 'C1'"))
    assert computed() is Why.SOURCES
    values = stored(here, "delays.delay_yesterday")
    assert set(values.loc[values["carrier"] == "C1", "delay_yesterday"]) == {9.0}
    (record,) = compute(here, read_catalog(here), ["delay_yesterday"], force=True, backfill=True)
    assert record.rows == 12


def test_sqlite(tmp_path: Path) -> None:
    """A database that keeps times as text, and makes no checksums."""
    url = f"sqlite:///{tmp_path}/flights.db"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    flights(days=3).to_sql("flown", engine, index=False)
    check_database(tmp_path, url, engine)


@pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing()))
def test_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database server, by a URL that takes a part from a variable, with times of both kinds."""
    with postgres.server() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        flights(days=3).to_sql("flown", engine, index=False)
        monkeypatch.setenv("FLIGHTS_HOST", url.partition("host=")[2])
        given = "postgresql://tester@/postgres?host=${FLIGHTS_HOST}"
        check_database(tmp_path, given, engine)
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "CREATE TABLE zoned AS SELECT time_hour AT TIME ZONE 'UTC' AS time_hour, "
                    "carrier, dep_delay::numeric(8, 2) AS dep_delay FROM flown WHERE carrier = 'C2'"
                )
            )
        zoned = source(url=given, table="public.zoned")
        day = read(place(tmp_path), zoned, DAY)
        assert str(day["time_hour"].min()) == "2013-01-02 00:00:00+00:00"
        assert day["dep_delay"].dtype == "float64"
        wrong = replace(zoned, url=given.replace("tester", "nobody:s3cret"))
        with pytest.raises(InvalidInput, match=r"^Source flights cannot be read: ") as caught:
            read(place(tmp_path), wrong)
        assert "s3cret" not in caught.value.message
