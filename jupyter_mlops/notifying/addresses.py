"""URLs of notifications, which hold secrets: what is told of them, and webhooks by plain URL."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ..core.values import MASK

#: Parts of a URL that are shorter than this are no secrets, and occur in any text.
_SHORT = 4
_SEPARATORS = re.compile(r"[/:@?&=#,;+\s]+")
_SCHEMES = {"http": "json", "https": "jsons"}


class NotSent(Exception):
    """A notification could not be sent; the text says why, without the secrets of its URL."""


def masked(text: str, url: str) -> str:
    """Return a text without any part of a URL but its scheme and host."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2].partition(":")[0]
    parts = {*_SEPARATORS.split(rest), *_SEPARATORS.split(unquote(rest)), rest, unquote(rest), url}
    secrets = {each for each in parts if len(each) >= _SHORT and each not in (host, scheme)}
    for each in sorted(secrets, key=len, reverse=True):
        text = text.replace(each, MASK)
    return text


def as_webhook(url: str) -> str | None:
    """Return how Apprise writes a plain http or https URL that takes JSON; None for another."""
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.netloc:
        return None
    query = urlencode([(f"-{key}", value) for key, value in parse_qsl(parts.query, True)])
    return f"{scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")
