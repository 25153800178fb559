"""What each place of deployment is told, in its own form."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ..core.exports import Deployment

#: Where the image that MLflow builds answers.
PORT = 8080
PING = "/ping"
PREDICT = "/invocations"

_AZURE = "https://azuremlschemas.azureedge.net/latest"


def kubernetes(deployment: Deployment) -> dict[str, str]:
    """Return a Deployment and a Service."""
    name, labels = deployment.label, {"app.kubernetes.io/name": deployment.label}
    probe = {"httpGet": {"path": PING, "port": "http"}, "periodSeconds": 10}
    container = {
        "name": "model",
        "image": deployment.image,
        "ports": [{"name": "http", "containerPort": PORT}],
        # Loading a model takes a while.
        "startupProbe": {**probe, "failureThreshold": 60},
        "readinessProbe": probe,
        "livenessProbe": {**probe, "failureThreshold": 6},
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    documents = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pods},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "selector": labels,
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            },
        },
    ]
    return {"kubernetes.yaml": yaml.safe_dump_all(documents, sort_keys=False)}


def sagemaker(deployment: Deployment) -> dict[str, str]:
    """Return the three requests that an endpoint takes, for ``--cli-input-json``."""
    name = deployment.label
    variant = {
        "VariantName": "model",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": deployment.machine or "ml.m5.large",
    }
    container = {"Image": deployment.image, "ModelDataUrl": deployment.data}
    return {
        "create-model.json": _json(
            {
                "ModelName": name,
                "PrimaryContainer": container,
                "ExecutionRoleArn": deployment.role,
            }
        ),
        "create-endpoint-config.json": _json(
            {"EndpointConfigName": name, "ProductionVariants": [variant]}
        ),
        "create-endpoint.json": _json({"EndpointName": name, "EndpointConfigName": name}),
    }


def azureml(deployment: Deployment) -> dict[str, str]:
    """Return an online endpoint and its deployment; Azure serves MLflow's models without code."""
    name = deployment.label
    endpoint = {
        "$schema": f"{_AZURE}/managedOnlineEndpoint.schema.json",
        "name": name,
        "auth_mode": "key",
    }
    served = {
        "$schema": f"{_AZURE}/managedOnlineDeployment.schema.json",
        "name": f"v{deployment.version}",
        "endpoint_name": name,
        "model": {"path": "model", "type": "mlflow_model"},
        "instance_type": deployment.machine or "Standard_DS3_v2",
        "instance_count": 1,
    }
    return {
        "endpoint.yml": yaml.safe_dump(endpoint, sort_keys=False),
        "deployment.yml": yaml.safe_dump(served, sort_keys=False),
    }


def vertex(deployment: Deployment) -> dict[str, str]:
    """Return the bodies of the requests that upload a model and make an endpoint."""
    name = deployment.label
    container = {
        "imageUri": deployment.image,
        "predictRoute": PREDICT,
        "healthRoute": PING,
        "ports": [{"containerPort": PORT}],
    }
    machine = {"machineType": deployment.machine or "n1-standard-2"}
    resources = {"machineSpec": machine, "minReplicaCount": 1, "maxReplicaCount": 1}
    return {
        "upload-model.json": _json({"model": {"displayName": name, "containerSpec": container}}),
        "create-endpoint.json": _json({"displayName": name}),
        # Its model is known when that has been uploaded.
        "deploy-model.json": _json(
            {
                "deployedModel": {"displayName": name, "dedicatedResources": resources},
                "trafficSplit": {"0": 100},
            }
        ),
    }


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2) + "\n"
