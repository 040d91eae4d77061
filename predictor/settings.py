"""Settings of the predictor."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt

from oip.contract import MAX_IMAGES
from serving.cores import available_cores
from serving.settings import Cores, ServerSettings


class PredictorSettings(ServerSettings):
    """What a predictor adds to the settings of every server."""

    component: ClassVar[str] = "predictor"

    model_dir: Path = Field(Path("/mnt/models"), description="directory of the bundle; KServe mounts it there")
    allow_untrained: bool = Field(default=False, description="serve a bundle whose weights were never trained")
    allow_benchmark_only: bool = Field(
        default=False, description="serve a graph that was never seen to agree with float32"
    )

    engine: Literal["auto", "openvino", "torch"] = Field(
        "auto", description="auto: torch on a GPU, else openvino where the bundle has a graph, else torch"
    )
    model_device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if torch sees one")
    precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = Field(
        "auto", description="auto: bfloat16 where it is computed natively, else float32; float16 on a GPU alone"
    )
    inference_threads: Cores = Field(
        default_factory=available_cores,
        description="threads that infer on a CPU, over all streams; all cores that the process may use, at most",
    )
    inference_streams: PositiveInt | None = Field(
        None, description="batches inferred side by side; on a CPU 1, on a GPU 2, so that copying overlaps"
    )
    max_batch_size: Annotated[int, Field(ge=1, le=128)] | None = Field(
        None, description="most images in a batch, 1 to 128; on a CPU 8, in float32 4, on a GPU 128"
    )
    max_waiting_images: int = Field(
        256,
        ge=MAX_IMAGES,
        description="images that may wait for the engine; what would be more is answered 503",
    )
    max_wait_ms: float = Field(0, ge=0, le=1000, description="milliseconds that a batch may wait for more images")
