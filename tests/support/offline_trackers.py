"""Reading back what clients of other trackers write in their offline modes."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: The client's files are a log of records as LevelDB writes it, after a header of its own.
_HEADER = 7
_BLOCK = 32 * 1024
_RECORD = struct.Struct("<IHB")
_FULL, _LAST = 1, 4


class WandbRun:
    """An offline run of Weights & Biases, read by the client's own definition of its records."""

    def __init__(self, folder: Path) -> None:
        (path,) = folder.glob("*.wandb")
        self.folder = folder
        self.config: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.run: Any = None
        self.exit_code: int | None = None
        for record in _records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                self.run = record.run
                self.config |= _items(record.run.config.update)
            elif kind == "history":
                self.rows.append(_items(record.history.item))
            elif kind == "exit":
                self.exit_code = record.exit.exit_code

    @property
    def values(self) -> dict[str, list[tuple[int, Any]]]:
        """Steps and values of each metric."""
        found: dict[str, list[tuple[int, Any]]] = {}
        for row in self.rows:
            for key, value in row.items():
                if not key.startswith("_") and key != "mlops_step":
                    found.setdefault(key, []).append((row["mlops_step"], value))
        return found


def _items(items: Any) -> dict[str, Any]:
    return {each.key or "/".join(each.nested_key): json.loads(each.value_json) for each in items}


def _records(path: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    for body in _bodies(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(body)
        yield record


def _bodies(content: bytes) -> Iterator[bytes]:
    assert content[:4] == b":W&B"
    at, gathered = _HEADER, b""
    while at + _RECORD.size <= len(content):
        left = _BLOCK - at % _BLOCK
        if left < _RECORD.size:  # the rest of a block is empty
            at += left
            continue
        _, size, kind = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        gathered += content[at : at + size]
        at += size
        if kind in (_FULL, _LAST):
            yield gathered
            gathered = b""


class CometExperiment:
    """An offline experiment of Comet."""

    def __init__(self, path: Path) -> None:
        self.parameters: dict[str, Any] = {}
        self.values: dict[str, list[tuple[int, Any]]] = {}
        self.others: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        with zipfile.ZipFile(path) as archive:
            self.facts = json.loads(archive.read("experiment.json"))
            for line in archive.read("messages.json").splitlines():
                message = json.loads(line, parse_constant=_refuse)
                self._take(message["type"], message["payload"], archive)

    def _take(self, kind: str, payload: dict[str, Any], archive: zipfile.ZipFile) -> None:
        if kind == "parameter_msg":
            each = payload.get("param") or payload["params"]
            self.parameters[each["paramName"]] = each["paramValue"]
        elif kind == "metric_msg":
            each = payload["metric"]
            point = (each["step"], each["metricValue"])
            self.values.setdefault(each["metricName"], []).append(point)
        elif kind == "log_other":
            self.others[payload["key"]] = payload["value"]
        elif kind == "file_upload":
            name = payload["additional_params"]["fileName"]
            self.files[name] = archive.read(Path(payload["file_path"]).name)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
