"""Apprise, told to take text as text, and kept from writing URLs into our logs."""

from __future__ import annotations

import io
import logging

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType

from .addresses import NotSent, as_webhook, masked

_log = logging.getLogger("apprise")
# What it says is caught below, and masked.
_log.propagate = False
_log.setLevel(logging.WARNING)
_log.addHandler(logging.NullHandler())

_ASSET = AppriseAsset(
    app_id="jupyter-mlops",
    app_desc="jupyter-mlops",
    app_url="",
    async_mode=False,
    secure_logging=True,
)
_MAIL = ("mailto", "mailtos")


def service(url: str) -> NotifyBase:
    """Return where a URL leads to. Raises `NotSent`."""
    found = Apprise.instantiate(url, asset=_ASSET)
    if found is None and (webhook := as_webhook(url)) is not None:
        found = Apprise.instantiate(webhook, asset=_ASSET)
    if found is None:
        raise NotSent(
            "it is no URL that notifications can be sent to. Write one like "
            "mailto://user:password@example.org, slack://… or https://example.org/hook; "
            "all kinds: https://github.com/caronc/apprise/wiki"
        )
    if url.lower().startswith(_MAIL) and "format=" not in url:
        found.notify_format = NotifyFormat.TEXT
    return found


def send_text(url: str, subject: str, body: str, *, failed: bool) -> None:
    """Send a text. Raises `NotSent`."""
    sender = Apprise(asset=_ASSET)
    sender.add(service(url))
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setLevel(logging.WARNING)
    _log.addHandler(handler)
    try:
        sent = sender.notify(
            title=subject,
            body=body,
            notify_type=NotifyType.FAILURE if failed else NotifyType.SUCCESS,
            body_format=NotifyFormat.TEXT,
        )
    finally:
        _log.removeHandler(handler)
    lines = said.getvalue().strip().splitlines()
    if not sent:
        why = masked(lines[-1], url) if lines else "it was not accepted"
        raise NotSent(" ".join(why.split()).rstrip("."))
