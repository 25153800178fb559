"""Checks an exported folder by the tools' own definitions; runs in an environment that has them.

``python validate_export.py TARGET FOLDER`` prints what is wrong, in one line, and exits with 1.
"""

import json
import sys
import warnings
from pathlib import Path


def docker(folder: Path) -> None:
    """The Dockerfile can be parsed, and copies only what is there."""
    from dockerfile_parse import DockerfileParser

    parser = DockerfileParser(path=str(folder / "Dockerfile"))
    known = {"FROM", "COPY", "ENV", "RUN", "WORKDIR", "ENTRYPOINT", "COMMENT"}
    strange = {each["instruction"] for each in parser.structure} - known
    assert not strange, f"instructions {strange}"
    assert parser.baseimage, "no base image"
    for each in parser.structure:
        if each["instruction"] == "COPY":
            source = each["value"].split()[0]
            assert (folder / source).exists(), f"COPY {source}: there is no such file"


def kubernetes(folder: Path) -> None:
    """Each manifest is valid by the published schema of its kind."""
    import kubernetes_validate
    import yaml

    docker(folder)
    documents = list(yaml.safe_load_all((folder / "kubernetes.yaml").read_text("utf-8")))
    assert [each["kind"] for each in documents] == ["Deployment", "Service"]
    for document in documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def sagemaker(folder: Path) -> None:
    """Each request is one that the service's own model takes."""
    import botocore.session
    from botocore.validate import ParamValidator

    docker(folder)
    service = botocore.session.get_session().get_service_model("sagemaker")
    for file, operation in {
        "create-model.json": "CreateModel",
        "create-endpoint-config.json": "CreateEndpointConfig",
        "create-endpoint.json": "CreateEndpoint",
    }.items():
        shape = service.operation_model(operation).input_shape
        found = json.loads((folder / file).read_text("utf-8"))
        report = ParamValidator().validate(found, shape)
        assert not report.has_errors(), report.generate_report()
        patterns(found, shape)


def patterns(found: object, shape: object) -> None:
    """Botocore checks no patterns and enumerations, which its models hold."""
    import re

    kind = shape.type_name
    if kind == "structure":
        for name, value in found.items():
            patterns(value, shape.members[name])
    elif kind == "list":
        for each in found:
            patterns(each, shape.member)
    elif kind == "string":
        pattern, allowed = shape.metadata.get("pattern"), shape.metadata.get("enum")
        longest = shape.metadata.get("max", len(found))
        assert len(found) <= longest, f"{found} is too long"
        assert not pattern or re.fullmatch(pattern, found), f"{found} is not like {pattern}"
        assert not allowed or found in allowed, f"{found} is not known"


def azureml(folder: Path) -> None:
    """Azure's own client loads the endpoint and its deployment."""
    from azure.ai.ml import load_online_deployment, load_online_endpoint

    endpoint = load_online_endpoint(folder / "endpoint.yml")
    deployment = load_online_deployment(folder / "deployment.yml")
    assert deployment.endpoint_name == endpoint.name
    assert deployment.model.type == "mlflow_model"
    assert Path(deployment.model.path, "MLmodel").exists(), deployment.model.path


def vertex(folder: Path) -> None:
    """Each body is a request of the published service."""
    from google.cloud import aiplatform_v1 as service
    from google.protobuf.json_format import ParseDict

    docker(folder)
    for file, request in {
        "upload-model.json": service.UploadModelRequest,
        "create-endpoint.json": service.Endpoint,
        "deploy-model.json": service.DeployModelRequest,
    }.items():
        ParseDict(json.loads((folder / file).read_text("utf-8")), request.pb()())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        globals()[sys.argv[1]](Path(sys.argv[2]))
    except Exception as error:  # noqa: BLE001 - each tool raises errors of its own
        line = " ".join(str(error).split())
        sys.exit(f"{type(error).__name__}: {line[:500]}")
