"""Reads exported features as the other systems do; runs in an environment that has theirs.

``python validate_features.py SYSTEM FOLDER`` prints what the system has read, as JSON, or what is
wrong, in one line, and exits with 1.
"""

import csv
import json
import sys
import tempfile
import warnings
from pathlib import Path


def datahub(folder: Path) -> object:
    """Each proposal is valid by the schema of its aspect, and each URN by its entity's form."""
    from datahub.ingestion.source.file import read_metadata_file
    from datahub.metadata.urns import Urn

    found: dict[str, dict[str, object]] = {}
    for proposal in read_metadata_file(folder / "features.json"):
        assert proposal.validate(), f"invalid: {proposal.entityUrn} {proposal.aspectName}"
        urn = Urn.from_string(proposal.entityUrn)
        assert type(urn) is not Urn, f"unknown: {urn}"
        assert urn.entity_type == proposal.entityType, f"{urn} is no {proposal.entityType}"
        aspect = proposal.aspect.to_obj()
        known = ("sources", "mlFeatures", "mlPrimaryKeys")
        for each in (each for name in known for each in aspect.get(name, [])):
            assert type(Urn.from_string(each)) is not Urn, f"unknown: {each}"
        found.setdefault(str(urn), {})[proposal.aspectName] = aspect
    return found


def amundsen(folder: Path) -> object:
    """Databuilder's models take each row, and its loader writes what its publisher reads."""
    from databuilder.extractor.csv_extractor import CsvExtractor
    from databuilder.loader.file_system_neo4j_csv_loader import FsNeo4jCSVLoader
    from pyhocon import ConfigFactory

    models = {
        "feature_metadata.csv": "feature.feature_metadata.FeatureMetadata",
        "feature_generation_code.csv": "feature.feature_generation_code.FeatureGenerationCode",
        "feature_watermark.csv": "feature.feature_watermark.FeatureWatermark",
        "owner.csv": "owner.Owner",
    }
    assert {each.name for each in folder.glob("*.csv")} == set(models)
    with tempfile.TemporaryDirectory() as made:
        for name, model in models.items():
            extractor, loader = CsvExtractor(), FsNeo4jCSVLoader()
            source = {"file_location": str(folder / name)}
            extractor.init(
                ConfigFactory.from_dict({**source, "model_class": f"databuilder.models.{model}"})
            )
            folders = {
                "node_dir_path": f"{made}/{name}/nodes",
                "relationship_dir_path": f"{made}/{name}/relations",
                "delete_created_directories": False,
            }
            loader.init(ConfigFactory.from_dict(folders))
            while record := extractor.extract():
                loader.load(record)
            loader.close()
        nodes, relations = rows(made, "nodes"), rows(made, "relations")
    known = {(each["LABEL"], each["KEY"]) for each in nodes}
    for each in relations:
        for end in ("START", "END"):
            assert (each[f"{end}_LABEL"], each[f"{end}_KEY"]) in known, f"no node: {each}"
    return {"nodes": nodes, "relations": relations}


def rows(made: str, kind: str) -> list[dict[str, str]]:
    """All rows that the loader wrote of a kind."""
    found = []
    for path in sorted(Path(made).glob(f"*/{kind}/*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found += list(csv.DictReader(file))
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        json.dump(globals()[sys.argv[1]](Path(sys.argv[2])), sys.stdout)
    except Exception as error:  # noqa: BLE001 - each system raises errors of its own
        line = " ".join(str(error).split())
        sys.exit(f"{type(error).__name__}: {line[:500]}")
