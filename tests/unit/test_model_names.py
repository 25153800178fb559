"""Names of models and aliases are such that MLflow takes them and a folder can bear them."""

from __future__ import annotations

import pytest

from jupyter_mlops.core.exceptions import InvalidInput
from jupyter_mlops.core.model_names import check_alias, check_model_name


@pytest.mark.parametrize("name", ["flights", "Ada's model", "größe-1_b.2", "a b", "x" * 250])
def test_good_names(name: str) -> None:
    """Ordinary names in any language are taken."""
    assert check_model_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "a/b",
        "a\\b",
        "a:b",
        "a@b",
        "50%",
        "a?",
        "a#b",
        "..",
        ".a",
        "a\nb",
        "a\0",
    ],
)
def test_bad_names(name: str) -> None:
    """A name that means a path, a URI or nothing is refused in one line."""
    with pytest.raises(InvalidInput) as caught:
        check_model_name(name)
    assert caught.value.field == "name"
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("alias", ["champion", "a-b_c", "v", "v1a", "latest2"])
def test_good_aliases(alias: str) -> None:
    """An alias is a word."""
    assert check_alias(alias) == alias


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "latest", "LATEST", "v1", "V22", "x" * 251])
def test_bad_aliases(alias: str) -> None:
    """What MLflow reads as a version is no alias."""
    with pytest.raises(InvalidInput) as caught:
        check_alias(alias)
    assert caught.value.field == "alias"
