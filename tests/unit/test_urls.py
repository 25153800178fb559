"""Addresses without what is secret in them."""

from __future__ import annotations

import pytest

from jupyter_mlops.core.urls import without_login, without_secrets


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://token@a.example:8443/x?y#z", "https://a.example:8443/x?y#z"),
        ("postgresql+psycopg://ada:a@b@db/mlops", "postgresql+psycopg://db/mlops"),
        ("ssh://git:pass@a.example/x", "ssh://git@a.example/x"),
        ("git+ssh://git@a.example/x", "git+ssh://git@a.example/x"),
        ("git@a.example:x/y.git", "git@a.example:x/y.git"),
        ("git:pass@a.example:x/y.git", "git@a.example:x/y.git"),
        ("sqlite:////a/b@c.db", "sqlite:////a/b@c.db"),
        ("../b", "../b"),
        ("", ""),
    ],
)
def test_logins_are_left_out(url: str, bare: str) -> None:
    """A token that stands for a user goes too; the user of ssh is needed."""
    assert without_login(url) == bare


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:pass@a.example/x?token=y#z", "https://a.example/x"),
        ("sqlite:////a/b?c.db", "sqlite:////a/b?c.db"),
        ("/a/b?c", "/a/b?c"),
    ],
)
def test_queries_are_left_out(url: str, bare: str) -> None:
    """What follows a host's path may be a token; in a file's name it is the file's."""
    assert without_secrets(url) == bare
