"""The plain doors of both servers in `/openapi.json`."""

from serving import openapi_examples as examples
from serving.errors import NotReady
from serving.json_schema import COUNT, FLAG, NUMBER, TEXT, Schema, list_of, object_of, ref, told
from serving.openapi import content, operation

_PREPROCESSING = object_of(
    {"resize": COUNT, "crop": COUNT, "interpolation": TEXT, "mean": list_of(NUMBER), "std": list_of(NUMBER)}
)
_LIMITS = object_of(
    {
        "top_k_predictions": told(COUNT, "classes in an answer when the request does not say"),
        "max_upload_size": told(COUNT, "bytes of one photo"),
        "max_image_pixels": COUNT,
        "fetch_enabled": told(FLAG, "whether photos may be given by URL"),
    }
)

SCHEMAS: dict[str, Schema] = {
    "status": object_of({"status": {"enum": ["ok", "ready"]}}),
    "model_info": object_of(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "revision": told(TEXT, "Knative's, of the predictor"),
            "architecture": TEXT,
            "trained": FLAG,
            "classes": COUNT,
            "preprocessing": _PREPROCESSING,
            "fingerprint": told(TEXT, "contract version and preprocessing"),
            "engine": {"type": "object", "required": ["name", "version", "precision", "device"]},
            "licence": TEXT,
            "origin": TEXT,
        },
        {
            "formats": told(list_of(TEXT), "transformer: of the photos that it reads"),
            "limits": told(_LIMITS, "transformer"),
        },
    ),
}

HEALTH = operation("health", "Whether the process answers", content(ref("status"), ok={"status": "ok"}))
READY = operation(
    "ready",
    "Whether the server is ready and reaches what it calls",
    content(ref("status"), ready={"status": "ready"}),
    NotReady,
    description="For people and load balancers; Kubernetes asks `/v2/health/ready`, which speaks of this server alone.",
)
MODEL_INFO = operation("model_info", "What is served", content(ref("model_info"), **examples.MODEL_INFO), NotReady)
METRICS = operation("metrics", "Metrics in Prometheus' text format", content(TEXT, "text/plain"))
