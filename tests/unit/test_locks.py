"""Locks of all kinds are read, and compared with what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.tracking.locks import Lock, lock_of, read_lock, told

HASH = "--hash=sha256:" + "a" * 64
REQUIREMENTS = f"""
# compiled
--only-binary :all:
numpy==2.4.1 \\
    {HASH} \\
    {HASH}
Typing_Extensions==4.15.0 ; python_version >= "3.11"
old==1.0 ; python_version < "3.0"
-e .
./wheels/mine-1.0-py3-none-any.whl
git+https://example.org/other.git@main
linked @ https://example.org/linked.whl
"""
UV = """
version = 1
[[package]]
name = "numpy"
version = "2.4.1"
[[package]]
name = "numpy"
version = "1.26.4"
[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }
[[package]]
name = "extra"
version = "3.0"
"""
PYLOCK = """
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "numpy"
version = "2.4.1"
[[packages]]
name = "old"
version = "1.0"
marker = "python_version < '3.0'"
[[packages]]
name = "local"
directory = { path = "." }
"""


def lock(root: Path, name: str, text: str) -> Lock:
    """Write a lock and read it."""
    (root / name).write_text(text)
    found = lock_of(root, None)
    assert found is not None
    assert found.path.name == name
    return found


def test_requirements(tmp_path: Path) -> None:
    """Exact versions count, by normalised names, as far as their markers apply."""
    found = lock(tmp_path, "requirements.txt", REQUIREMENTS)
    assert found.differences({"NumPy": "2.4.1", "typing-extensions": "4.15.0", "more": "1"}) == []
    assert told(found.differences({"numpy": "2.4.2"})) == (
        "numpy 2.4.2 instead of 2.4.1, typing-extensions 4.15.0 is missing"
    )
    assert found.mending == "uv pip sync requirements.txt, or pip install -r requirements.txt"


def test_requirements_that_leave_a_choice(tmp_path: Path) -> None:
    """They are a lock only if the setting says so."""
    (tmp_path / "requirements.txt").write_text("numpy==2.4.1\npandas>=2\nx==1.*\n")
    assert lock_of(tmp_path, None) is None
    named = lock_of(tmp_path, "requirements.txt")
    assert named is not None
    assert [*named.versions] == ["numpy"]


def test_uv(tmp_path: Path) -> None:
    """Any of its versions is right, and what is not installed may belong to an extra."""
    found = lock(tmp_path, "uv.lock", UV)
    assert found.differences({"numpy": "1.26.4"}) == []
    (wrong,) = found.differences({"numpy": "2.0.0", "mine": "9"})
    assert str(wrong) == "numpy 2.0.0 instead of 1.26.4 or 2.4.1"
    assert found.mending == "uv sync"


def test_pylock(tmp_path: Path) -> None:
    """Packages whose marker does not apply, or that have no version, do not count."""
    found = lock(tmp_path, "pylock.toml", PYLOCK)
    assert [*found.versions] == ["numpy"]
    assert [*read_lock(tmp_path / "pylock.toml", "2.7.18").versions] == ["numpy", "old"]


def test_builds_of_a_version(tmp_path: Path) -> None:
    """A build of the locked version is that version; another way to write it, too."""
    found = lock(tmp_path, "requirements.lock", "torch==2.5.0\n")
    assert found.differences({"torch": "2.5.0+cpu"}) == []
    assert found.differences({"torch": "2.5"}) == []
    assert len(found.differences({"torch": "2.5.0rc1"})) == 1
    assert len(found.differences({"torch": "what"})) == 1


def test_many_differences(tmp_path: Path) -> None:
    """Few are named, the others counted."""
    found = lock(tmp_path, "requirements.lock", "".join(f"p{i}==1\n" for i in range(8)))
    assert told(found.differences({})).endswith("p4 1 is missing and 3 more")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("requirements.lock", b"numpy == == 1", r"^requirements\.lock is no lock: numpy == == 1"),
        ("uv.lock", b"[[package]]\n", r"^uv\.lock is no lock: "),
        ("pylock.toml", b"packages = 3", r"^pylock\.toml is no lock: "),
        ("requirements.lock", b"\xff", r"^requirements\.lock is no lock: "),
        ("missing.lock", None, r"^missing\.lock cannot be read: No such file"),
    ],
)
def test_no_lock(tmp_path: Path, name: str, content: bytes | None, line: str) -> None:
    """What is wrong with a file is said in one line."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=line):
        lock_of(tmp_path, name)


def test_none(tmp_path: Path) -> None:
    """A project need not have one."""
    assert lock_of(tmp_path, None) is None
