"""A torchvision network from a bundle. Imports torch: for the maker and for the torch engine, never for reading."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torchvision.models
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from bundle.errors import BundleError
from bundle.reading import Bundle, TensorType, check_tensors, tensor_shapes
from bundle.record import Architecture

_DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}


class EmptyParameters(TorchFunctionMode):
    """Inside this context new parameters take no memory and no time; they must be loaded before use.

    `torch.device("meta")` would do the same to the arithmetic by which some builders (RegNet) find their own widths.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        return func(*args, **(kwargs | {"device": "meta"} if func is torch.empty else kwargs))


def names() -> list[str]:
    """Every classification architecture of torchvision."""
    found: list[str] = torchvision.models.list_models(module=torchvision.models)
    return found


def check_name(name: str) -> None:
    """Refuse a name that torchvision does not know, and say which ones are close."""
    if name not in names():
        close = ", ".join(difflib.get_close_matches(name, names())) or "see torchvision.models"
        raise BundleError(f"architecture: torchvision has no classification network {name!r} ({close})")


def build(architecture: Architecture, classes: int) -> nn.Module:
    """The network with freshly drawn parameters; raises BundleError when name or options are not torchvision's."""
    check_name(architecture.name)
    try:
        network: nn.Module = torchvision.models.get_model(
            architecture.name, weights=None, num_classes=classes, **architecture.options
        )
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        raise BundleError(f"architecture: {architecture.name} cannot be built: {_first_line(error)}") from error
    return network


def outline(architecture: Architecture, classes: int, crop: int) -> nn.Module:
    """The network without weights, once it has been seen to take images of `crop` x `crop` pixels."""
    with EmptyParameters():
        network = build(architecture, classes).to("meta").eval()
    try:
        network(torch.empty(1, 3, crop, crop, device="meta"))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise BundleError(f"crop: {architecture.name} does not take {crop} pixels: {_first_line(error)}") from error
    return network


def load(bundle: Bundle) -> nn.Module:
    """The bundle's network with its weights, ready for inference: input FP32 `[N, 3, crop, crop]`, normalised."""
    with EmptyParameters():
        network = build(bundle.record.architecture, bundle.record.classes)
    where = f"{bundle.directory}: {bundle.weights.name}"
    check_tensors(tensor_types(network.state_dict()), tensor_shapes(bundle.weights), where)
    assign(network, load_file(bundle.weights))
    return network.eval().requires_grad_(False)


def assign(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network its tensors, which must be all of them, without copying."""
    state = network.state_dict()  # brings the format versions of the modules along, without which MNASNet refuses
    state.update(tensors)
    network.load_state_dict(state, assign=True)


def tensor_types(tensors: Mapping[str, Tensor]) -> dict[str, TensorType]:
    return {
        name: TensorType(_DTYPES.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))
        for name, tensor in tensors.items()
    }


def head(network: nn.Module) -> tuple[str, nn.Linear | nn.Conv2d]:
    """Name and layer that gives one output a class: in all of torchvision's classifiers the last one with weights."""
    layers = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    return layers[-1]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
