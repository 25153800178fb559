"""The catalog is read by syntax alone: what is a feature, what it is made from, what is wrong."""

from __future__ import annotations

import ast
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_mlops.catalog.define import WORDS, feature
from jupyter_mlops.catalog.hashing import shape
from jupyter_mlops.catalog.reading import Catalog, Reader, read_catalog
from jupyter_mlops.core.exceptions import InvalidInput, NotFound
from jupyter_mlops.core.features import Period
from tests.support.catalog import make_place, write_group

SHOP = '''
LIMIT = 3

def _half(x):
    return x / 2

def clean(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.dropna()

@mlops.feature(
    entity="customer", timestamp="at", ttl="7d", lookback="30d", partition="day",
    owner="ada", tags=["money", "shop"], sensitivity="restricted", cost="expensive",
)
def spent(clean: pd.DataFrame) -> "pd.Series[float]":
    """What a customer has spent.

    In whole euros.
    """
    return _half(clean.groupby("customer").amount.sum() * LIMIT)

@tag(entity="customer", owner="bob")
def per_visit(spent: pd.Series, visits: pd.Series) -> pd.Series:
    return spent / visits
'''


def read(root: Path, **groups: str) -> Catalog:
    """Read a catalog of these modules over a source ``orders``."""
    for name, text in groups.items():
        write_group(root, name, text)
    return read_catalog(make_place(root, orders="orders.csv"))


def problem(root: Path, text: str) -> str:
    """Return the one problem of a module."""
    (found,) = read(root, shop=text).problems
    return found.line


def test_what_a_feature_says(tmp_path: Path) -> None:
    """The name, docstring, decorator and code are read, and what it is made from."""
    found = read(tmp_path, shop=SHOP)
    assert not found.problems
    spent = found.find("shop.spent")
    assert (spent.entity, spent.timestamp) == (("customer",), "at")
    assert (spent.ttl, spent.lookback) == (timedelta(days=7), timedelta(days=30))
    assert (spent.partition, spent.owner, spent.tags) == (Period.DAY, "ada", ("money", "shop"))
    assert (spent.sensitivity, spent.cost, spent.type) == ("restricted", "expensive", "float")
    assert spent.description == "What a customer has spent.\n\nIn whole euros."
    assert spent.code.startswith("@mlops.feature(")
    assert spent.code.endswith("* LIMIT)")
    assert (spent.inputs, spent.functions, spent.sources) == (("clean",), ("clean",), ("orders",))
    assert (spent.path, spent.request, spent.upstream) == ("features/shop.py", (), ())


def test_helpers_are_no_features(tmp_path: Path) -> None:
    """Functions without an entity, and private ones, are not in the catalog."""
    assert set(read(tmp_path, shop=SHOP).definitions) == {"shop.spent", "shop.per_visit"}


def test_hamilton_s_own_tag(tmp_path: Path) -> None:
    """Hamilton's tag says the same; what comes from the request is known."""
    found = read(tmp_path, shop=SHOP).find("per_visit")
    assert (found.owner, found.timestamp, found.ttl) == ("bob", None, None)
    assert (found.request, found.upstream, found.sources) == (("visits",), ("shop.spent",), ())
    assert found.on_demand
    assert found.type is None


def test_the_decorator_says_what_the_reader_knows() -> None:
    """All words of the decorator are those that are read, and it refuses what cannot be."""
    from hamilton.function_modifiers import base

    made = feature(entity=["a", "b"], ttl="7d", tags=["x"])(lambda orders: orders)
    (decorator,) = getattr(made, base.NodeDecorator.get_lifecycle_name())
    assert decorator.tags == {"entity": ["a", "b"], "ttl": "7d", "tags": ["x"]}
    assert set(decorator.tags) <= set(WORDS)
    with pytest.raises(InvalidInput, match="ttl: 'soon' is no duration"):
        feature(entity="a", ttl="soon")
    with pytest.raises(InvalidInput, match="partition: 'week' is none of day, month, year"):
        feature(entity="a", partition="week")


def test_columns_of_one_function(tmp_path: Path) -> None:
    """`extract_columns` and `parameterize` make several features of one function."""
    found = read(
        tmp_path,
        shop="""
        @extract_columns("total", "count")
        @tag(entity="customer,shop")
        def sums(orders: pd.DataFrame) -> pd.DataFrame:
            return orders

        def clean(orders: pd.DataFrame) -> pd.DataFrame:
            return orders

        @parameterize(first=dict(of=source("clean")), second=dict(of=source("orders")))
        @tag(entity="customer")
        def head(of: pd.DataFrame) -> pd.DataFrame:
            return of.head()
        """,
    )
    assert set(found.definitions) == {"shop.total", "shop.count", "shop.first", "shop.second"}
    assert found.find("total").functions == ("sums",)
    assert found.find("total").entity == ("customer", "shop")
    assert found.find("first").functions == ("clean",)
    assert found.find("second").functions == ()
    assert found.twins(found.find("total")) == []


def test_features_of_other_groups(tmp_path: Path) -> None:
    """An argument may name a feature of another module; a feature is found by its short name."""
    found = read(
        tmp_path,
        shop=SHOP,
        ads="""
        @tag(entity="customer")
        def worth(spent: pd.DataFrame) -> pd.DataFrame:
            return spent
        """,
    )
    assert found.find("worth").upstream == ("shop.spent",)
    spent = found.find("spent")
    names = [each.full_name for each in found.descendants(spent)]
    assert names == ["ads.worth", "shop.per_visit"]
    assert (spent.takes, spent.reads) == ((), ("orders",))


def test_what_features_are_made_from_by_way_of_others(tmp_path: Path) -> None:
    """What is taken itself is told apart from what lies behind it, in other groups too."""
    found = read(
        tmp_path,
        shop=SHOP,
        ads="""
        @tag(entity="customer")
        def worth(spent: pd.DataFrame) -> pd.DataFrame:
            return spent
        """,
        risk="""
        def both(worth: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
            return worth

        @tag(entity="customer")
        def risky(both: pd.DataFrame) -> pd.DataFrame:
            return both
        """,
    )
    risky = found.find("risky")
    assert (risky.takes, risky.reads) == (("ads.worth",), ("orders",))
    assert [each.full_name for each in found.ancestors(risky)] == ["ads.worth", "shop.spent"]
    assert found.origins(found.find("worth")) == ["orders"]


def test_a_cycle_by_way_of_another_group(tmp_path: Path) -> None:
    """Each feature of it is told, and all others are there."""
    found = read(
        tmp_path,
        shop="""
        @tag(entity="c")
        def first(second: pd.DataFrame) -> pd.DataFrame: return second

        @tag(entity="c")
        def other(orders: pd.DataFrame) -> pd.DataFrame: return orders
        """,
        ads="""
        @tag(entity="c")
        def second(first: pd.DataFrame) -> pd.DataFrame: return first
        """,
    )
    assert list(found.definitions) == ["shop.other"]
    assert sorted(each.line for each in found.problems) == [
        "ads.second depends on itself: ads.second → shop.first → ads.second.",
        "shop.first depends on itself: shop.first → ads.second → shop.first.",
    ]
    assert {each.path for each in found.problems} == {"features/ads.py", "features/shop.py"}


def test_names_that_are_not_known(tmp_path: Path) -> None:
    """What could be meant is said; a name that two groups have must be whole."""
    one = '@tag(entity="c")\ndef same(orders: int) -> int: return orders\n'
    found = read(tmp_path, shop=SHOP + one, ads=one)
    with pytest.raises(NotFound, match=r"no feature spend\. Did you mean shop\.spent\?"):
        found.find("spend")
    with pytest.raises(NotFound, match=r"no feature nothing\. See: jupyter mlops features list"):
        found.find("nothing")
    with pytest.raises(NotFound, match=r"Say which: ads\.same or shop\.same"):
        found.find("same")
    with pytest.raises(InvalidInput, match="Name at least one feature"):
        found.checked([])
    assert [each.full_name for each in found.checked(["spent", "shop.spent"])] == ["shop.spent"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '@tag(entity="c")\ndef a(b: int) -> int: return b\ndef b(a: int) -> int: return a\n',
            "shop.a depends on itself: a → b → a.",
        ),
        (
            (
                '@tag(entity="c")\ndef a() -> int: return 1\n'
                '@tag(entity="c")\ndef a() -> int: return 2\n'
            ),
            "a is defined twice, in lines 6 and 8 of shop.py. Rename one.",
        ),
        (
            '@tag(entity="c")\ndef a(orders: int, visits: int) -> int: return visits\n',
            (
                "shop.a needs both the request (visits) and the source orders. Make the part that "
                "comes from the source a feature of its own, with an entity."
            ),
        ),
        (
            '@tag(entity=["c", 3])\ndef a(orders: int) -> int: return orders\n',
            "shop.a: entity must be a name, or a list of names, not ['c', 3].",
        ),
        (
            '@tag(entity="c", ttl="soon")\ndef a(orders: int) -> int: return orders\n',
            "shop.a: ttl: 'soon' is no duration. Write it like 30s, 90min, 12h, 7d or 2w.",
        ),
        (
            '@tag(entity=open("/etc/passwd").read())\ndef a(orders: int) -> int: return orders\n',
            "a: entity is computed, so that it cannot be read. Write it out.",
        ),
        (
            '@tag(entity="c")\ndef a(orders): return orders\n',
            (
                "a: the type of orders is not said, which Hamilton needs. Write it like "
                "orders: pd.DataFrame, or -> pd.Series."
            ),
        ),
        (
            '@tag(entity="c")\ndef a(orders: int): return orders\n',
            (
                "a: the type that it returns is not said, which Hamilton needs. Write it like "
                "orders: pd.DataFrame, or -> pd.Series."
            ),
        ),
        ("def a(:\n", "shop.py: line 5: invalid syntax. Mend the module."),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, line: str) -> None:
    """Each problem is one line with the feature's name; nothing is executed."""
    assert problem(tmp_path, text) == line


def test_a_broken_module_hides_no_other(tmp_path: Path) -> None:
    """The features of other modules are still there."""
    found = read(tmp_path, shop=SHOP, broken="def a(:\n")
    assert set(found.definitions) == {"shop.spent", "shop.per_visit"}
    assert [each.where for each in found.problems] == ["features/broken.py"]


def test_a_constant_of_the_module(tmp_path: Path) -> None:
    """What decorators share may be a constant."""
    text = 'KEYS = ["a", "b"]\n@tag(entity=KEYS)\ndef x(orders: int) -> int: return orders\n'
    assert read(tmp_path, shop=text).find("x").entity == ("a", "b")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("What a customer has spent", "Other words", True),
        ('owner="ada"', 'owner="eve"', True),
        ("# nothing", "# a comment", True),
        ("* LIMIT", "* 2 * LIMIT", False),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("return x / 2", "return x / 3", False),
        ("orders.dropna()", "orders", False),
        ('entity="customer"', 'entity="who"', False),
    ],
)
def test_the_hash_is_that_of_what_decides(tmp_path: Path, old: str, new: str, same: bool) -> None:
    """Code, helpers and constants count; docstrings, owners and comments do not."""
    text = SHOP + "# nothing\n"
    before = read(tmp_path, shop=text).find("spent").code_hash
    assert (
        read(tmp_path, shop=text.replace(old, new, 1)).find("spent").code_hash == before
    ) is same


def test_the_hash_covers_the_project_s_own_modules(tmp_path: Path) -> None:
    """A module beside, and one that this imports, count as well; others do not."""
    (tmp_path / "money.py").write_text("from rates import EURO\n", "utf-8")
    (tmp_path / "rates.py").write_text("EURO = 1\n", "utf-8")
    (tmp_path / "other.py").write_text("X = 1\n", "utf-8")
    text = 'import money\n@tag(entity="c")\ndef x(orders: int) -> int: return orders * money.EURO\n'
    before = read(tmp_path, shop=text).find("x").code_hash
    (tmp_path / "other.py").write_text("X = 2\n", "utf-8")
    assert read(tmp_path, shop=text).find("x").code_hash == before
    (tmp_path / "rates.py").write_text("EURO = 2\n", "utf-8")
    assert read(tmp_path, shop=text).find("x").code_hash != before


def test_equal_code_under_two_names(tmp_path: Path) -> None:
    """Names inside of a function do not matter, what it takes and does."""
    found = read(
        tmp_path,
        shop='''
        @tag(entity="c")
        def a(orders: pd.DataFrame) -> pd.DataFrame:
            """One."""
            total = orders.sum()
            return total / 2

        @tag(entity="c")
        def b(orders: pd.DataFrame) -> pd.DataFrame:
            s = orders.sum()
            return s / 2

        @tag(entity="c")
        def c(orders: pd.DataFrame) -> pd.DataFrame:
            s = orders.sum()
            return s / 3
        ''',
    )
    assert found.twins(found.find("a")) == ["shop.b"]
    assert found.twins(found.find("c")) == []


def test_shapes_keep_arguments_apart() -> None:
    """Functions that take other inputs are not the same."""
    one, two = ast.parse("def f(x: int) -> int: return x\ndef f(y: int) -> int: return y").body
    assert isinstance(one, ast.FunctionDef)
    assert isinstance(two, ast.FunctionDef)
    assert shape(one) != shape(two)


def test_read_again_only_after_a_change(tmp_path: Path) -> None:
    """The same catalog is returned until a file changes."""
    path = write_group(tmp_path, "shop", SHOP)
    reader = Reader(make_place(tmp_path, orders="orders.csv"))
    before = reader.read()
    assert reader.read() is before
    path.write_text(path.read_text("utf-8").replace("def per_visit", "def per_day"), "utf-8")
    assert set(reader.read().definitions) == {"shop.spent", "shop.per_day"}
    path.unlink()
    assert not reader.read().definitions


def test_threads_share_a_reader(tmp_path: Path) -> None:
    """Who asks while the catalog is read for the first time gets all of it, too."""
    write_group(tmp_path, "shop", SHOP)
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Reader):
        def _read(self) -> Catalog:
            reading.set()
            assert go_on.wait(30)
            return super()._read()

    reader = Slow(make_place(tmp_path, orders="orders.csv"))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(reader.read)
        assert reading.wait(30)
        second = pool.submit(reader.read)
        threading.Timer(0.1, go_on.set).start()
        assert second.result(30) is first.result(30)
    assert first.result().definitions


def test_private_modules_and_folders(tmp_path: Path) -> None:
    """A group may lie in a folder; private modules are none."""
    text = '@tag(entity="c")\ndef x(orders: int) -> int: return orders\n'
    write_group(tmp_path, "_own", text)
    write_group(tmp_path, "retail.customers", text)
    assert set(read(tmp_path).definitions) == {"retail.customers.x"}
    assert not read_catalog(make_place(tmp_path / "elsewhere")).definitions
