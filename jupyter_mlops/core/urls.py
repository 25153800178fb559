"""Addresses that may hold secrets."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit


def without_login(url: str) -> str:
    """Return a URL, or git's ``user@host:path``, without user and password.

    The user of an ssh address is kept: it is part of the place, not a secret.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return re.sub(r"^([^/@:]+):[^/@]*@", r"\1@", url)
    login, at, host = parts.netloc.rpartition("@")
    if at and "ssh" in parts.scheme:
        host = f"{login.partition(':')[0]}@{host}"
    return urlunsplit(parts._replace(netloc=host)) if at else url


def without_secrets(url: str) -> str:
    """Return a URL without user, password and query, which may hold a token."""
    bare = without_login(url)
    parts = urlsplit(bare)
    return urlunsplit(parts._replace(query="", fragment="")) if parts.netloc else bare
