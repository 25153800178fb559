"""Features online in Redis, for several machines.

A fill is a hash of its own; a field of the hash ``fills`` says which one is current. Both are read
in one transaction, so that readers see all of a fill or nothing of it. While it is written a fill
expires by itself, so that nothing is left of a filler that is killed.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..core.exceptions import InvalidInput
from ..core.features import OnlineUnavailable
from .encoding import Fill, dumped, loaded
from .online_ports import Found, KeysOf

if TYPE_CHECKING:
    import redis

_PIECE = 10_000
#: Seconds for which a fill lasts that is not written to any more.
_UNFINISHED = 3600
_TIMEOUT = 5.0
#: Bytes of a fill's name, before what is said of it.
_NAME = 32


class RedisOnline:
    """An online store in Redis. Threads may share it.

    Several projects can share a database by names: ``redis://HOST:PORT/DB?prefix=NAME``.
    """

    def __init__(self, url: str) -> None:
        """Raises `InvalidInput` where its client is not installed or the URL is none."""
        try:
            import redis
        except ImportError:
            raise InvalidInput(
                'Redis needs its client. Run: pip install "jupyter-mlops[redis]"'
            ) from None
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        # In braces, so that a cluster keeps all of it in one place.
        self._prefix = f"{{{query.pop('prefix', 'mlops')}}}"
        self._shown = parts.hostname or parts.path
        try:
            self._client = redis.Redis.from_url(
                urlunsplit(parts._replace(query=urlencode(query))),
                socket_timeout=_TIMEOUT,
                socket_connect_timeout=_TIMEOUT,
            )
        except ValueError as error:
            raise InvalidInput(f"The URL of the online store cannot be read: {error}") from error
        self._pointers = f"{self._prefix}:fills"
        self._known: dict[str, bytes] = {}

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def fills(self) -> dict[str, Fill]:
        """Return what is online."""
        with self._asking():
            found: Any = self._client.hgetall(self._pointers)
        return {name.decode(): loaded(each[_NAME:]) for name, each in found.items()}

    def read(self, features: Sequence[str], keys_of: KeysOf) -> dict[str, Found]:
        """Return the values of keys of the features that are online, all as of one moment."""
        known = dict(self._known)
        while True:
            with self._asking():
                current, found = self._read(features, known, keys_of)
            if current == {each: known.get(each) for each in features}:
                return found
            # Another fill became current, and only its name is known by now.
            known.update(current)
            self._known = {name: each for name, each in known.items() if each is not None}

    def _read(
        self, features: Sequence[str], known: dict[str, Any], keys_of: KeysOf
    ) -> tuple[dict[str, Any], dict[str, Found]]:
        """Return which fills are current, and the values of those that are known, at once."""
        asked = {each: known[each] for each in features if known.get(each)}
        fills = {name: loaded(each[_NAME:]) for name, each in asked.items()}
        keys = {name: keys_of(fill) for name, fill in fills.items()}
        pipe = self._client.pipeline(transaction=True)
        pipe.hmget(self._pointers, list(features))
        for name, each in asked.items():
            place = self._place(each[:_NAME])
            pipe.exists(place)
            # A hash has no field of this name, as a key is never empty.
            pipe.hmget(place, [b"" if key is None else key for key in keys[name]] or [b""])
        current, *answers = pipe.execute()
        now = dict(zip(features, current, strict=True))
        found = {}
        for position, (name, fill) in enumerate(fills.items()):
            there, values = answers[2 * position : 2 * position + 2]
            if fill.rows and not there and now[name] == asked[name]:
                raise OnlineUnavailable(
                    f"Redis has given up the values of {name}, as if it were a cache. Set its "
                    "maxmemory-policy to noeviction, and fill it again."
                )
            found[name] = Found(fill, values[: len(keys[name])])
        return now, found

    @contextlib.contextmanager
    def filling(self) -> Iterator[RedisFilling]:
        """Begin to fill; others may do so too, and who publishes last counts."""
        with self._asking():
            yield RedisFilling(self._client, self._pointers, self._place)

    def _place(self, name: bytes | str) -> str:
        return f"{self._prefix}:fill:{name if isinstance(name, str) else name.decode()}"

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        import redis

        try:
            yield
        except redis.RedisError as error:
            raise OnlineUnavailable(
                f"The online store at {self._shown} does not answer: {error}"
            ) from error


class RedisFilling:
    """Writes fills, which nobody sees before they are published."""

    def __init__(self, client: redis.Redis, pointers: str, place: Any) -> None:
        self._client = client
        self._pointers = pointers
        self._place = place
        self._names: dict[str, str] = {}

    def add(self, feature: str, rows: Iterable[tuple[bytes, bytes]]) -> int:
        """Write values of a feature, and return how many."""
        name = self._names.setdefault(feature, uuid.uuid4().hex)
        place, count, left = self._place(name), 0, iter(rows)
        while piece := dict(islice(left, _PIECE)):
            pipe = self._client.pipeline(transaction=True)
            pipe.hset(place, mapping=piece)  # type: ignore[arg-type]  # bytes are names, too
            pipe.expire(place, _UNFINISHED)
            pipe.execute()
            count += len(piece)
        return count

    def publish(self, fills: Sequence[Fill]) -> None:
        """Make fills the current ones, all at one moment."""
        names = {each.feature: self._names[each.feature] for each in fills}
        records: dict[str, bytes] = {
            each.feature: names[each.feature].encode() + dumped(each) for each in fills
        }
        places = [self._place(names[each.feature]) for each in fills if each.rows]
        self._replace(records, places)

    def remove(self, features: Collection[str]) -> None:
        """Take features off."""
        self._replace(dict.fromkeys(features), [])

    def _replace(self, records: Mapping[str, bytes | None], places: list[str]) -> None:
        import redis

        if not records:
            return
        pipe = self._client.pipeline(transaction=True)
        while True:
            try:
                pipe.watch(self._pointers, *places)  # type: ignore[no-untyped-call]
                before: Any = pipe.hmget(self._pointers, list(records))
                if places and pipe.exists(*places) != len(places):
                    raise OnlineUnavailable("The online store gave up values while it was filled.")
                pipe.multi()
                present = {name: each for name, each in records.items() if each is not None}
                if present:
                    pipe.hset(self._pointers, mapping=present)  # type: ignore[arg-type]
                if gone := [name for name, each in records.items() if each is None]:
                    pipe.hdel(self._pointers, *gone)
                for each in places:
                    pipe.persist(each)
                if old := [self._place(each[:_NAME]) for each in before if each is not None]:
                    pipe.unlink(*old)
                pipe.execute()
            except redis.WatchError:
                continue
            finally:
                pipe.reset()
            return
