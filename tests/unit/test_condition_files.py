"""Files that a condition reads: what they say, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.conditions import read_values
from jupyter_mlops.core.exceptions import InvalidInput


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("m.json", '{"auc": 0.8, "loss": NaN}', {"auc": 0.8}),
        ("m.yaml", "auc: 0.8\non: yes\n1: a\nday: 2024-01-02\n", {"auc": 0.8, "on": "yes"}),
        ("m.yml", "a: &x {b: 1}\nc: *x\n", {"c": {"b": 1}}),
        ("m.toml", "auc = 0.8\n[a]\nday = 2024-01-02\n", {"a": {"day": "2024-01-02"}}),
        ("metrics", "auc: 0.8", {"auc": 0.8}),
        ("empty.yaml", "", {}),
        ("empty.json", "", {}),
    ],
)
def test_files_are_read_as_by_dvc(
    tmp_path: Path, name: str, text: str, expected: dict[str, Any]
) -> None:
    """The suffix decides, and what has none of the known ones is YAML, version 1.2."""
    (tmp_path / name).write_text(text, "utf-8")
    found = read_values(tmp_path / name, name)
    assert {key: found[key] for key in expected} == expected
    if name == "m.yaml":
        assert found["1"] == "a"
        assert found["day"] == "2024-01-02"


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.json", '{"auc": 0.8,}', "at line 1, column"),
        ("m.json", '{"auc": ' + "9" * 5000 + "}", "Exceeds the limit"),
        ("m.json", "[" * 100_000, "nested too deeply"),
        ("m.json", '{"a":' * 60 + "1" + "}" * 60, "nested too deeply"),
        ("m.yaml", "a: [1, 2\nb: 3", "at line 2"),
        ("m.yaml", "a: 1\na: 2", "duplicate key"),
        ("m.yaml", "a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("m.yaml", BOMB, "more than 200,000 values"),
        ("m.yaml", "a: &a [*a]", "nested too deeply"),
        ("m.yaml", "[" * 5_000, "nested too deeply"),
        ("m.yaml", "\ta: 1", "at line 1"),
        ("m.toml", "auc = \n", "at line 1"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A broken file is told with the place, in one line."""
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=re.escape(message)) as raised:
        read_values(tmp_path / name, name)
    assert raised.value.message.startswith(f"{name} cannot be read: ")
    assert "\n" not in raised.value.message


def test_what_is_no_file(tmp_path: Path) -> None:
    """A missing file, a folder, too large a file and one that is no text are told apart."""
    (tmp_path / "metrics.json").write_text("{}", "utf-8")
    with pytest.raises(InvalidInput, match=r"There is no file metrics.jsn. Did you mean metrics"):
        read_values(tmp_path / "metrics.jsn", "metrics.jsn")
    with pytest.raises(InvalidInput, match="is no file"):
        read_values(tmp_path, "folder")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="no UTF-8 text"):
        read_values(tmp_path / "binary.json", "binary.json")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(5_000_001)
    with pytest.raises(InvalidInput, match="larger than 5 MB"):
        read_values(tmp_path / "large.json", "large.json")
