"""Groups of features: what their functions share, give each other, and answer on demand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.catalog import sources
from jupyter_mlops.catalog.computing import compute
from jupyter_mlops.catalog.place import Place
from jupyter_mlops.catalog.reading import read_catalog
from jupyter_mlops.catalog.storing import Offline
from jupyter_mlops.core.features import FeatureFailed, Why, Window
from tests.support.features import featureless, flights, stored
from tests.support.features import write_usual as write


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a project with flights of ten days, and without features."""
    return featureless(tmp_path)


def computed(place: Place, *names: str, **options: Any) -> dict[str, Why]:
    """Compute features; return why each was."""
    found = compute(place, read_catalog(place), names, **options)
    return {each.feature: each.why for each in found}


def test_shared(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several features are made from is read and computed once."""
    write(
        place,
        "shared",
        """
    def clean(flights: pd.DataFrame) -> pd.DataFrame:
        with (Path(__file__).parent / "calls").open("a") as file:
            file.write("clean ")
        return flights[flights["dep_delay"] > 0]


    @feature(entity="carrier")
    def most(clean: pd.DataFrame) -> pd.Series:
        return clean.groupby("carrier")["dep_delay"].max()


    @feature(entity="carrier")
    def least(clean: pd.DataFrame, flights: pd.DataFrame) -> pd.Series:
        return clean.groupby("carrier")["dep_delay"].min()


    @feature(entity="carrier")
    def range(most: pd.Series, least: pd.Series) -> pd.Series:
        return most - least
""",
    )
    reads = []
    read = sources.read
    monkeypatch.setattr(sources, "read", lambda *given: (reads.append(1), read(*given))[1])
    assert set(computed(place, "range", "most", "least").values()) == {Why.NEW}
    assert (place.modules / "calls").read_text() == "clean "
    assert len(reads) == 1
    assert (
        stored(place, "shared.range")["range"].tolist()
        == (stored(place, "shared.most")["most"] - stored(place, "shared.least")["least"]).tolist()
    )


def test_one_after_the_other(place: Place) -> None:
    """What a function returned is let go of before the next one is called."""
    write(
        place,
        "large",
        "    import weakref\n\n    _made = []\n"
        + "".join(
            f"""

    @feature(entity="carrier", timestamp="time_hour")
    def number{number}(flights: pd.DataFrame) -> pd.Series:
        alive = sum(each() is not None for each in _made)
        with (Path(__file__).parent / "alive").open("a") as file:
            file.write(f"{{alive}} ")
        result = flights["dep_delay"] + {number}
        _made.append(weakref.ref(result))
        return result
"""
            for number in range(4)
        ),
    )
    computed(place, *(f"number{number}" for number in range(4)))
    assert (place.modules / "alive").read_text() == "0 0 0 0 "


def test_changed_by_a_function(place: Place) -> None:
    """A function that changes the table that it is given does so for itself."""
    write(
        place,
        "changing",
        """
    @feature(entity="carrier")
    def first(flights: pd.DataFrame) -> pd.Series:
        flights["dep_delay"] = 0.0
        flights.loc[:, "distance"] = 0
        del flights["time_hour"]
        return flights.groupby("carrier")["dep_delay"].max()


    @feature(entity="carrier", timestamp="time_hour")
    def second(flights: pd.DataFrame) -> pd.Series:
        return flights["dep_delay"] + flights["distance"]
""",
    )
    computed(place, "first", "second")
    assert stored(place, "changing.first")["first"].tolist() == [0.0] * 4
    table = flights(days=10)
    wanted = (table["dep_delay"] + table["distance"]).tolist()
    assert stored(place, "changing.second")["second"].tolist() == wanted


def test_columns_extracted(place: Place) -> None:
    """Columns that a decorator makes of a table are features and find their keys there."""
    write(
        place,
        "extracted",
        """
    @extract_columns("late", "far")
    @tag(entity="carrier", timestamp="time_hour")
    def facts(flights: pd.DataFrame) -> pd.DataFrame:
        made = flights[["carrier", "time_hour"]].copy()
        made["late"] = flights["dep_delay"] > 15
        made["far"] = flights["distance"] > 200
        return made
""",
    )
    assert set(computed(place, "late", "far")) == {"extracted.late", "extracted.far"}
    table = flights(days=10)
    late = stored(place, "extracted.late")
    assert late["late"].tolist() == (table["dep_delay"] > 15).tolist()
    record = Offline(place).latest("extracted.late")
    assert record is not None
    assert record.type == "bool"


_DOUBLED = """
    @feature(entity="carrier", timestamp="time_hour", lookback="0d")
    def doubled(flights: pd.DataFrame) -> pd.Series:
        return flights["dep_delay"] * 2
"""
_FOLLOWING = """
    @feature(entity="carrier", timestamp="time_hour", lookback="0d")
    def quadrupled(doubled: pd.Series) -> pd.Series:
        return doubled * 2
"""


def test_other_groups(place: Place) -> None:
    """A feature is made from stored values of another group, which is computed before."""
    write(place, "b", _DOUBLED)
    write(place, "a", _FOLLOWING)
    assert computed(place, "quadrupled") == {"b.doubled": Why.NEW, "a.quadrupled": Why.NEW}
    table = flights(days=10)
    assert stored(place, "a.quadrupled")["quadrupled"].tolist() == (table["dep_delay"] * 4).tolist()
    assert computed(place, "quadrupled") == {"b.doubled": Why.FRESH, "a.quadrupled": Why.FRESH}

    write(place, "b", _DOUBLED.replace("* 2", "* 3"))
    assert computed(place, "quadrupled") == {"b.doubled": Why.CODE, "a.quadrupled": Why.SOURCES}
    assert stored(place, "a.quadrupled")["quadrupled"].tolist() == (table["dep_delay"] * 6).tolist()

    later = flights(days=20)
    later.to_parquet(place.root / "flights.parquet")
    window = Window(since=pd.Timestamp("2013-01-11", tz="UTC"))
    assert set(computed(place, "quadrupled", window=window).values()) == {Why.WINDOW}
    assert stored(place, "a.quadrupled")["quadrupled"].tolist() == (later["dep_delay"] * 6).tolist()
    computed(place, "quadrupled", backfill=True, force=True)
    assert stored(place, "a.quadrupled")["quadrupled"].tolist() == (later["dep_delay"] * 6).tolist()


def test_group_in_a_folder(place: Place) -> None:
    """Modules lie in folders, too, and import what lies beside them or in the project."""
    code = _DOUBLED.replace("* 2", "* air_units.TWO * ONE")
    write(place, "air/planes", f"    import air_units\n    from ._one import ONE\n\n{code}")
    (place.modules / "air" / "_one.py").write_text("ONE = 1\n")
    (place.root / "air_units.py").write_text("TWO = 2\n")
    assert computed(place, "air.planes.doubled") == {"air.planes.doubled": Why.NEW}
    table = flights(days=10)
    for path, text, times in (
        (place.root / "air_units.py", "TWO = 20\n", 20),
        (place.modules / "air" / "_one.py", "ONE = 10\n", 200),
    ):
        path.write_text(text)
        assert computed(place, "doubled") == {"air.planes.doubled": Why.CODE}
        found = stored(place, "air.planes.doubled")["doubled"]
        assert found.tolist() == (table["dep_delay"] * times).tolist()


def test_one_fails(place: Place) -> None:
    """One that fails keeps none from being computed but what is made from it."""
    write(
        place,
        "b",
        _DOUBLED
        + """
    @feature(entity="carrier")
    def broken(flights: pd.DataFrame) -> pd.Series:
        return flights["nothing"]


    @feature(entity="carrier")
    def unfit(flights: pd.DataFrame) -> pd.Series:
        return flights.groupby("carrier")["dep_delay"].max() * 1j


    @feature(entity="carrier")
    def longest(flights: pd.DataFrame) -> pd.Series:
        return flights.groupby("carrier")["distance"].max()
""",
    )
    write(place, "a", _FOLLOWING.replace("doubled", "broken"))
    told: list[str] = []
    with pytest.raises(
        FeatureFailed,
        match=r"^b\.broken failed: KeyError: 'nothing' \(b\.py, line 16\) Not computed either: "
        r"b\.unfit, a\.quadrupled\.$",
    ):
        computed(place, "quadrupled", "b.doubled", "unfit", "b.longest", told=told.append)
    offline = Offline(place)
    assert offline.latest("b.doubled")
    assert offline.latest("b.longest")
    assert not offline.latest("b.broken")
    assert not offline.latest("b.unfit")
    lines = [each for each in told if "not stored" in each]
    assert [each.partition(" is not stored: ")[0] for each in lines] == [
        "b.broken",
        "b.unfit",
        "a.quadrupled",
    ]
    assert lines[2].endswith("a.quadrupled is made from b.broken, which could not be computed.")


def test_no_place(place: Place) -> None:
    """Where values cannot be written, that is said."""
    write(place, "b", _DOUBLED)
    place.data.parent.mkdir(exist_ok=True)
    place.data.write_text("a file")
    with pytest.raises(FeatureFailed, match=r"^b\.doubled: values cannot be written below .*: "):
        computed(place, "doubled")


def test_at_the_same_time(place: Place) -> None:
    """Who computes what somebody else is computing waits, and finds it done."""
    write(
        place,
        "b",
        _DOUBLED.replace(
            "        return",
            '        import os; os.write(int(os.environ["STARTED"]), b"x")\n        return',
        ),
    )
    code = (
        "import sys; from pathlib import Path; from tests.support.features import *;"
        "from jupyter_mlops.catalog.reading import read_catalog;"
        "from jupyter_mlops.catalog.computing import compute;"
        "place = opened(Path(sys.argv[1]));"
        "print(compute(place, read_catalog(place), ['doubled'])[0].why)"
    )
    started, tell = os.pipe()
    argv = [sys.executable, "-c", code, str(place.root)]
    environment = {**os.environ, "STARTED": str(tell)}
    running = [
        subprocess.Popen(argv, env=environment, pass_fds=[tell], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    os.close(tell)
    assert sorted(each.communicate()[0] for each in running) == ["fresh\n", "new\n"]
    with open(started, "rb") as file:  # noqa: PTH123  # a descriptor
        assert file.read() == b"x"
