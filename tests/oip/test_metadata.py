import pytest

from oip.contract import MAX_IMAGES
from oip.datatypes import DTYPES
from oip.inference_pb2 import DataType, ModelConfigResponse
from oip.metadata import config_to_message, metadata_to_message
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
