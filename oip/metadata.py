"""A model's metadata and config as messages; the config's form is Triton's, with the fields that we fill."""

from collections.abc import Mapping

from oip import inference_pb2 as pb
from oip.contract import MAX_IMAGES
from oip.tensor import ModelMetadata, TensorMetadata

_CONFIG_TYPE = {"BYTES": "TYPE_STRING"}
"""Triton's config calls every datatype TYPE_ and its name, save this one."""


def metadata_to_message(metadata: ModelMetadata) -> pb.ModelMetadataResponse:
    return pb.ModelMetadataResponse(
        name=metadata.name,
        versions=metadata.versions,
        platform=metadata.platform,
        inputs=[_tensor_message(tensor) for tensor in metadata.inputs],
        outputs=[_tensor_message(tensor) for tensor in metadata.outputs],
    )


def config_to_message(metadata: ModelMetadata, parameters: Mapping[str, str]) -> pb.ModelConfigResponse:
    """The config; as Triton's, its dims leave out the batch."""
    return pb.ModelConfigResponse(
        config=pb.ModelConfig(
            name=metadata.name,
            platform=metadata.platform,
            backend=metadata.platform,
            max_batch_size=MAX_IMAGES,
            input=[
                pb.ModelInput(name=tensor.name, data_type=_data_type(tensor), dims=tensor.shape[1:])
                for tensor in metadata.inputs
            ],
            output=[
                pb.ModelOutput(name=tensor.name, data_type=_data_type(tensor), dims=tensor.shape[1:])
                for tensor in metadata.outputs
            ],
            parameters={name: pb.ModelParameter(string_value=value) for name, value in parameters.items()},
        )
    )


def _tensor_message(tensor: TensorMetadata) -> pb.ModelMetadataResponse.TensorMetadata:
    return pb.ModelMetadataResponse.TensorMetadata(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)


def _data_type(tensor: TensorMetadata) -> str:
    """By name: protobuf takes an enum's name for its number."""
    return _CONFIG_TYPE.get(tensor.datatype, f"TYPE_{tensor.datatype}")
