"""Sources in S3 and in what speaks its language.

Where it is, and who we are, is read from the variables and files that AWS's own programs read.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.exceptions import InvalidInput
from ..core.features import Source
from . import tables
from .place import Place

if TYPE_CHECKING:
    import duckdb
    from pyarrow.fs import S3FileSystem

SCHEME = "s3://"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CHUNK = 1 << 20


def relation(place: Place, connection: duckdb.DuckDBPyConnection, source: Source) -> str:
    """Return what to select a source from. Raises `InvalidInput` for formats not known.

    Of Parquet no more is fetched than is asked for; what is of another format is fetched whole, and
    again only if it has changed.
    """
    import pyarrow.dataset as ds

    system = _system()
    keys = _keys(system, source)
    if tables.ending(str(source.path)) != ".parquet":
        return tables.relation(connection, source, _fetched(place, system, source, keys))
    name = "rows_of_source"
    connection.register(name, ds.dataset(keys, filesystem=system, format="parquet"))
    return name


def fingerprint(source: Source) -> str:
    """Return one for the content of a source, as the entity tags of its objects tell it."""
    system = _system()
    facts = [source.table or "", source.query or ""]
    facts += [f"{key} {_tag(system, key)}" for key in _keys(system, source)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _fetched(place: Place, system: S3FileSystem, source: Source, keys: Sequence[str]) -> list[Path]:
    """Return objects as files of ours; those of before are removed."""
    folder = place.data / ".sources" / "s3" / source.name
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for key in keys:
        name = hashlib.sha256(f"{key} {_tag(system, key)}".encode()).hexdigest()[:16]
        path = folder / f"{name}-{key.rpartition('/')[2]}"
        if not path.is_file():
            aside = path.with_name(f".{os.getpid()}.{path.name}")
            with (
                system.open_input_stream(key, compression=None) as stream,
                aside.open("wb") as file,
            ):
                shutil.copyfileobj(stream, file, _CHUNK)
            aside.replace(path)
        found.append(path)
    for each in folder.glob("[!.]*"):
        if each not in found:
            each.unlink(missing_ok=True)
    return found


def _tag(system: S3FileSystem, key: str) -> str:
    """Return what is another one when an object's content is."""
    with system.open_input_stream(key, compression=None) as stream:
        facts = stream.metadata()
    return f"{facts.get('ETag', b'').decode()} {facts.get('Content-Length', b'').decode()}"


def _system() -> S3FileSystem:
    from pyarrow.fs import S3FileSystem

    endpoint = next(filter(None, map(os.environ.get, _ENDPOINTS)), None)
    region = next(filter(None, map(os.environ.get, _REGIONS)), None)
    return S3FileSystem(endpoint_override=endpoint, region=region)


def _keys(system: S3FileSystem, source: Source) -> list[str]:
    """Return the objects of a source, in the order of their names. Raises `InvalidInput`."""
    from pyarrow.fs import FileSelector, FileType

    path = str(source.path).removeprefix(SCHEME)
    if not any(each in path for each in "*?["):
        found = [system.get_file_info(path)]
    else:
        fixed = path[: min(path.index(each) for each in "*?[" if each in path)]
        selector = FileSelector(fixed.rpartition("/")[0], allow_not_found=True, recursive=True)
        every = system.get_file_info(selector)
        found = [each for each in every if _matches(each.path, path)]
    keys = sorted(each.path for each in found if each.type is FileType.File)
    if not keys:
        raise InvalidInput(f"Source {source.name}: there is no object {source.path}.")
    return keys


def _matches(key: str, pattern: str) -> bool:
    """Whether a pattern names an object, as it would name a file: ``*`` stays in a folder."""
    if "**" in pattern:
        return fnmatch.fnmatchcase(key, pattern.replace("**/", "*"))
    parts, wanted = key.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
