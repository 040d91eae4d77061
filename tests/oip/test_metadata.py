import pytest

from oip.contract import MAX_IMAGES, Preprocessing
from oip.datatypes import DTYPES
from oip.inference_pb2 import DataType, ModelConfigResponse
from oip.metadata import (
    ModelState,
    config_document,
    config_to_message,
    index_document,
    index_to_message,
    metadata_document,
    metadata_to_message,
    preprocessing_parameters,
)
from oip.tensor import ModelMetadata, TensorMetadata

MODEL = ModelMetadata(
    "m",
    ("1", "2"),
    "torchvision_torch",
    (TensorMetadata("image", "UINT8", (-1, 224, 224, 3)),),
    (TensorMetadata("scores", "FP32", (-1, 1000)), TensorMetadata("labels", "BYTES", (-1, 1000))),
)


def config_of(model: ModelMetadata) -> ModelConfigResponse:
    return ModelConfigResponse.FromString(config_to_message(model, {"fingerprint": "f"}).SerializeToString())


def test_metadata_says_what_the_model_says() -> None:
    message = metadata_to_message(MODEL)
    assert (message.name, list(message.versions), message.platform) == ("m", ["1", "2"], "torchvision_torch")
    assert [(each.name, each.datatype, list(each.shape)) for each in (*message.inputs, *message.outputs)] == [
        ("image", "UINT8", [-1, 224, 224, 3]),
        ("scores", "FP32", [-1, 1000]),
        ("labels", "BYTES", [-1, 1000]),
    ]


def test_metadata_for_rest_says_the_same() -> None:
    assert metadata_document(MODEL) == {
        "name": "m",
        "versions": ["1", "2"],
        "platform": "torchvision_torch",
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 224, 224, 3]}],
        "outputs": [
            {"name": "scores", "datatype": "FP32", "shape": [-1, 1000]},
            {"name": "labels", "datatype": "BYTES", "shape": [-1, 1000]},
        ],
    }


def test_a_config_for_rest_names_the_platform_as_backend_too() -> None:
    assert config_document(MODEL, {"fingerprint": "f"}) == {
        "name": "m",
        "platform": "torchvision_torch",
        "backend": "torchvision_torch",
        "max_batch_size": MAX_IMAGES,
        "input": [{"name": "image", "data_type": "TYPE_UINT8", "dims": [224, 224, 3]}],
        "output": [
            {"name": "scores", "data_type": "TYPE_FP32", "dims": [1000]},
            {"name": "labels", "data_type": "TYPE_STRING", "dims": [1000]},
        ],
        "parameters": {"fingerprint": {"string_value": "f"}},
    }


def test_the_dims_of_a_config_leave_out_the_batch() -> None:
    config = config_of(MODEL).config
    assert config.max_batch_size == MAX_IMAGES
    assert [(each.name, list(each.dims)) for each in config.input] == [("image", [224, 224, 3])]
    assert [(each.name, list(each.dims)) for each in config.output] == [("scores", [1000]), ("labels", [1000])]


def test_a_config_carries_its_parameters_as_strings() -> None:
    parameters = config_of(MODEL).config.parameters
    assert {name: parameter.string_value for name, parameter in parameters.items()} == {"fingerprint": "f"}


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_datatype_has_its_name_in_a_config(datatype: str) -> None:
    model = ModelMetadata("m", (), "", (TensorMetadata("x", datatype, (-1,)),), ())
    expected = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
    assert DataType.Name(config_of(model).config.input[0].data_type) == expected


INDEX = [ModelState("a", "1"), ModelState("b", "", "not yet")]


def test_the_index_says_which_models_are_ready() -> None:
    assert index_document(INDEX) == [
        {"name": "a", "version": "1", "state": "READY"},
        {"name": "b", "version": "", "state": "UNAVAILABLE", "reason": "not yet"},
    ]


def test_the_index_is_the_same_over_grpc() -> None:
    models = index_to_message(INDEX).models
    assert [(each.name, each.version, each.state, each.reason) for each in models] == [
        ("a", "1", "READY", ""),
        ("b", "", "UNAVAILABLE", "not yet"),
    ]


def test_a_config_tells_the_preprocessing() -> None:
    expected = {"fingerprint": "1-bilinear-256-224", "resize": "256", "crop": "224", "interpolation": "bilinear"}
    assert preprocessing_parameters(Preprocessing(256, 224)) == expected
