"""Notifications as they arrive: in a mailbox, in Slack's form, and as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from jupyter_mlops.app.notifying import Notifier
from jupyter_mlops.app.projects import find_project
from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.notices import Notice, NoticeKind
from jupyter_mlops.core.runs import Status, SweepKind
from jupyter_mlops.core.stages import Stage
from jupyter_mlops.store import Store, Tally
from tests.support.receivers import Mail, Post, http_receiver, smtp_receiver
from tests.support.records import a_sweep

SECRET = "s3cr3t-T0ken"
FAILED = Notice(
    kind=NoticeKind.PIPELINE,
    name="stage train@a",
    status=Status.FAILED,
    error="<!channel> & <b>*boom*</b>",
    look="jupyter mlops pipeline status",
)
Start = Callable[..., AbstractAsyncContextManager[Notifier]]


def settings(to: str, more: str = "") -> str:
    """Return settings with one notification."""
    target = to if to.startswith("{") else json.dumps(to)
    return f"[[notifications]]\nto = {target}\n{more}\n"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a notifier of a project with some settings."""

    @asynccontextmanager
    async def started(text: str) -> AsyncIterator[Notifier]:
        (tmp_path / "mlops.toml").write_text(text, "utf-8")
        project = find_project(tmp_path)
        project.state.mkdir(exist_ok=True)
        store = Store(project.id, url=None, state=project.state)
        notifier = Notifier(project, store, pauses=(0.01, 0.02, 0.03))
        yield notifier
        await notifier.close()
        store.close()

    return started


async def settled(notifier: Notifier) -> None:
    """Wait until nothing is being sent any more."""
    while notifier.pending:
        await asyncio.wait(set(notifier._tasks))


async def test_mail(start: Start) -> None:
    """A mail has the subject and the text, and no markup."""
    with smtp_receiver() as server:
        url = (
            f"mailto://someone:{SECRET}@127.0.0.1:{server.port}?smtp=127.0.0.1&mode=insecure"
            "&from=mlops@example.org&to=team@example.org"
        )
        async with start(settings(url)) as notifier:
            await notifier.tell(FAILED)
            await settled(notifier)
            assert notifier.problem is None
        mail = server.next()
    assert isinstance(mail, Mail)
    assert mail.login == f"someone:{SECRET}"
    assert "mlops@example.org" in mail.sender
    assert mail.receivers == ["<team@example.org>"]
    assert mail.message["Subject"] == FAILED.subject
    assert mail.message.get_content_type() == "text/plain"
    text = mail.message.get_content()
    assert "Pipeline failed: stage train@a: <!channel> & <b>*boom*</b>" in text
    assert "Look closer: jupyter mlops pipeline status" in text


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/hook/a?key={secret}", "json://127.0.0.1:{port}/hook/a?-key={secret}"],
)
async def test_a_webhook(start: Start, url: str) -> None:
    """Any web address gets a JSON object, its path and query as they were written."""
    with http_receiver() as server:
        async with start(settings(url.format(port=server.port, secret=SECRET))) as notifier:
            await notifier.tell(FAILED)
            await settled(notifier)
        post = server.next()
    assert isinstance(post, Post)
    assert post.path == f"/hook/a?key={SECRET}"
    assert post.content["title"] == FAILED.subject
    assert post.content["message"].startswith(FAILED.subject)
    assert post.content["type"] == "failure"


async def test_slack(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack gets a message in its own form, in which nothing mentions a channel or is a link."""
    from apprise.plugins.slack import NotifySlack

    url = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    with http_receiver() as server:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{server.port}/services")
        async with start(settings(url)) as notifier:
            await notifier.tell(FAILED)
            await settled(notifier)
            assert notifier.problem is None
        post = server.next()
    assert post.path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    (attachment,) = post.content["attachments"]
    expected = "Pipeline failed: stage train@a: &lt;!channel&gt; &amp; &lt;b&gt;*boom*&lt;/b&gt;"
    assert attachment["title"] == expected
    assert attachment["text"].startswith(expected)
    assert post.content["mrkdwn"] is False
    assert "<" not in json.dumps(post.content)


async def test_who_is_told_of_what(start: Start) -> None:
    """Unless the settings say otherwise: failures of pipelines, and of what a schedule starts."""
    run = Notice(kind=NoticeKind.RUN, name="a.ipynb", status=Status.FAILED)
    scheduled = Notice(
        kind=NoticeKind.RUN, name="b.ipynb", status=Status.FAILED, origin="schedule:x"
    )
    stage = Notice(kind=NoticeKind.STAGE, name="c", status=Status.FAILED, origin="schedule:x")
    good = Notice(kind=NoticeKind.PIPELINE, name="d", status=Status.SUCCEEDED)
    cancelled = Notice(kind=NoticeKind.PIPELINE, name="e", status=Status.CANCELLED)
    notices = (run, scheduled, stage, good, cancelled, FAILED)
    for more, expected in (
        ("", [scheduled, FAILED]),
        ('on = ["failure", "success"]', [scheduled, good, FAILED]),
        ('of = ["run"]', [run, scheduled]),
        ('of = ["stage"]', [stage]),
    ):
        with http_receiver() as server:
            async with start(settings(f"http://127.0.0.1:{server.port}/", more)) as notifier:
                for notice in notices:
                    await notifier.tell(notice)
                await settled(notifier)
            titles = {server.next().content["title"] for _ in expected}
            assert titles == {each.subject for each in expected}
            assert server.empty


async def test_sweeps_and_runs(start: Start) -> None:
    """A sweep and a run are told with their counts; of a stage's run, its pipeline tells."""
    tally = Tally(
        counts={Status.SUCCEEDED: 2, Status.FAILED: 1},
        started_at=None,
        finished_at=None,
        mean_duration=None,
    )
    stage = Stage(pipeline_id="p", name="train", folder="")
    with http_receiver() as server:
        text = settings(f"http://127.0.0.1:{server.port}/", 'of = ["sweep", "schedule"]')
        async with start(text) as notifier:
            await notifier.sweep_ended(a_sweep(stage=stage), tally)
            await notifier.sweep_ended(a_sweep(kind=SweepKind.RUN), tally)
            await notifier.sweep_ended(a_sweep(), tally)
            origin = {"origin": "schedule:k3m9x2ab"}
            await notifier.sweep_ended(a_sweep(kind=SweepKind.RUN, context=origin), tally)
            await settled(notifier)
        titled = {each.content["title"]: each for each in (server.next(), server.next())}
        sweep, run = titled["Sweep failed: train.ipynb"], titled["Run failed: train.ipynb"]
        assert "Runs: 2 succeeded, 1 failed." in sweep.content["message"]
        assert "It was started by schedule:k3m9x2ab." in run.content["message"]
        assert server.empty


async def test_those_whom_a_stage_names(start: Start) -> None:
    """A stage names a notification of the settings, or a URL, and is heard by these alone."""
    with http_receiver() as server, http_receiver() as other:
        text = settings(f"http://127.0.0.1:{server.port}/", 'name = "team"\nof = ["run"]')
        async with start(text) as notifier:
            await notifier.tell(FAILED, to=["team", f"http://127.0.0.1:{other.port}/x", "taem"])
            await settled(notifier)
            assert server.next().content["title"] == FAILED.subject
            assert other.next().path == "/x"
            assert server.empty
            assert notifier.problem is not None
            assert "There is no notification 'taem' in mlops.toml" in notifier.problem


async def test_urls_from_variables(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL stands in the environment or in .env; that it stands nowhere is told."""
    with http_receiver() as server:
        text = settings('{ env = "HOOK_URL" }')
        async with start(text) as notifier:
            (finding,) = await notifier.findings()
            assert not finding.ok
            assert "HOOK_URL is neither an environment variable nor set in .env" in finding.message
            (tmp_path / ".env").write_text(f"HOOK_URL=http://127.0.0.1:{server.port}/a\n", "utf-8")
            await notifier.tell(FAILED)
            await settled(notifier)
            assert server.next().path == "/a"
            monkeypatch.setenv("HOOK_URL", f"http://127.0.0.1:{server.port}/b")
            await notifier.tell(FAILED)
            await settled(notifier)
            assert server.next().path == "/b"
            (finding,) = await notifier.findings()
            assert finding.ok
            assert finding.message == "1 notification set up."


async def test_a_server_that_is_away_for_a_while(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again; the problem is gone when it has worked, and nothing came twice."""
    caplog.set_level(logging.INFO)
    with http_receiver() as server:
        server.answers += [503, 500]
        async with start(settings(f"http://127.0.0.1:{server.port}/{SECRET}")) as notifier:
            await notifier.tell(FAILED)
            await settled(notifier)
            assert notifier.problem is None
        assert [server.next().path for _ in range(3)] == [f"/{SECRET}"] * 3
        assert server.empty
    assert any("was not sent" in each.getMessage() for each in caplog.records)
    _no_secret(caplog)


async def test_a_server_that_is_down(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """After four tries the problem stays and says what to do; nothing of the URL is told."""
    caplog.set_level(logging.INFO)
    with http_receiver() as server:
        url = f"http://someone:{SECRET}@127.0.0.1:{server.port}/hook?key={SECRET}"
    async with start(settings(url, 'name = "team"')) as notifier:
        await notifier.tell(FAILED)
        await settled(notifier)
        assert notifier.problem is not None
        assert notifier.problem.startswith("Notification team: It was not sent: ")
        assert notifier.problem.endswith("jupyter mlops doctor --notify")
        assert SECRET not in notifier.problem
        assert "\n" not in notifier.problem
        (finding,) = await notifier.findings()
        assert not finding.ok
        (tested,) = await notifier.test_notifications()
        assert not tested.ok
        assert SECRET not in tested.message
        with http_receiver(server.port) as back:
            (tested,) = await notifier.test_notifications()
            assert tested.ok
            assert back.next().content["type"] == "success"
            assert notifier.problem is None
    _no_secret(caplog)


def _no_secret(caplog: pytest.LogCaptureFixture) -> None:
    assert caplog.records
    assert not [each for each in caplog.records if SECRET in each.getMessage()]


async def test_an_ending_worker_gives_up_what_only_waits(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a further try does not keep a worker from ending."""
    monkeypatch.setattr("jupyter_mlops.app.notifying._LAST", 0.1)
    with http_receiver() as server:
        server.answers += [503]
        async with start(settings(f"http://127.0.0.1:{server.port}/")) as notifier:
            notifier._pauses = (3600.0,)
            await notifier.tell(FAILED)
            await asyncio.to_thread(server.next)
        assert not notifier.pending


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[notifications]]\non = ['failure']", "missing required field `to`"),
        (settings("a://b", "on = ['never']"), "Invalid enum value 'never'"),
        (settings("a://b", "of = ['weather']"), "Invalid enum value 'weather'"),
        (settings("{ variable = 'X' }"), "unknown field `variable`"),
        ("[notifications]\nto = 'a://b'", "Expected `array`"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    """The file and the place are named, and not the URL."""
    (tmp_path / "mlops.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidInput) as raised:
        find_project(tmp_path)
    assert message in raised.value.message
    assert raised.value.message.startswith("mlops.toml: ")
    assert "a://b" not in raised.value.message


def test_settings_do_not_show_urls(tmp_path: Path) -> None:
    """Whoever prints the settings prints no secret."""
    (tmp_path / "mlops.toml").write_text(settings(f"json://host/{SECRET}"), "utf-8")
    assert SECRET not in repr(find_project(tmp_path))
