"""Engines that run the functions of features: pandas here, or Dask, Ray or Spark by Hamilton."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..core.exceptions import InvalidInput

if TYPE_CHECKING:
    from hamilton.node import Node

PANDAS = "pandas"
#: Engines, with what brings each.
EXTRAS = {"dask": "dask", "ray": "ray", "spark": "spark"}
ENGINES = (PANDAS, *EXTRAS)
#: Where a cluster of Dask is, as Dask itself reads it.
_SCHEDULER = "DASK_SCHEDULER_ADDRESS"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An engine that runs."""

    name: str
    #: Hamilton's adapter for it.
    hamilton: Any
    #: Makes what the engine works with of a table.
    give: Callable[[Any], Any]
    #: Has functions of a module sent along, as the processes that run them cannot import them.
    send: Callable[[ModuleType], None]
    #: Whether functions run in other processes, whose memory we do not see.
    elsewhere: bool


@contextmanager
def running(engine: str) -> Iterator[Adapter | None]:
    """Run an engine for the block, unless it runs already; None is for pandas.

    Raises `InvalidInput` if it is not known, or not installed.
    """
    if engine == PANDAS:
        yield None
        return
    starting = {"dask": _dask, "ray": _ray, "spark": _spark}.get(engine)
    if starting is None:
        raise InvalidInput(
            f"There is no engine {engine}. Choose one of {', '.join(ENGINES)}.", field="engine"
        )
    try:
        manager = starting()
        adapter = manager.__enter__()
    except ImportError as error:
        raise InvalidInput(_unusable(engine, error), field="engine") from error
    try:
        yield adapter
    finally:
        manager.__exit__(None, None, None)


def lent(value: Any, *, deep: bool = False) -> Any:
    """Return a table that a function may change without others noticing; anything else as it is."""
    import pandas as pd

    if not isinstance(value, pd.DataFrame | pd.Series):
        return value
    # Since pandas 3 what is changed is copied before.
    return value.copy(deep=deep or int(pd.__version__.partition(".")[0]) < 3)


def guarded(function: Callable[..., Any], *, deep: bool = False) -> Callable[..., Any]:
    """Return a function that is given tables of its own."""

    def guarding(**named: Any) -> Any:
        return function(**{name: lent(value, deep=deep) for name, value in named.items()})

    return guarding


def _hearing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that, in whatever thread, hears of checks who hears of them now."""
    context = copy_context()
    return lambda **named: context.copy().run(function, **named)


def _unusable(engine: str, error: ImportError) -> str:
    """Say why an engine cannot be used, and what to do."""
    import pandas as pd

    if isinstance(error, ModuleNotFoundError):
        return (
            f"The engine {engine} is not installed ({error}). Install it with: "
            f'pip install "jupyter-mlops[{EXTRAS[engine]}]"'
        )
    return (
        f"The engine {engine} does not work with what is installed here, pandas {pd.__version__} "
        f"for one: {error}. Choose another engine."
    )


@contextmanager
def _dask() -> Iterator[Adapter]:
    """Use the cluster that the kernel or the environment knows, else threads of this process."""
    import cloudpickle
    from dask.delayed import delayed
    from hamilton import base
    from hamilton.plugins.h_dask import DaskGraphAdapter

    client, own = _client()

    def give(table: Any) -> Any:
        # Named, as it would be hashed for a name otherwise.
        held = client.scatter(table, hash=False) if client is not None else table
        return delayed(held, name=f"input-{uuid4().hex}")

    class Sending(_Lenient, DaskGraphAdapter):  # type: ignore[misc]  # Hamilton is not typed
        """Sends functions whole, since workers cannot import the modules of features."""

        def execute_node(self, node: Node, kwargs: dict[str, Any]) -> Any:
            name = f"{node.name}-{uuid4().hex}"
            function = guarded(node.callable)
            if client is not None:
                function = Sent(cloudpickle.dumps(function))
            else:
                function = _hearing(function)
            return delayed(function, name=name)(**kwargs, dask_key_name=name)

    adapter = Sending(client, base.DictResult())
    try:
        yield Adapter(
            "dask", adapter, give, cloudpickle.register_pickle_by_value, client is not None
        )
    finally:
        if own:
            client.close()


def _client() -> tuple[Any, bool]:
    """Return a client of Dask's, and whether it is ours to close; None if there is no cluster."""
    from distributed import Client, default_client

    try:
        return default_client(), False
    except ValueError:
        address = os.environ.get(_SCHEDULER)
        return (Client(address), True) if address else (None, False)


class _Lenient:
    """Takes tables of the engine where pandas' are annotated, by whatever name Hamilton asks."""

    @staticmethod
    def check_input_type(*_asked: Any, **_named: Any) -> bool:
        """Whether a value may be given to a node."""
        return True

    check_node_type_equivalence = check_input_type
    do_validate_input = check_input_type
    do_check_edge_types_match = check_input_type


class Sent:
    """A function that takes its code along."""

    def __init__(self, code: bytes) -> None:
        """``code`` is the function as cloudpickle writes it."""
        self._code = code
        self._function: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it."""
        if self._function is None:
            import cloudpickle

            self._function = cloudpickle.loads(self._code)
        return self._function(*arguments, **named)


@contextmanager
def _ray() -> Iterator[Adapter]:
    import ray
    from hamilton import base
    from hamilton.plugins.h_ray import RayGraphAdapter

    class Taking(_Lenient, RayGraphAdapter):  # type: ignore[misc]  # Hamilton is not typed
        """Gives functions tables that they may change, which Ray's own may not be."""

        def do_remote_execute(self, *, execute_lifecycle_for_node: Any, **asked: Any) -> Any:
            function = guarded(execute_lifecycle_for_node, deep=True)
            return super().do_remote_execute(execute_lifecycle_for_node=function, **asked)

    own = not ray.is_initialized()
    if own:
        ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
    adapter = Taking(base.DictResult())
    try:
        yield Adapter("ray", adapter, ray.put, ray.cloudpickle.register_pickle_by_value, True)
    finally:
        if own:
            ray.shutdown()


@contextmanager
def _spark() -> Iterator[Adapter]:
    """Run functions on Spark's tables that are used as pandas' are."""
    import pandas as pd
    import pyspark.pandas as ps
    from hamilton import base
    from hamilton.plugins.h_spark import SparkKoalasGraphAdapter
    from pyspark.sql import SparkSession

    def give(table: Any) -> Any:
        return ps.from_pandas(table) if isinstance(table, pd.DataFrame | pd.Series) else table

    class Taking(_Lenient, SparkKoalasGraphAdapter):  # type: ignore[misc]  # Hamilton is not typed
        """Takes Spark's tables where pandas' are annotated."""

    own = SparkSession.getActiveSession() is None
    session = SparkSession.builder.getOrCreate()
    try:
        adapter = Taking(session, base.DictResult(), spine_column="")
        yield Adapter("spark", adapter, give, _stay, True)
    finally:
        if own:
            session.stop()


def _stay(_module: ModuleType) -> None:
    """Leave a module where it is: its functions run here, and only what they ask for elsewhere."""
