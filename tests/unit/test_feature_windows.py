"""Features computed for a window of time, and partition by partition."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import Computation, FeatureFailed, Why, Window
from tests.support.features import DELAYS, flights, project, stored, write_module

DELAY = "delays.delay_yesterday"


def run(
    place: Place, window: Window | None = None, **options: bool
) -> tuple[Computation, list[str]]:
    """Compute the delays; return the record and what was told."""
    told: list[str] = []
    catalog = read_catalog(place)
    (found,) = compute(place, catalog, [DELAY], window, told=told.append, **options)
    return found, told


def since(month: int, day: int = 1, until: datetime | None = None) -> Window:
    """Return a window that begins in 2013."""
    return Window(since=datetime(2013, month, day, tzinfo=UTC), until=until)


def change_from(place: Place, month: int) -> None:
    """Double the delays from a month on, in the flights' file."""
    table = flights()
    table.loc[table["time_hour"].dt.month >= month, "dep_delay"] *= 2
    table.to_parquet(place.root / "flights.parquet")


def test_since(tmp_path: Path) -> None:
    """Only the partitions of the window are computed; what comes out is as if all were."""
    place = project(tmp_path)
    first, _ = run(place)
    change_from(place, 3)
    second, told = run(place, since(3, 15))
    assert told == ["delays.delay_yesterday is computed: a window of time was asked for."]
    assert (second.why, second.complete, second.rows) == (Why.WINDOW, True, first.rows)
    old = {each.name: each for each in Offline(place).files(DELAY, first.version)}
    new = {each.name: each for each in Offline(place).files(DELAY)}
    assert [each for each in new if new[each].samefile(old[each])] == [
        "2013-01.parquet",
        "2013-02.parquet",
    ]
    after = stored(place, DELAY)
    assert run(place)[0].why is Why.FRESH

    run(place, force=True)
    pd.testing.assert_frame_equal(stored(place, DELAY), after)


def test_until(tmp_path: Path) -> None:
    """What lies after the window stays, too."""
    place = project(tmp_path)
    run(place)
    before = stored(place, DELAY)
    change_from(place, 1)
    run(place, since(2, until=datetime(2013, 2, 10, tzinfo=UTC)))
    after = stored(place, DELAY)
    changed = (before["delay_yesterday"] != after["delay_yesterday"]) & after["known"].notna()
    assert set(after.loc[changed, "known"].dt.month) == {2}
    assert len(after) == len(before)


def test_lookback(tmp_path: Path) -> None:
    """Sources are read from before the window's begin, as far as the feature looks back."""
    seen = tmp_path / "seen"
    note = (
        f"with Path({str(seen)!r}).open('a') as file: print(flights['time_hour'].min(), file=file)"
    )
    code = DELAYS.replace('    day = flights["time', f'    {note}\n        day = flights["time')
    code = code.replace("import pandas", "from pathlib import Path\n\n    import pandas")
    place = project(tmp_path, code)
    run(place)
    change_from(place, 3)
    run(place, since(3))
    write_module(place, "delays", code.replace(', lookback="1d"', ""))
    run(place, since(3), force=True)
    assert seen.read_text().splitlines() == [
        "2013-01-01 00:00:00",
        "2013-02-28 00:00:00",
        "2013-01-01 00:00:00",
    ]


def test_other_code(tmp_path: Path) -> None:
    """A window of other code is refused, and what is stored stays."""
    place = project(tmp_path)
    first, _ = run(place)
    write_module(place, "delays", DELAYS.replace('daily["mean"]', 'daily["mean"] * 60'))
    with pytest.raises(FeatureFailed, match=r"^delays\.delay_yesterday: its code was changed"):
        run(place, since(3))
    assert Offline(place).latest(DELAY) == first
    assert run(place)[0].why is Why.CODE


def test_window_first(tmp_path: Path) -> None:
    """A window of what was never computed leaves the rest to be computed later."""
    place = project(tmp_path)
    part, _ = run(place, since(3))
    assert (part.why, part.complete) == (Why.NEW, False)
    assert [each.name for each in part.partitions] == ["2013-03", "2013-04"]
    more, _ = run(place, since(2, until=datetime(2013, 3, 1, tzinfo=UTC)))
    assert [each.name for each in more.partitions] == ["2013-02", "2013-03", "2013-04"]
    whole, told = run(place)
    assert (whole.why, whole.complete, whole.rows) == (Why.MISSING, True, 360)
    assert told == ["delays.delay_yesterday is computed: values of it are missing."]


def test_backfill(tmp_path: Path) -> None:
    """Partition by partition comes out as all at once does."""
    place = project(tmp_path)
    run(place)
    at_once = stored(place, DELAY)
    record, _ = run(place, force=True, backfill=True)
    pd.testing.assert_frame_equal(stored(place, DELAY), at_once)
    assert [each.name for each in record.partitions] == ["2013-01", "2013-02", "2013-03", "2013-04"]
    assert record.complete


def test_backfill_of_a_window(tmp_path: Path) -> None:
    """A window goes partition by partition, too; one in which nothing is changes nothing."""
    place = project(tmp_path)
    run(place)
    change_from(place, 2)
    _, told = run(place, since(2, until=datetime(2013, 3, 20, tzinfo=UTC)), backfill=True)
    assert told[1:] == [
        "delays: 2013-02 is computed, 1 of 2.",
        "delays: 2013-03 is computed, 2 of 2.",
    ]
    windowed = stored(place, DELAY)
    later, _ = run(place, since(7), backfill=True, force=True)
    assert later.rows == len(windowed)
    pd.testing.assert_frame_equal(stored(place, DELAY), windowed)
    run(place, force=True)
    whole = stored(place, DELAY)
    pd.testing.assert_frame_equal(
        whole[whole["known"].dt.month < 4], windowed[windowed["known"].dt.month < 4]
    )


def test_no_values(tmp_path: Path) -> None:
    """A feature without any value is stored as such, with its columns."""
    place = project(tmp_path, DELAYS.replace('return daily["mean"]', 'return daily["mean"][:0]'))
    for options in ({}, {"backfill": True, "force": True}):
        record, _ = run(place, **options)
        assert (record.rows, record.statistics.missing, record.first) == (0, 0, None)
        assert list(stored(place, DELAY).columns) == ["carrier", "known", "delay_yesterday"]
    assert run(place)[0].why is Why.FRESH


def test_types_of_partitions(tmp_path: Path) -> None:
    """Whole numbers of one month are floats if another lacks one, in all files alike."""
    place = project(
        tmp_path,
        DELAYS.replace(
            'return daily["mean"]',
            'return daily["size"] if daily["known"].dt.month.max() < 3 '
            'else daily["size"].where(daily["size"].index > 3)',
        ),
    )
    record, _ = run(place, backfill=True)
    assert record.type == "double"
    assert stored(place, DELAY)["delay_yesterday"].dtype == "float64"
    assert {str(pd.read_parquet(each).dtypes.iloc[2]) for each in Offline(place).files(DELAY)} == {
        "float64"
    }


@given(
    cuts=st.lists(st.integers(1, 39), min_size=1, max_size=5, unique=True).map(sorted),
    period=st.sampled_from(["day", "month"]),
    backfill=st.booleans(),
)
@settings(max_examples=6, deadline=None)
def test_grown(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], period: str, backfill: bool
) -> None:
    """Computed as the source grows, window by window, it is what it is computed at once."""
    place = project(
        tmp_path_factory.mktemp("grown"),
        DELAYS.replace('lookback="1d"', f'lookback="1d", partition="{period}"'),
        days=cuts[0],
    )
    run(place)
    begin = datetime(2013, 1, 1, tzinfo=UTC)
    for before, days in pairwise([*cuts, 40]):
        flights(days=days).to_parquet(place.root / "flights.parquet")
        run(place, Window(since=begin + timedelta(days=before)), backfill=backfill)
    grown = stored(place, DELAY)
    run(place, force=True)
    pd.testing.assert_frame_equal(stored(place, DELAY), grown)


_BACKFILL = """
import sys
from pathlib import Path

from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.reading import read_catalog
from tests.support.features import project, opened

place = opened(Path(sys.argv[1]))
compute(place, read_catalog(place), ["slow"], backfill=True, told=print)
"""

_SLOW = """
    from pathlib import Path

    import pandas as pd

    from jupyter_mlops.catalog.define import feature

    _HERE = Path(__file__).parent.parent


    @feature(entity="carrier", timestamp="time_hour", lookback="0d", partition="day")
    def slow(flights: pd.DataFrame) -> pd.Series:
        day = str(flights["time_hour"].max().date())
        with (_HERE / "computed").open("a") as file:
            file.write(day + "\\n")
        gate = _HERE / "gate"
        if day == "2013-01-04" and gate.exists():
            gate.open().read()  # until somebody writes
        return flights["dep_delay"] * 2
"""


def test_killed(tmp_path: Path) -> None:
    """A backfill that was killed goes on where it was; until it is done, nothing is stored."""
    place = project(tmp_path, days=6)
    write_module(place, "slow", _SLOW)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    argv = [sys.executable, "-c", _BACKFILL, str(tmp_path)]
    with subprocess.Popen(argv) as process, gate.open("w"):  # it has come to the fourth day
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert Offline(place).latest("slow.slow") is None
    gate.unlink()

    told: list[str] = []
    (record,) = compute(place, read_catalog(place), ["slow"], backfill=True, told=told.append)
    assert told[1:] == [
        "slow.slow goes on: 3 of 6 partitions are computed.",
        *(f"slow: 2013-01-0{number} is computed, {number} of 6." for number in (4, 5, 6)),
    ]
    days = [f"2013-01-0{number}" for number in range(1, 7)]
    assert [each.name for each in record.partitions] == days
    computed = (tmp_path / "computed").read_text().split()
    assert computed == [*days[:4], *days[3:]]
    assert record.rows == len(flights(days=6))
    left = [each.name for each in Offline(place).folder("slow.slow").iterdir()]
    assert sorted(left) == sorted([".lock", "latest.json", record.version])


def test_changed_while_read(tmp_path: Path) -> None:
    """Values of a source that changed meanwhile are not stored."""
    place = project(tmp_path)
    first, _ = run(place)
    other = tmp_path / "other.parquet"
    flights(days=50).to_parquet(other)
    write_module(
        place,
        "delays",
        DELAYS.replace(
            'return daily["mean"]',
            f"import os; os.replace({str(other)!r}, {str(tmp_path / 'flights.parquet')!r})\n"
            '        return daily["mean"]',
        ),
    )
    with pytest.raises(FeatureFailed, match="its source flights was changed while it was read"):
        run(place)
    assert Offline(place).latest(DELAY) == first
    assert Offline(place).files(DELAY)
