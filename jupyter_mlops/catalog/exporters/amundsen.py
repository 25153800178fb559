"""Tables for Amundsen's databuilder, one for each of its models, as ``CsvExtractor`` reads them.

The columns are the arguments of the models: ``FeatureMetadata``, ``FeatureGenerationCode``,
``FeatureWatermark`` and ``Owner``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ..place import Place
from ..reading import Catalog
from .facts import Facts, gather, notes
from .writing import Exported, write

#: Files by the models that read them.
FEATURES = "feature_metadata.csv"
CODE = "feature_generation_code.csv"
WATERMARKS = "feature_watermark.csv"
OWNERS = "owner.csv"
MODELS = {
    FEATURES: "databuilder.models.feature.feature_metadata.FeatureMetadata",
    CODE: "databuilder.models.feature.feature_generation_code.FeatureGenerationCode",
    WATERMARKS: "databuilder.models.feature.feature_watermark.FeatureWatermark",
    OWNERS: "databuilder.models.owner.Owner",
}

Row = dict[str, object]


def export(place: Place, catalog: Catalog, folder: Path) -> Exported:
    """Write all features, and return the files. Raises `InvalidInput`, `Conflict`, `NotFound`."""
    facts = gather(place, catalog)
    online = place.online.partition(":")[0]
    tables = {
        FEATURES: [_feature(each, online) for each in facts],
        CODE: [_code(each) for each in facts],
        WATERMARKS: [row for each in facts for row in _watermarks(each)],
        OWNERS: [_owner(each) for each in facts if "@" in (each.definition.owner or "")],
    }
    said = [*notes(facts, catalog), *_left_out(facts)]
    texts = {name: _text(rows) for name, rows in tables.items() if rows}
    return Exported(files=write(folder, texts), notes=tuple(said))


def _left_out(facts: Iterable[Facts]) -> Iterator[str]:
    owners = {each.definition.owner for each in facts if each.definition.owner}
    unknown = sorted(each for each in owners if "@" not in each)
    if unknown:
        yield (
            f"Left out: owners that are no e-mail addresses, which Amundsen knows people by "
            f"({', '.join(unknown)})."
        )


def _feature(facts: Facts, online: str) -> Row:
    definition, computation = facts.definition, facts.computation
    stored = ["parquet"] if computation else []
    served = [online] if computation and computation.online_at else []
    return {
        "feature_group": definition.group,
        "name": definition.name,
        "version": facts.version,
        "status": "active",
        "entity": ", ".join(definition.entity),
        "data_type": facts.type,
        "availability": ",".join([*stored, *served]),
        "description": definition.description,
        # Each is read up to the next comma.
        "tags": ",".join(each.replace(",", " ") for each in definition.tags),
        "created_timestamp": _seconds(computation.computed_at) if computation else None,
        "last_updated_timestamp": _seconds(computation.computed_at) if computation else None,
    }


def _code(facts: Facts) -> Row:
    computation = facts.computation
    return {
        **_named(facts),
        "text": facts.definition.code,
        "source": f"{facts.definition.path}:{facts.definition.line}",
        "last_executed_timestamp": _seconds(computation.computed_at) if computation else None,
    }


def _watermarks(facts: Facts) -> Iterator[Row]:
    """Yield the times of the first and last values, which are for those who may read these."""
    computation = facts.computation
    if computation is None or facts.definition.sensitivity:
        return
    for kind, time in (("low_watermark", computation.first), ("high_watermark", computation.last)):
        if time is not None:
            yield {**_named(facts), "timestamp": _seconds(time), "wm_type": kind}


def _owner(facts: Facts) -> Row:
    definition = facts.definition
    key = f"{definition.group}/{definition.name}/{facts.version}"
    return {"start_label": "Feature", "start_key": key, "owner_emails": definition.owner}


def _named(facts: Facts) -> Row:
    return {
        "feature_group": facts.definition.group,
        "feature_name": facts.definition.name,
        "feature_version": facts.version,
    }


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _text(rows: list[Row]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
