"""Stored values of features: records, versions, and files that are whole whenever one looks."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_mlops.catalog.manifests import dumped, loaded
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.exceptions import NotFound
from jupyter_mlops.core.features import Computation, Why
from tests.support.features import computation, place


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    """Return the stored values of an empty project."""
    return Offline(place(tmp_path))


def _store(offline: Offline, record: Computation, content: bytes = b"values") -> None:
    draft = offline.draft(record.feature, record.version)
    for each in record.partitions:
        with draft.replacing(each.name) as path:
            path.write_bytes(content)
        draft.finish(each.name)
    draft.complete(record)
    offline.publish(record)


def test_records() -> None:
    """A record comes back as it was written."""
    record = computation(online_at=datetime(2013, 3, 2, tzinfo=UTC), online_rows=7)
    assert loaded(dumped(record)) == record
    still = computation(timestamp=None, first=None, last=None, peak_memory=None)
    assert loaded(dumped(still)) == still


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"feature": "a.b"}', b"\xff"])
def test_no_record(offline: Offline, content: bytes) -> None:
    """What is no record is refused and counts as not computed."""
    with pytest.raises(ValueError, match=r"record|line|decode"):
        loaded(content)
    folder = offline.folder("flights.delay")
    folder.mkdir(parents=True)
    (folder / "latest.json").write_bytes(content)
    assert offline.latest("flights.delay") is None


def test_published(offline: Offline) -> None:
    """A version is current once it is published."""
    record = computation()
    assert offline.latest("flights.delay") is None
    with pytest.raises(NotFound, match=r"flights\.delay is not computed"):
        offline.files("flights.delay")

    _store(offline, record)

    assert offline.latest("flights.delay") == record
    assert offline.version("flights.delay", record.version) == record
    assert [each.name for each in offline.files("flights.delay")] == [
        "2013-01.parquet",
        "2013-02.parquet",
    ]
    assert sorted(
        each.name for each in offline.folder(record.feature, record.version).iterdir()
    ) == [
        "2013-01.parquet",
        "2013-02.parquet",
        "computation.json",
    ]


def test_versions(offline: Offline) -> None:
    """The version before is kept and older ones are removed."""
    for number in range(3):
        time = datetime(2013, 3, 1, tzinfo=UTC) + timedelta(days=number)
        _store(offline, computation(version=str(number) * 12, computed_at=time))
    assert [each.version[0] for each in offline.versions("flights.delay")] == ["2", "1"]
    assert offline.files("flights.delay", "1" * 12)
    with pytest.raises(NotFound, match="no version 000000000000"):
        offline.files("flights.delay", "0" * 12)

    offline.publish(computation(version="1" * 12))  # back to the one before
    assert {each.version[0] for each in offline.versions("flights.delay")} == {"1", "2"}
    _store(offline, computation(version="1" * 12), b"once more")
    assert {each.version[0] for each in offline.versions("flights.delay")} == {"1", "2"}
    assert offline.files("flights.delay")[0].read_bytes() == b"once more"


def test_lost_file(offline: Offline) -> None:
    """A lost file is named."""
    record = computation()
    _store(offline, record)
    assert offline.is_whole(record)
    offline.files(record.feature)[1].unlink()
    assert not offline.is_whole(record)
    with pytest.raises(NotFound, match=r"2013-02\.parquet of version"):
        offline.files(record.feature)


def test_draft(offline: Offline) -> None:
    """A draft goes on where it was left and is seen by nobody."""
    record = computation()
    draft = offline.draft(record.feature, record.version)
    with draft.replacing("2013-01") as path:
        path.write_bytes(b"values")
    draft.finish("2013-01")
    with contextlib.suppress(RuntimeError), draft.replacing("2013-02") as path:
        path.write_bytes(b"half of")
        raise RuntimeError

    again = offline.draft(record.feature, record.version)
    assert again.done == {"2013-01"}
    assert [each.name for each in again.files()] == ["2013-01.parquet"]
    assert offline.latest(record.feature) is None
    assert offline.versions(record.feature) == []
    again.discard()
    assert offline.draft(record.feature, record.version).done == frozenset()


def test_carried(offline: Offline) -> None:
    """Partitions of the version before are taken over without a copy."""
    old = computation()
    _store(offline, old)
    new = replace(old, version="b" * 12, why=Why.WINDOW)
    draft = offline.draft(new.feature, new.version)
    with draft.replacing("2013-02") as path:
        path.write_bytes(b"new values")
    for each in offline.files(old.feature):
        draft.carry(each)
    draft.complete(new)
    offline.publish(new)
    first, second = offline.files(new.feature)
    assert first.samefile(offline.files(old.feature, old.version)[0])
    assert second.read_bytes() == b"new values"
    assert offline.files(old.feature, old.version)[1].read_bytes() == b"values"


def test_noted(offline: Offline) -> None:
    """What is noted of a version is said by both records."""
    record = computation()
    _store(offline, record)
    noted = replace(record, online_at=datetime(2013, 3, 2, tzinfo=UTC), online_rows=3)
    offline.note(noted)
    assert offline.latest(record.feature) == noted
    assert offline.version(record.feature, record.version) == noted
    assert (
        json.loads((offline.folder(record.feature) / "latest.json").read_bytes())["online_rows"]
        == 3
    )


def test_waiting(offline: Offline) -> None:
    """Two who write the same features wait for each other."""
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with offline.writing(["flights.delay", "flights.late"]):
            order.append("second")

    with offline.writing(["flights.late", "flights.delay"]):
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
