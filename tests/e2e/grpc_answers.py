"""What the protocol over gRPC must answer, as a table."""

import grpc
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb

from tests.e2e.faces import Face
from tests.e2e.grpc_rules import (
    Answer,
    Case,
    Deviation,
    Message,
    answered,
    field_is,
    outputs_are,
    parameters,
    raw,
    sized,
    tensor_of,
    wish,
    with_contents,
)

D = Deviation


def of_version(face: Face) -> Message:
    return pb.ModelReadyRequest(name="photos", version=face.version)


def server_metadata(answer: Answer, face: Face) -> bool:
    return bool(answer.name and answer.version and "binary_tensor_data" in answer.extensions)


def model_metadata(answer: Answer, face: Face) -> bool:
    stated = [
        [{"name": each.name, "datatype": each.datatype, "shape": list(each.shape)} for each in tensors]
        for tensors in (answer.inputs, answer.outputs)
    ]
    project, _, form = answer.platform.partition("_")
    named = (answer.name, list(answer.versions)) == ("photos", [face.version])
    return named and bool(project and form) and stated == [face.inputs, face.outputs]


def no_size_leaks(answer: Answer, face: Face) -> bool:
    return all("binary_data_size" not in output.parameters for output in answer.outputs)


def of_64_images(face: Face) -> Message:
    """BYTES follow one another as they are; so do pixels."""
    inputs = [tensor_of(face, shape=[64, *face.shape[1:]])]
    return pb.ModelInferRequest(model_name="photos", inputs=inputs, raw_input_contents=[face.raw * 64])


def every_class_of_64_images(face: Face) -> Message:
    message = of_64_images(face)
    message.parameters["top_k"].int64_param = 1000
    return message


def answers_64_images(answer: Answer, face: Face) -> bool:
    return [list(each.shape) for each in answer.outputs] == [[64, shape[1]] for shape in face.shapes.values()]


def answers_every_class_of_64_images(answer: Answer, face: Face) -> bool:
    return all(list(each.shape) == [64, 1000] for each in answer.outputs) and sized(answer)


ANSWERS = (
    Case("live", "ServerLive", lambda face: pb.ServerLiveRequest(), field_is("live", True)),
    Case("ready", "ServerReady", lambda face: pb.ServerReadyRequest(), field_is("ready", True)),
    Case("a model is ready", "ModelReady", lambda face: pb.ModelReadyRequest(name="photos"), field_is("ready", True)),
    Case("a version is ready", "ModelReady", of_version, field_is("ready", True)),
    Case(
        "server metadata",
        "ServerMetadata",
        lambda face: pb.ServerMetadataRequest(),
        server_metadata,
        closes=D.EXTENSIONS_UNTRUE,
    ),
    Case(
        "model metadata",
        "ModelMetadata",
        lambda face: pb.ModelMetadataRequest(name="photos"),
        model_metadata,
        closes=D.METADATA_IS_EMPTY,
    ),
    Case(
        "metadata of a version",
        "ModelMetadata",
        lambda face: pb.ModelMetadataRequest(name="photos", version=face.version),
        model_metadata,
    ),
    Case("raw contents", "ModelInfer", raw(), answered),
    Case("typed contents", "ModelInfer", with_contents, answered),
    Case("an answer names its version", "ModelInfer", raw(), lambda answer, face: answer.model_version == face.version),
    Case("a version of its own", "ModelInfer", lambda face: raw(model_version=face.version)(face), answered),
    Case("an id is echoed", "ModelInfer", raw(id="42"), field_is("id", "42")),
    Case("an id of any text is echoed", "ModelInfer", raw(id=' é"\\\n\u2028 '), field_is("id", ' é"\\\n\u2028 ')),
    Case("no id is none", "ModelInfer", raw(), field_is("id", "")),
    Case("parameters", "ModelInfer", raw(parameters=parameters(a="x", b=1, c=True)), answered),
    Case(
        "parameters of an input",
        "ModelInfer",
        lambda face: raw(inputs=[tensor_of(face, parameters=parameters(a=1))])(face),
        answered,
    ),
    Case("no size leaks into an output", "ModelInfer", raw(), no_size_leaks, closes=D.SIZE_LEAKS),
    Case(
        "a requested output alone",
        "ModelInfer",
        lambda face: raw(outputs=wish(face.output))(face),
        lambda answer, face: outputs_are(face.output)(answer, face),
    ),
    Case(
        "requested outputs in their order",
        "ModelInfer",
        raw(outputs=wish("confidence", "class_id")),
        outputs_are("confidence", "class_id"),
        closes=D.OUTPUTS_IGNORED,
        only="transformer",
    ),
    Case("64 images both ways", "ModelInfer", of_64_images, answers_64_images, closes=D.MESSAGES_OF_8_MIB),
    Case(
        "every class of 64 images",
        "ModelInfer",
        every_class_of_64_images,
        answers_every_class_of_64_images,
        only="transformer",
    ),
)

NOT_READY = (
    Case(
        "the server is not ready",
        "ServerReady",
        lambda face: pb.ServerReadyRequest(),
        field_is("ready", False),
        closes=D.READY_IS_CONSTANT,
    ),
    Case("it is live", "ServerLive", lambda face: pb.ServerLiveRequest(), field_is("live", True)),
    Case(
        "its model is not ready",
        "ModelReady",
        lambda face: pb.ModelReadyRequest(name="photos"),
        field_is("ready", False),
    ),
    Case("its version is not ready", "ModelReady", of_version, field_is("ready", False), only="predictor"),
    Case(
        "no version is stated before one is known",
        "ModelMetadata",
        lambda face: pb.ModelMetadataRequest(name="photos"),
        lambda answer, face: "" not in answer.versions,
        only="transformer",
    ),
    Case(
        "infer is UNAVAILABLE",
        "ModelInfer",
        raw(),
        code=grpc.StatusCode.UNAVAILABLE,
        closes=D.STATE_IS_UNKNOWN,
        only="transformer",
    ),
)
