"""`model.json`: what a bundle says of itself. A field that is not written down here is refused."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bundle.errors import BundleError
from oip import contract

RECORD = "model.json"
UNTRAINED = "untrained"
"""Version of a bundle whose weights never saw a photo; no other bundle may carry it."""

_SHOWN_CHARACTERS = 60


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    plain = str(pure) == path and path.isprintable() and "\\" not in path
    if pure.is_absolute() or ".." in pure.parts or not plain or path in {".", RECORD}:
        raise ValueError(f"should be a plain relative path inside the bundle, other than {RECORD}")
    return path


RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_inside)]
Pixels = Annotated[int, Field(ge=1, le=4096)]
Channels = tuple[float, float, float]
Option = bool | int | float | str | tuple[int, ...]
"""Value of one of torchvision's keyword arguments, such as `transform_input` or `image_size`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Architecture(_Part):
    """A torchvision builder by name and its keyword arguments beside `weights` and `num_classes`."""

    name: str
    options: Mapping[str, Option] = {}


class Preset(_Part):
    """Preprocessing: shorter edge to `resize` pixels, middle `crop` x `crop`, to [0, 1], less `mean`, over `std` (RGB).

    Transformer and predictor share the first half, which is the contract; the second half happens in the predictor.
    """

    resize: Pixels
    crop: Pixels
    interpolation: contract.Interpolation
    mean: Channels
    std: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]

    @property
    def contract(self) -> contract.Preprocessing:
        return contract.Preprocessing(self.resize, self.crop, self.interpolation)

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        if self.crop > self.resize:
            raise ValueError(f"crop ({self.crop}) should not be larger than resize ({self.resize})")
        return self


class File(_Part):
    """Size and digest that a file of the bundle must have."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0)]


Share = Annotated[float, Field(ge=0, le=1)]
Precision = Literal["float32", "int8"]
"""Of a graph's weights; the float32 graph also runs in bfloat16."""


class Agreement(_Part):
    """How far a graph agrees with float32 on photos that were held out from its making.

    Of `photos`, those count (`counted`) on which float32's best class leads by more than `margin`; `top1` is the share
    of those with the same best class. `top5` is the mean share of the five best classes in common, `cosine` the mean
    cosine of the logits, both over all photos.
    """

    photos: Annotated[int, Field(ge=1)]
    counted: Annotated[int, Field(ge=0)]
    margin: Share
    top1: Share
    top5: Share
    cosine: Annotated[float, Field(ge=-1, le=1)]


class Graph(_Part):
    """An exported network in OpenVINO's format: UINT8 `[N, crop, crop, 3]` to FP32 probabilities `[N, classes]`.

    `agreement` is None for float32 itself. What is `benchmark_only` was not held to it, and may have none.
    """

    model: RelativePath
    weights: RelativePath
    agreement: Agreement | None = None
    benchmark_only: bool = False


class Record(_Part):
    """The whole of `model.json`. All paths name files of the bundle, and every file stands in `files`."""

    format_version: Literal[1]
    architecture: Architecture
    version: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
    trained: bool
    classes: Annotated[int, Field(ge=2)]
    preprocessing: Preset
    weights: RelativePath
    labels: RelativePath
    licence: str
    origin: str
    files: Mapping[RelativePath, File]
    graphs: Mapping[Precision, Graph] = {}

    @model_validator(mode="after")
    def _judged(self) -> Self:
        int8 = self.graphs.get("int8")
        if int8 is not None and int8.agreement is None and not int8.benchmark_only:
            raise ValueError("graphs.int8 should state its agreement or be benchmark_only")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        exported = [path for graph in self.graphs.values() for path in (graph.model, graph.weights)]
        for name in (self.weights, self.labels, *exported):
            if name not in self.files:
                raise ValueError(f"files should hold {name}")
        if self.trained == (self.version == UNTRAINED):
            raise ValueError(f"trained should be false when version is {UNTRAINED}, and only then")
        return self


def invalid(where: str, error: ValidationError) -> BundleError:
    """The first thing that is wrong with a record, as one line that names the field."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    text = ": ".join(filter(None, (where, field, first["msg"].removeprefix("Value error, "))))
    if field and isinstance(first["input"], str | int | float | None):
        text += f", got {first['input']!r:.{_SHOWN_CHARACTERS}}"
    return BundleError(" ".join(text.splitlines()))
