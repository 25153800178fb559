"""What a notification says, and what is hidden of where it goes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from jupyter_mlops.app.projects import Settings, Variable
from jupyter_mlops.core.notices import MAX_LINE, Notice, NoticeKind
from jupyter_mlops.core.runs import Status
from jupyter_mlops.notifying import NotSent, check
from jupyter_mlops.notifying.addresses import as_webhook, masked

FAILED = Notice(
    kind=NoticeKind.PIPELINE,
    name="stage train@a",
    status=Status.FAILED,
    error="command exited with 3",
    duration=190,
    look="jupyter mlops pipeline status",
    origin="schedule:k3m9x2ab",
    details=("2 stages were skipped.",),
)


def test_the_subject_says_all_that_matters() -> None:
    """One line: what, how, which, and why."""
    assert FAILED.subject == "Pipeline failed: stage train@a: command exited with 3"
    done = Notice(kind=NoticeKind.RUN, name="train.ipynb", status=Status.SUCCEEDED)
    assert done.subject == "Run succeeded: train.ipynb"


def test_the_body_has_a_few_lines() -> None:
    """What it took, who asked for it, where it was, and where to look."""
    assert FAILED.body("/work on host").splitlines() == [
        FAILED.subject,
        "2 stages were skipped.",
        "It took 3 min 10 s.",
        "It was started by schedule:k3m9x2ab.",
        "Project: /work on host",
        "Look closer: jupyter mlops pipeline status",
    ]


def test_lines_stay_lines() -> None:
    """Neither a header nor a terminal's commands get in by what a program printed."""
    error = "bad\r\nBcc: everybody@example.org\n\x1b[31mred\u202e" + "x" * 1000
    notice = Notice(kind=NoticeKind.RUN, name="a\nb", status=Status.FAILED, error=error)
    assert "\n" not in notice.subject
    assert "\r" not in notice.subject
    assert notice.subject.isprintable()
    assert len(notice.subject) == MAX_LINE


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://hooks.slack.com/services/T00000000/B11111111/abcdef", ("T0000", "abcdef")),
        ("mailto://user%40x:pass%21word@example.org?to=boss@corp.example", ("pass!", "boss")),
        ("json://example.org/hook?token=s3cr3t-t0ken", ("s3cr3t", "t0ken")),
    ],
)
def test_no_part_of_a_url_is_told(url: str, secrets: tuple[str, ...]) -> None:
    """However a library writes it, nothing of a URL but its host remains."""
    from urllib.parse import unquote

    text = masked(f"It failed: {url} {unquote(url)} {url.partition('://')[2]}", url)
    assert not [each for each in secrets if each in text]
    host = url.partition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]
    assert masked(f"No route to {host}", url) == f"No route to {host}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000/hook", "json://127.0.0.1:8000/hook"),
        ("https://a.example/x/y?key=v%20w", "jsons://a.example/x/y?-key=v+w"),
        ("ftp://a.example", None),
        ("https://", None),
        ("nonsense", None),
    ],
)
def test_plain_web_addresses(url: str, expected: str | None) -> None:
    """A plain web address takes JSON."""
    assert as_webhook(url) == expected


def test_the_example() -> None:
    """What the documentation shows is read, and its address is one."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "notifications.md"
    text = page.read_text("utf-8")
    (block,) = re.findall(r"```toml\n(\[\[notifications\]\].*?)```", text, re.DOTALL)
    slack, team = msgspec.convert(tomllib.loads(block), Settings).notifications
    assert slack.to == Variable(env="SLACK_URL")
    assert slack.of == (NoticeKind.PIPELINE, NoticeKind.SWEEP)
    assert team.name == "team"
    assert isinstance(team.to, str)
    check(team.to)
    check("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")


@pytest.mark.parametrize(
    "url", ["", "nonsense", "slack://", "nosuch://a/b", "https://", "mailto://"]
)
def test_bad_urls(url: str) -> None:
    """A URL that leads nowhere is refused in one line without the URL."""
    with pytest.raises(NotSent, match="it is no URL that notifications can be sent to") as raised:
        check(url)
    assert "\n" not in str(raised.value)
    assert "nosuch" not in str(raised.value)
