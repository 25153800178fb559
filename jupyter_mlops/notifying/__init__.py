"""Notifications by e-mail, Slack, webhooks and many more, through Apprise.

It is imported when something is sent: that takes a quarter of a second.
"""

from __future__ import annotations

from .addresses import NotSent

__all__ = ["NotSent", "check", "send"]


def check(url: str) -> None:
    """Raise `NotSent` unless a URL names somewhere that a notification can go to."""
    from .apprise_sender import service

    service(url)


def send(url: str, subject: str, body: str, *, failed: bool) -> None:
    """Send plain text and return when it was taken. Raises `NotSent`. One thread at a time."""
    from .apprise_sender import send_text

    send_text(url, subject, body, failed=failed)
