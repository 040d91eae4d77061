"""A model's metadata, its config and the repository's index, for REST and gRPC; the last two in Triton's form."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from google.protobuf.json_format import ParseDict

from oip import inference_pb2 as pb
from oip.contract import FINGERPRINT, MAX_IMAGES, Preprocessing
from oip.tensor import ModelMetadata, TensorMetadata

_CONFIG_TYPE = {"BYTES": "TYPE_STRING"}
"""Triton's config calls every datatype TYPE_ and its name, save this one."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """A line of the repository's index; `reason` says why the model is not ready, and is empty when it is."""

    name: str
    version: str
    reason: str = ""

    @property
    def ready(self) -> bool:
        return not self.reason

    @property
    def state(self) -> str:
        return "READY" if self.ready else "UNAVAILABLE"


def preprocessing_parameters(preprocessing: Preprocessing) -> dict[str, str]:
    """The fingerprint and what it stands for, as a config's parameters."""
    sizes = {name: str(value) for name, value in asdict(preprocessing).items()}
    return {FINGERPRINT: preprocessing.fingerprint, **sizes}


def metadata_to_message(metadata: ModelMetadata) -> pb.ModelMetadataResponse:
    """The metadata for gRPC."""
    return pb.ModelMetadataResponse(
        name=metadata.name,
        versions=metadata.versions,
        platform=metadata.platform,
        inputs=[_tensor_message(tensor) for tensor in metadata.inputs],
        outputs=[_tensor_message(tensor) for tensor in metadata.outputs],
    )


def metadata_document(metadata: ModelMetadata) -> dict[str, Any]:
    """The same for REST."""
    return {
        "name": metadata.name,
        "versions": list(metadata.versions),
        "platform": metadata.platform,
        "inputs": [_tensor_document(tensor) for tensor in metadata.inputs],
        "outputs": [_tensor_document(tensor) for tensor in metadata.outputs],
    }


def config_document(metadata: ModelMetadata, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The config for REST; as Triton's, its dims leave out the batch."""
    return {
        "name": metadata.name,
        "platform": metadata.platform,
        "backend": metadata.platform,
        "max_batch_size": MAX_IMAGES,
        "input": [_config_tensor(tensor) for tensor in metadata.inputs],
        "output": [_config_tensor(tensor) for tensor in metadata.outputs],
        "parameters": {name: {"string_value": value} for name, value in parameters.items()},
    }


def config_to_message(metadata: ModelMetadata, parameters: Mapping[str, str]) -> pb.ModelConfigResponse:
    """The config for gRPC."""
    return ParseDict({"config": config_document(metadata, parameters)}, pb.ModelConfigResponse())


def index_document(models: Iterable[ModelState]) -> list[dict[str, str]]:
    """The repository's index for REST."""
    return [
        {"name": model.name, "version": model.version, "state": model.state}
        | ({"reason": model.reason} if model.reason else {})
        for model in models
    ]


def index_to_message(models: Iterable[ModelState]) -> pb.RepositoryIndexResponse:
    """The repository's index for gRPC."""
    return ParseDict({"models": index_document(models)}, pb.RepositoryIndexResponse())


def _tensor_document(tensor: TensorMetadata) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _tensor_message(tensor: TensorMetadata) -> pb.ModelMetadataResponse.TensorMetadata:
    return pb.ModelMetadataResponse.TensorMetadata(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)


def _config_tensor(tensor: TensorMetadata) -> dict[str, Any]:
    data_type = _CONFIG_TYPE.get(tensor.datatype, f"TYPE_{tensor.datatype}")
    return {"name": tensor.name, "data_type": data_type, "dims": list(tensor.shape[1:])}
