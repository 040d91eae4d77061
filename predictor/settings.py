"""Settings of the predictor."""

import os
from pathlib import Path

from pydantic import Field, PositiveInt

from serving.settings import ServerSettings


class PredictorSettings(ServerSettings):
    """What a predictor adds to the settings of every server."""

    model_dir: Path = Field(Path("/mnt/models"), description="directory of the bundle; KServe mounts it there")
    allow_untrained: bool = Field(default=False, description="serve a bundle whose weights were never trained")
    inference_threads: PositiveInt = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)), description="threads of one inference"
    )
