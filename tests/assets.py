"""What stands beside the project: real photos and weights with the answers that they must give, and real CRDs."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"
ASSETS = SHARED / "assets"
PHOTOS = ASSETS / "photos"
WEIGHTS = ASSETS / "squeezenet1_1-imagenet1k-fp16.safetensors"

CRDS = SHARED / "crds"

needs_crds = pytest.mark.skipif(not CRDS.is_dir(), reason="../shared/crds (KServe's and Knative's CRDs) is not here")
needs_assets = pytest.mark.skipif(not WEIGHTS.is_file(), reason="../shared/assets (photos and weights) is not here")

TOP_FIVE = {
    "chelsea.png": {285: 0.7113, 282: 0.1373, 281: 0.1352, 287: 0.0149, 293: 0.0008},
    "coffee.png": {967: 0.8396, 925: 0.1184, 968: 0.0158, 809: 0.0116, 504: 0.0103},
    "astronaut.png": {966: 0.1804, 907: 0.1344, 823: 0.0983, 758: 0.0843, 503: 0.0767},
}
"""Class index to probability, best first, with float32 weights and torchvision's own preset (see its README)."""
