"""Strict schemas: those of the real CRDs with unknown fields forbidden, and Kubernetes' own for its kinds."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator, ValidationError

from tests.assets import CRDS
from tests.manifests.rendered import Document

KUBERNETES = "1.34"
"""Whose schemas the core kinds are held to."""

_METADATA = ("annotations", "labels", "name", "namespace")


def problems(document: Document) -> list[str]:
    """What a strict API server would refuse in it; of a kind without a schema, that there is none."""
    group = document["apiVersion"].rpartition("/")[0]
    if "." in group and not group.endswith("k8s.io"):
        return [*_of_custom(document), *_of_metadata(document)]
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [_said(error)]
    return list(_of_metadata(document))


def _of_custom(document: Document) -> Iterator[str]:
    schema = _schema(document["apiVersion"], document["kind"])
    if schema is None:
        yield f"{document['apiVersion']} {document['kind']}: no schema"
        return
    for error in Draft202012Validator(schema).iter_errors(document):
        yield _said(error)


def _said(error: ValidationError) -> str:
    return f"{'.'.join(map(str, error.absolute_path))}: {error.message}"


def _of_metadata(document: Document) -> Iterator[str]:
    """CRDs say nothing of it."""
    for field, value in document["metadata"].items():
        if field not in _METADATA:
            yield f"metadata.{field}: unknown"
        if field in ("annotations", "labels"):
            yield from (f"metadata.{field}.{key}: no text" for key, text in value.items() if not isinstance(text, str))


@cache
def _schema(api_version: str, kind: str) -> Document | None:
    group, _, version = api_version.partition("/")
    for path in CRDS.glob(f"{group}_*.yaml"):
        crd = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)  # safe, and ten times as quick
        if crd["spec"]["names"]["kind"] == kind:
            return dict(_strict(_of_version(crd, version)))
    return None


def _of_version(crd: Document, version: str) -> Document:
    (schema,) = [each["schema"]["openAPIV3Schema"] for each in crd["spec"]["versions"] if each["name"] == version]
    return dict(schema)


def _strict(schema: Any) -> Any:
    """The same schema, in which an object has no other fields than those it names."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {key: _strict(value) for key, value in schema.items()}
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        inside["additionalProperties"] = False
    return inside
