"""Who may read the values of features.

This keeps from accidents: whoever can read the files can read the values. Permissions of the
storage do the rest.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping

from ..catalog.reading import Catalog
from ..core.features import Definition, NotReadable

#: Who may read the values of features, by their sensitivity.
Access = Mapping[str, tuple[str, ...]]


def local_user() -> str:
    """Return who works at this machine, where no server says it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def is_readable(catalog: Catalog, access: Access, definition: Definition, user: str) -> bool:
    """Whether a user may read the values of a feature, and of all that it is made from."""
    return not any(_refused(catalog, access, definition, user))


def check_readable(
    catalog: Catalog, access: Access, definitions: Iterable[Definition], user: str
) -> None:
    """Raise `NotReadable` for the first feature whose values a user may not read."""
    for definition in definitions:
        for each in _refused(catalog, access, definition, user):
            ask = f"Ask {each.owner}, or add" if each.owner else "Add"
            raise NotReadable(
                f"{user} may not read the values of {each.full_name}, which are "
                f"{each.sensitivity}. {ask} the name in mlops.toml, [features.access], "
                f"{each.sensitivity}."
            )


def _refused(
    catalog: Catalog, access: Access, definition: Definition, user: str
) -> Iterable[Definition]:
    """Yield those of a feature, and what it is made from, that a user may not read."""
    for each in (definition, *catalog.ancestors(definition)):
        if each.sensitivity is None or user == each.owner:
            continue
        if user not in access.get(each.sensitivity, ()):
            yield each
