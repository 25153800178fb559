"""The documentation: it builds, and leaves out nothing that a user could meet."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

import jupyter_mlops
from jupyter_mlops.app.operations import DOWNLOADS
from jupyter_mlops.app.projects import Settings
from jupyter_mlops.commands.tree import tree
from jupyter_mlops.server.contract import event_schema
from jupyter_mlops.server.extension import MlopsExtension
from jupyter_mlops.server.routes import ROUTES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: How a command's help begins its examples.
EXAMPLE = re.compile(r"\x08\n\s*Examples?:")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the documentation's pages, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("docs")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def identifiers(page: Path) -> set[str]:
    """Return what a page can be linked at."""
    return set(re.findall(r'\bid="([^"]+)"', page.read_text("utf-8")))


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command."""
    yield path
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, (*path, name))


def command_of(path: tuple[str, ...]) -> click.Command:
    """Return a command by its words."""
    found: click.Command = tree
    for name in path:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    return found


def written() -> str:
    """Return the text of all pages that people write."""
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    return "\n".join(page.read_text("utf-8") for page in pages)


def test_every_command_and_option(built: Path) -> None:
    """Each command has its place in the reference, with an example; and so has each option."""
    known = identifiers(built / "reference" / "commands.html")
    for path in commands(tree):
        command = command_of(path)
        assert "-".join(("jupyter", "mlops", *path)) in known
        assert isinstance(command, click.Group) or re.search(EXAMPLE, command.help or ""), path
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.help, (path, option.name)
                place = "-".join(("cmdoption-jupyter-mlops", *path, option.opts[0].strip("-")))
                assert place in known


def test_every_command_is_used_somewhere() -> None:
    """Each command stands in a page that says what it is good for."""
    text = written()
    for path in commands(tree):
        words = " ".join(path)
        if not isinstance(command_of(path), click.Group):
            assert re.search(rf"(mlops |`){words}\b", text), f"No page tells of {words}."


def test_every_setting(built: Path) -> None:
    """Each setting of a project and of the server has a row, with what it means."""
    page = built / "reference" / "settings.html"
    places = {field.encode_name for field in msgspec.structs.fields(Settings)}
    traits = MlopsExtension.class_own_traits(config=True)
    places |= {f"c-mlopsextension-{name}" for name in traits}
    places |= {"features-modules", "features-sources-name-path", "notifications-to"}
    places = {f"setting-{each.replace('_', '-')}" for each in places}
    assert not places - identifiers(page)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.read_text("utf-8"), re.DOTALL)
    assert len(rows) > 40
    assert not [row for row in rows if re.search(r"<td>(<p>)?(</p>)?</td>\s*$", row)]


def test_every_route(built: Path) -> None:
    """Each route stands in the reference, with each type that it takes or gives."""
    known = identifiers(built / "reference" / "routes.html")
    for each in (*ROUTES, *DOWNLOADS):
        assert f"route-{each.name.replace('_', '-')}" in known
        assert each.body is None or f"type-{each.body.__name__.lower()}" in known
        assert each.summary


def test_every_event(built: Path) -> None:
    """Each field of what is told stands there."""
    text = (built / "reference" / "events.html").read_text("utf-8")
    schema = event_schema()
    assert schema["$id"] in text
    assert not [name for name in schema["properties"] if f">{name}<" not in text]


def test_all_of_the_python_api(built: Path) -> None:
    """Each public name, and each function of ``mlops.features``, stands there with its text."""
    known = identifiers(built / "reference" / "python.html")
    names = {f"jupyter_mlops.{name}" for name in jupyter_mlops.__all__}
    names |= {f"jupyter_mlops.features.{name}" for name in ("training_set", "online", "compute")}
    assert not names - known - {"jupyter_mlops.features"}


def test_every_variable() -> None:
    """Each variable of ours that a user may set is told of."""
    ours = {
        "JUPYTER_MLOPS_ATTEMPT",
        "JUPYTER_MLOPS_ENDPOINT",
        "JUPYTER_MLOPS_ENGINE",
        "JUPYTER_MLOPS_FRONT_TOKEN",
        "JUPYTER_MLOPS_PROJECT",
        "JUPYTER_MLOPS_READS",
        "JUPYTER_MLOPS_SESSION",
    }
    found = {
        name
        for module in (ROOT / "jupyter_mlops").rglob("*.py")
        for name in re.findall(r"[_\"]?(JUPYTER_MLOPS_[A-Z_]+)\b", module.read_text("utf-8"))
    }
    assert ours < found
    text = written()
    assert not [name for name in sorted(found - ours) if name not in text]
