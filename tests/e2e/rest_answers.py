"""What the protocol over REST must answer, as a table."""

from dataclasses import replace

from tests.e2e.faces import Face, Request, infer
from tests.e2e.rest_rules import (
    MODEL,
    VERSION,
    Case,
    Deviation,
    absent,
    answered,
    asking,
    at,
    get,
    in_binary,
    in_json,
    mixed,
    model_metadata,
    names,
    numbers_in_binary,
    only_known_members,
    only_last_output,
    operations,
    parameters_are_scalars,
    ready_model,
    same,
    server_metadata,
    true,
    typed,
)

D = Deviation


def nested(face: Face) -> Request:
    """The values in the shape's own nesting; strings of one dimension are that already."""
    values = face.values
    for size in reversed(face.shape[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return infer({"inputs": [face.tensor(data=values)]})


def binary_as_json(face: Face) -> Request:
    request = face.binary()
    return replace(request, headers={**request.headers, "content-type": "application/json"})


HEALTH_AND_METADATA = (
    Case("live", get("/v2/health/live"), 200, true("live")),
    Case("ready", get("/v2/health/ready"), 200, true("ready")),
    Case("a model is ready", get(MODEL + "/ready"), 200, ready_model),
    Case("a version is ready", get(VERSION + "/ready"), 200, ready_model, D.VERSIONS_ARE_501),
    Case("server metadata", get("/v2"), 200, server_metadata),
    Case("server metadata with a slash", get("/v2/"), 200, server_metadata, D.SLASH_REDIRECTS),
    Case(
        "extensions name binary data",
        get("/v2"),
        200,
        lambda answer, face: "binary_tensor_data" in answer.json()["extensions"],
        D.EXTENSIONS_UNTRUE,
    ),
    Case("model metadata", get(MODEL), 200, model_metadata, D.METADATA_IS_EMPTY),
    Case("metadata of a version", get(VERSION), 200, model_metadata, D.VERSIONS_ARE_501),
    Case("the OpenAPI document has every operation", get("/openapi.json"), 200, operations),
)

INFERENCES = (
    Case("an answer has every output, complete", asking(), 200, answered),
    Case("infer of a version", at(VERSION + "/infer"), 200, answered, D.VERSIONS_ARE_501),
    Case("an answer names its version", asking(), 200, lambda a, face: a.json()["model_version"] == face.version),
    Case("an id is echoed", asking(id="42"), 200, same("id", "42")),
    Case("an id of any text is echoed", asking(id=' é"\\\n\u2028 '), 200, same("id", ' é"\\\n\u2028 ')),
    Case("a long id is echoed", asking(id="x" * 5000), 200, same("id", "x" * 5000)),
    Case("an empty id is echoed", asking(id=""), 200, same("id", "")),
    Case("no id is none", asking(), 200, absent("id"), D.ID_IS_INVENTED),
    Case("optional members are absent, not null", asking(), 200, only_known_members, D.OPTIONAL_IS_NULL),
    Case("an answer's parameters are scalars", asking(), 200, parameters_are_scalars),
    Case("nested data", nested, 200, answered),
    Case("parameters of every kind", asking(parameters={"a": "x", "b": 1, "c": 1.5, "d": True}), 200, answered),
    Case(
        "parameters of an input",
        lambda face: infer({"inputs": [face.tensor(parameters={"a": 1})]}),
        200,
        answered,
    ),
    Case("an unknown member is ignored", asking(model_name="photos"), 200, answered),
    Case("null is no id, no outputs, no parameters", asking(id=None, outputs=None, parameters=None), 200, absent("id")),
    Case("empty outputs stand for all", asking(outputs=[]), 200, answered),
    Case(
        "a requested output alone",
        lambda face: infer(face.document(outputs=[{"name": face.output}])),
        200,
        only_last_output,
        D.WISHES_IGNORED,
    ),
    Case(
        "requested outputs in their order",
        asking(outputs=[{"name": "label"}, {"name": "class_id"}]),
        200,
        names("label", "class_id"),
        D.WISHES_IGNORED,
        only="transformer",
    ),
)

CONTENT_TYPES = (
    Case("JSON without Content-Type", asking(), 200, answered, D.NO_TYPE_IS_BINARY),
    *(
        Case(f"JSON under {content_type}", typed(content_type), 200, answered)
        for content_type in ("application/json", "application/json; charset=utf-8", "text/plain", "nonsense")
    ),
    Case("JSON under application/octet-stream", typed("application/octet-stream"), 200, answered, D.NO_TYPE_IS_BINARY),
    Case("binary data under application/json", binary_as_json, 200, answered, D.BINARY_AS_JSON_IS_422),
)

BINARY = (
    Case("binary in, JSON out", lambda face: face.binary(), 200, answered, D.BYTES_MUST_BE_UTF8),
    Case("a header length of all the body", lambda face: infer(face.document(), b""), 200, answered),
    Case(
        "JSON in, binary out",
        asking(parameters={"binary_data_output": True}),
        200,
        numbers_in_binary,
        D.BINARY_WITHOUT_TYPE,
    ),
    Case(
        "binary in, binary out",
        lambda face: face.binary(parameters={"binary_data_output": True}),
        200,
        numbers_in_binary,
    ),
    Case("binary_data_output of false", asking(parameters={"binary_data_output": False}), 200, in_json),
    Case(
        "an output's binary_data",
        lambda face: infer(face.document(outputs=[{"name": face.output, "parameters": {"binary_data": True}}])),
        200,
        in_binary,
        D.WISHES_IGNORED,
    ),
    Case(
        "an output's binary_data of false beats binary_data_output",
        lambda face: infer(
            face.document(
                outputs=[{"name": face.output, "parameters": {"binary_data": False}}],
                parameters={"binary_data_output": True},
            )
        ),
        200,
        in_json,
    ),
    Case(
        "an output's binary_data of true beats binary_data_output",
        lambda face: infer(
            face.document(
                outputs=[{"name": face.output, "parameters": {"binary_data": True}}],
                parameters={"binary_data_output": False},
            )
        ),
        200,
        in_binary,
    ),
    Case(
        "one output in JSON, one in binary",
        asking(outputs=[{"name": "label"}, {"name": "confidence", "parameters": {"binary_data": True}}]),
        200,
        mixed,
        only="transformer",
    ),
)

ANSWERS = (*HEALTH_AND_METADATA, *INFERENCES, *CONTENT_TYPES, *BINARY)
