"""The devcontainer's lifecycle, from a fresh clone to a JupyterLab that shows the panel."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
LIFECYCLE = (
    "onCreateCommand",
    "updateContentCommand",
    "postStartCommand",
    "postAttachCommand",
)
#: What a test's own process has set, and a container has not.
OURS = re.compile(
    "PYTHON|VIRTUAL_ENV|COV|PYTEST|JUPYTER|IPYTHON|MLFLOW|MPL|XDG_|GIT_(?!SSL)|UV_CACHE|MAKE|MFLAGS"
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Container:
    """What stands for the container: a user with an empty home, a clone, and an environment."""

    home: Path
    checkout: Path
    environment: dict[str, str]
    #: The user whom commands run as, unless it is whoever runs the tests.
    user: str | None

    def as_user(self, command: str) -> list[str]:
        """Return what runs a command as the user."""
        switch = ("setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--")
        return [*(switch if self.user else ()), "sh", "-c", command]

    def run(self, command: str, folder: Path | None = None) -> str:
        """Run a command as the user, and return what it printed."""
        done = subprocess.run(
            self.as_user(command),
            cwd=folder or self.checkout,
            env=self.environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    @property
    def origin(self) -> str:
        """The one from which Codespaces shows the server."""
        name = self.environment["CODESPACE_NAME"]
        domain = self.environment["GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"]
        return f"https://{name}-{self.environment['JUPYTER_PORT']}.{domain}"

    def processes(self) -> list[psutil.Process]:
        """Return what has been started here and still runs."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("HOME") == str(self.home):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(scope="module")
def user() -> Iterator[str | None]:
    """An ordinary user: a new one if root runs the tests, or else whoever does."""
    if os.geteuid() != 0:
        yield None
        return
    if not all(map(shutil.which, ("useradd", "userdel", "setpriv"))):
        pytest.skip("there is no useradd and setpriv to become an ordinary user with")
    name = f"mlops-{secrets.token_hex(4)}"
    done = subprocess.run(
        ["useradd", "--no-create-home", name], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no ordinary user can be made: {done.stderr}")
    yield name
    subprocess.run(["userdel", name], check=False)


@pytest.fixture(scope="module")
def container(user: str | None) -> Iterator[Container]:
    """A fresh clone and home, without what the tests' own environment has."""
    base = Path(tempfile.mkdtemp(prefix="container-"))
    base.chmod(0o755)
    home, checkout, temporary, runtime = (
        base / name for name in ("home", "jupyter-mlops", "tmp", "run")
    )
    for folder in (home, temporary, runtime):
        folder.mkdir(mode=0o700)
    clone = ["git", "-c", "safe.directory=*", "clone", "--quiet", ROOT, checkout]
    subprocess.run(clone, check=True)
    if user:
        subprocess.run(["chown", "-R", f"{user}:", base], check=True)
    kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    own = Path(sys.executable).parent
    path = [each for each in os.environ["PATH"].split(os.pathsep) if Path(each) != own]
    environment = kept | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "JUPYTER_MLOPS_RUNTIME_DIR": str(runtime),
        # As in the Dockerfile.
        "PATH": os.pathsep.join([f"{home}/.environment/bin", *path]),
        "JUPYTER_PORT": str(free_port()),
        "CODESPACE_NAME": "fluffy-doodle-x1",
        "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev",
        **({"USER": user, "LOGNAME": user} if user else {}),
    }
    made = Container(home, checkout, environment, user)
    try:
        yield made
    finally:
        left = made.processes()
        for process in left:
            process.terminate()
        for process in psutil.wait_procs(left, timeout=10)[1]:
            process.kill()
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="module")
def address(container: Container) -> str:
    """The address that is printed in the end, after all steps, and after a second start."""
    steps = json.loads((container.checkout / ".devcontainer/devcontainer.json").read_text("utf-8"))
    for key in LIFECYCLE:
        printed = container.run(steps[key])
    servers = container.run("jupyter server list")
    # What a stopped container runs when it starts again finds all as it is.
    container.run(steps["postStartCommand"])
    assert container.run(steps["postAttachCommand"]) == printed
    assert container.run("jupyter server list") == servers
    (found,) = re.findall(r"^JupyterLab: (\S+)$", printed, re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def token(address: str) -> str:
    """The token in that address."""
    (found,) = re.findall(r"\?token=([0-9a-f]{64})$", address)
    return str(found)


class Browser:
    """Somebody who asks the server, and keeps its cookies."""

    def __init__(self, container: Container, base: str | None = None) -> None:
        self.base = base or f"http://127.0.0.1:{container.environment['JUPYTER_PORT']}"
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Return the status and the text of an answer."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.base}{path}", headers=headers
        )
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, ""

    def answers(self, path: str) -> bool:
        """Whether there is a server by now that shows a page."""
        try:
            return self.get(path)[0] == 200
        except urllib.error.URLError:
            return False


def test_the_address_is_that_of_the_codespace(container: Container, address: str) -> None:
    """What is printed on attach can be opened in a browser."""
    assert address.startswith(f"{container.origin}/lab?token=")


def test_nothing_is_answered_without_the_token(container: Container, token: str) -> None:
    """There is no empty token, and the token's file is the user's own."""
    stranger = Browser(container)
    for given in ({}, {"Authorization": "token "}, {"Authorization": f"token {token[:-1]}"}):
        assert stranger.get("/api/status", **given)[0] == 403
    assert stranger.get("/api/status", Authorization=f"token {token}")[0] == 200
    file = container.home / ".local/state/devcontainer/token"
    assert file.stat().st_mode & 0o777 == 0o600


def test_jupyterlab_shows_the_extension(container: Container, token: str) -> None:
    """The page loads the panel, and the server's side of it knows the example's model."""
    has_panel(Browser(container), f"/lab?token={token}", project="")


@pytest.fixture
def binder(container: Container, address: str) -> Iterator[Browser]:
    """A server that is started as BinderHub does, for a user whose home is the checkout."""
    port, base, token = free_port(), "/user/x-1/", secrets.token_hex(16)
    given = {"base_url": base, "token": token, "trust_xheaders": "True", "allow_origin": "'*'"}
    named = [
        f"--{app}.{name}={value}"
        for app in ("NotebookApp", "ServerApp")
        for name, value in given.items()
    ]
    server = subprocess.Popen(
        container.as_user(f"exec jupyter-lab --ip=0.0.0.0 --port={port} {' '.join(named)}"),
        cwd=container.checkout,
        env=container.environment | {"HOME": str(container.checkout)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    browser = Browser(container, f"http://127.0.0.1:{port}{base.rstrip('/')}")
    try:
        deadline = time.monotonic() + 60
        while not browser.answers(f"/lab?token={token}"):
            assert server.poll() is None, f"JupyterLab ended with {server.returncode}."
            assert time.monotonic() < deadline, "JupyterLab did not start."
            time.sleep(0.2)
        yield browser
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_binder_opens_the_example(binder: Browser) -> None:
    """The notebook that the address names is there, with the panel and the example's model."""
    assert binder.get("/api/contents/mlops-demo/quickstart.ipynb?content=0")[0] == 200
    has_panel(binder, "/lab/tree/mlops-demo/quickstart.ipynb", project="mlops-demo")


def has_panel(browser: Browser, path: str, project: str) -> None:
    """Check that a page loads the panel, and that a project's model is known."""
    status, page = browser.get(path)
    assert status == 200
    (config,) = re.findall(
        r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL
    )
    federated = json.loads(config)["federated_extensions"]
    assert "jupyter-mlops" in {extension["name"] for extension in federated}
    status, models = browser.get(f"/mlops/api/models?project={project}")
    assert status == 200
    assert json.loads(models)[0]["name"] == "late-flights"


def test_the_jupyter_on_path_is_the_same(container: Container, address: str) -> None:
    """Whoever starts another server, as gh codespace jupyter does, gets the panel too."""
    listed = container.run("jupyter labextension list", container.home)
    assert re.search("jupyter-mlops v.*enabled.*OK", listed)


def test_only_the_codespace_is_another_origin(container: Container, token: str) -> None:
    """A page of the forwarded port may ask, one of any other origin may not."""
    browser = Browser(container)
    browser.get(f"/lab?token={token}")
    assert browser.get("/api/contents", Origin=container.origin)[0] == 200
    host = container.origin.removeprefix("https://")
    others = (
        f"http://{host}",
        f"https://x{host}",
        f"{container.origin}.example.org",
        container.origin.replace("app.github", "app-github"),
        "https://app.github.dev",
    )
    for origin in others:
        assert browser.get("/api/contents", Origin=origin)[0] in {403, 404}, origin


def test_only_the_codespace_is_another_host(container: Container, token: str) -> None:
    """The server answers to the codespace's name as to localhost, whichever is passed on."""
    browser = Browser(container)
    known = {"Authorization": f"token {token}"}
    host = container.origin.removeprefix("https://")
    assert browser.get("/api/contents", Host=host, Origin=container.origin, **known)[0] == 200
    assert browser.get("/api/contents", Host="example.org", **known)[0] == 403


def test_the_example_is_ready(container: Container, address: str) -> None:
    """It is a git and DVC repository with a registered model, and its worker is there."""
    demo = container.checkout / "mlops-demo"
    assert (demo / ".dvc").is_dir()
    assert container.run("git rev-parse --show-toplevel", demo).strip() == str(demo)
    (model, *_) = json.loads(container.run("jupyter mlops models list --json", demo))
    assert (model["name"], model["aliases"]) == ("late-flights", ["champion"])
    assert json.loads(container.run("jupyter mlops worker --status --json", demo))["serving"]
