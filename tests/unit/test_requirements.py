"""What a new project is locked to."""

from __future__ import annotations

import json
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from jupyter_mlops import __version__
from jupyter_mlops.app.requirements import lock, origin


def package(folder: Path, told: object = None, **fields: str) -> PathDistribution:
    """Make a package as it is installed, with what it tells of where it came from."""
    made = folder / "tool-1.2.dist-info"
    made.mkdir(parents=True)
    lines = {"Metadata-Version": "2.1", "Name": "tool", "Version": "1.2"} | fields
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    (made / "METADATA").write_text(text, "utf-8")
    if told is not None:
        text = told if isinstance(told, str) else json.dumps(told)
        (made / "direct_url.json").write_text(text, "utf-8")
    return PathDistribution(made)


@pytest.mark.parametrize(
    ("told", "requirement"),
    [
        (None, "tool==1.2"),
        ("no JSON", "tool==1.2"),
        (["no", "object"], "tool==1.2"),
        ({"archive_info": {}, "url": "https://a.example/t.whl"}, "tool @ https://a.example/t.whl"),
        (
            {"archive_info": {}, "url": "https://me:secret@a.example/t.whl"},
            "tool @ https://a.example/t.whl",
        ),
        (
            {"vcs_info": {"vcs": "git", "commit_id": "abc"}, "url": "https://a.example/t.git"},
            "tool @ git+https://a.example/t.git@abc",
        ),
        (
            {
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "url": "ssh://git@a.example/t.git",
                "subdirectory": "python",
            },
            "tool @ git+ssh://git@a.example/t.git@abc#subdirectory=python",
        ),
        ({"archive_info": {}, "url": "file:///gone/tool-1.2-py3-none-any.whl"}, "tool==1.2"),
    ],
    ids=["index", "broken", "other", "url", "secret", "commit", "subdirectory", "gone"],
)
def test_a_package_comes_from_where_it_came(tmp_path: Path, told: object, requirement: str) -> None:
    """An index, a URL and a commit are named again, without what is secret in a URL."""
    assert origin(package(tmp_path, told)).requirement == requirement


def test_a_wheel_is_taken_along(tmp_path: Path) -> None:
    """A wheel that lies on this machine alone becomes a file of the project."""
    wheel = tmp_path / "a b" / "tool-1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    found = origin(package(tmp_path, {"archive_info": {}, "url": wheel.as_uri()}))
    assert found.requirement == "./wheels/tool-1.2-py3-none-any.whl"
    assert (found.wheel, found.place) == (wheel, None)


def test_a_place_that_is_gone(tmp_path: Path) -> None:
    """Conda's packages name the folder in which they were built: they have a version, too."""
    place = tmp_path / "feedstock"
    found = origin(package(tmp_path, {"dir_info": {}, "url": place.as_uri()}))
    assert (found.requirement, found.place, found.gone) == ("tool==1.2", None, str(place))


@pytest.mark.parametrize("editable", [True, False])
def test_a_checkout_is_named(tmp_path: Path, editable: bool) -> None:
    """A folder stays where it is, and it is told that others have no such folder."""
    told = {"dir_info": {"editable": editable}, "url": tmp_path.as_uri()}
    found = origin(package(tmp_path / "site", told))
    assert found.requirement == f"tool @ {tmp_path.as_uri()}"
    assert found.place == str(tmp_path)


def test_what_runs_without_being_installed() -> None:
    """A checkout on the path is named as a folder."""
    found = origin(None)
    assert found.requirement.startswith("jupyter-mlops @ file:")
    assert Path(found.place or "", "pyproject.toml").is_file()


def test_all_that_is_needed_is_locked() -> None:
    """A lock has exact versions of what is wanted, of what that needs, and of ourselves."""
    made = lock(["pandas"])
    names = {line.partition("=")[0].partition(" ")[0] for line in made.lines}
    assert {"jupyter-mlops", "pandas", "numpy", "mlflow"} <= names
    assert "pytest" not in names
    assert not made.missing
    ours = [line for line in made.lines if line.startswith("jupyter-mlops")]
    assert ours == [made.ours]
    others = [line for line in made.lines if line not in ours]
    assert [line for line in others if "==" not in line and " @ " not in line] == []


def test_extras_and_markers_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an extra brings is locked where that extra is wanted, and only then."""
    for name, needs in {
        "tool": "left; extra == 'more'",
        "left": "right; python_version < '3'",
    }.items():
        made = tmp_path / f"{name}-1.2.dist-info"
        made.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nRequires-Dist: {needs}\n"
        (made / "METADATA").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert "left==1.2" not in lock(["tool"]).lines
    wanted = lock(["tool", "tool[more]"])
    assert {"left==1.2", "tool==1.2"} <= set(wanted.lines)
    assert not wanted.missing


def test_what_is_not_installed(tmp_path: Path) -> None:
    """It is locked to the version that is known otherwise, and named."""
    made = lock(["no-such-tool", "nor-such"], ["no_such_tool==3.1"])
    assert made.missing == ["no-such-tool", "nor-such"]
    assert {"no_such_tool==3.1", "nor-such"} <= set(made.lines)


def test_an_index_knows_our_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Installed from an index, a project gets the version that made it."""
    made = tmp_path / f"jupyter_mlops-{__version__}.dist-info"
    made.mkdir()
    text = f"Metadata-Version: 2.1\nName: jupyter-mlops\nVersion: {__version__}\n"
    (made / "METADATA").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert lock([]).lines == [f"jupyter-mlops=={__version__}"]
