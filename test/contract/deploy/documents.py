"""Reads YAML files and prints as JSON what is in each, and what Kubernetes' and KEDA's schemas find wrong with it; unknown fields are wrong too."""

import json
import sys

import kubernetes_validate
import yaml
from pydantic import ValidationError

KUBERNETES = "1.37"


def keda_problems(document):
    # Imported when it is needed: it takes seconds.
    from cloudcoil.models.keda import v1alpha1

    try:
        getattr(v1alpha1, document["kind"]).model_validate(document, extra="forbid")
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return []


def problems(document):
    group = document.get("apiVersion", "") if isinstance(document, dict) else ""
    if not isinstance(group, str) or "kind" not in document or group.startswith("kustomize"):
        return []
    if group.startswith("keda.sh/"):
        return keda_problems(document)
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [error.message]
    return []


def read(path):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document is not None]
    return {"documents": documents, "problems": [problem for document in documents for problem in problems(document)]}


print(json.dumps({path: read(path) for path in sys.argv[1:]}))
