"""Read a state dict from a file and bring it into the form that torchvision's networks load today."""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bundle.errors import BundleError, mismatch

_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}

_WRAPPERS = ("state_dict", "model")  # what training scripts keep the state dict under

_DATA_PARALLEL = "module."  # what torch.nn.parallel puts before every name

_RENAMED = (  # how checkpoints of older torchvision spell a name, and how its networks spell it now
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)"), r"\1\2"),
    (re.compile(r"(encoder_layer_\d+\.mlp\.)linear_1\."), r"\g<1>0."),
    (re.compile(r"(encoder_layer_\d+\.mlp\.)linear_2\."), r"\g<1>3."),
)

_AUXILIARY = re.compile(r"(aux1|aux2|AuxLogits)\.")  # heads of GoogLeNet and Inception that only training uses

_TOLD = (  # warnings of torch.load about what is then read or refused all the same
    "Detected pickle protocol",
    "'torch.load' received a zip file that looks like a TorchScript archive",
    "Validating sparse tensor invariants",
)

_UNREADABLE = (  # what torch.load raises on a damaged file, found by damaging some
    pickle.PickleError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors`, `.pth` or `.pt` file, under the names that torchvision uses today.

    A pickle is read with `weights_only=True`: one that asks for more than tensors is refused, and nothing of it runs.
    Wrappers of training scripts (`state_dict`, `model`, `module.`) and auxiliary heads are taken off, floats of any
    width become float32. Raises BundleError when the file holds anything else.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    tensors = _unwrapped(path.name, content)
    return {
        _renamed(name): _widened(f"{path.name}: tensor {name}", tensor)
        for name, tensor in tensors.items()
        if not _AUXILIARY.match(name)
    }


def with_batch_counts(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the counts of batches seen, which checkpoints from before torch 0.4.1 lack and inference never reads."""
    counts = {name: torch.tensor(0) for name in expected if name.endswith(".num_batches_tracked")}
    return counts | dict(tensors)


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise mismatch(path.name, "a safetensors file", error) from error


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            for told in _TOLD:
                warnings.filterwarnings("ignore", told, UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise mismatch(path.name, "a state dict of tensors alone", "what weights_only=True does not read") from error


def _unwrapped(file: str, content: object) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        raise mismatch(file, "a state dict", f"{type(content).__name__} without tensors")
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise mismatch(f"{file}: {name!r:.60}", "a named tensor", type(tensor).__name__)
    parallel = all(name.startswith(_DATA_PARALLEL) for name in content)
    return {name.removeprefix(_DATA_PARALLEL) if parallel else name: tensor for name, tensor in content.items()}


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = pattern.sub(replacement, name)
    return name


def _widened(where: str, tensor: Tensor) -> Tensor:
    """A tensor of its own memory, float32 unless it counts something."""
    if tensor.layout is not torch.strided or tensor.dtype not in _FLOATS | {torch.int64}:
        raise mismatch(where, "a dense tensor of floats of 16 to 64 bits", f"{tensor.layout} {tensor.dtype}")
    if not torch.isfinite(tensor).all():
        raise BundleError(f"{where}: holds a value that is not finite")
    dtype = torch.float32 if tensor.dtype in _FLOATS else torch.int64
    return torch.empty(tensor.shape, dtype=dtype).copy_(tensor)
