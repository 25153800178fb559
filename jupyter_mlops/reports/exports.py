"""What to say about a model that was written for a deployment elsewhere."""

from __future__ import annotations

import shlex

from ..app import messages as m
from ..core.exports import Target
from .form import Report


def export_report(view: m.ExportView) -> Report:
    """Say what was written, and what to type in order to deploy it."""
    return Report(
        headline=f"{view.name} v{view.version} for {view.target} lies in {view.folder}",
        details=("Nothing was deployed.",),
        hints=(("Look at it, then", f"cd {shlex.quote(view.folder)}"), *_steps(view)),
    )


def _steps(view: m.ExportView) -> tuple[tuple[str, str], ...]:
    image = view.image or view.label
    build = ("Build the image", f"docker build -t {image} .")
    push = ("Push it", f"docker push {image}")
    match view.target:
        case Target.DOCKER:
            return build, ("Try it", f"docker run --rm -p 8080:8080 {image}")
        case Target.KUBERNETES:
            return build, push, ("Deploy it", "kubectl apply -f kubernetes.yaml")
        case Target.SAGEMAKER:
            made = "--cli-input-json file://create-"
            return (
                build,
                push,
                ("Upload the model", f"aws s3 cp model.tar.gz {view.data}"),
                ("Deploy it", f"aws sagemaker create-model {made}model.json"),
                ("Then", f"aws sagemaker create-endpoint-config {made}endpoint-config.json"),
                ("Then", f"aws sagemaker create-endpoint {made}endpoint.json"),
            )
        case Target.AZUREML:
            return (
                ("Deploy it", "az ml online-endpoint create --file endpoint.yml"),
                ("Then", "az ml online-deployment create --file deployment.yml --all-traffic"),
            )
        case Target.VERTEX:
            place = "https://REGION-aiplatform.googleapis.com/v1/projects/ID/locations/REGION"
            post = 'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" --json'
            return (
                build,
                push,
                ("Deploy it", f"{post} @upload-model.json {place}/models:upload"),
                ("Then", f"{post} @create-endpoint.json {place}/endpoints"),
                (
                    "Then, with the model's name added",
                    f"{post} @deploy-model.json {place}/endpoints/ID:deployModel",
                ),
            )
