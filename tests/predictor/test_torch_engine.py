"""torch is the reference: torchvision's own network, in float32, behind the same seam."""

import numpy as np
import pytest
import torch
from torch import nn

from bundle import architecture
from bundle.reading import Bundle
from predictor.engine import Precision
from predictor.torch_engine import DTYPES, Classifier, CudaEngine, TorchEngine, cuda_available
from tests.assets import needs_assets
from tests.predictor.crops import photos, variants

pytestmark = needs_assets

needs_cuda = pytest.mark.skipif(not cuda_available(), reason="no CUDA device")


@pytest.fixture(scope="module")
def engine(squeezenet: Bundle) -> TorchEngine:
    return TorchEngine(squeezenet, (1, 2, 4), threads=1)


def test_it_answers_as_torchvision_does(engine: TorchEngine, squeezenet: Bundle) -> None:
    preset = squeezenet.record.preprocessing
    planes = torch.from_numpy(photos().copy()).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (preset.mean, preset.std))
    expected = architecture.load(squeezenet)((planes - mean) / std).softmax(dim=1)
    np.testing.assert_allclose(engine.run(photos()), expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_every_step_answers_as_single_images_do(engine: TorchEngine, step: int) -> None:
    images = variants(step)
    single = np.concatenate([engine.run(image[None]) for image in images])
    np.testing.assert_allclose(engine.run(images), single, rtol=1e-5, atol=1e-7)


def test_images_that_cannot_be_written_to_are_taken(engine: TorchEngine) -> None:
    images = photos()[:1].copy()
    images.setflags(write=False)
    assert engine.run(images).shape == (1, 1000)


def test_it_tells_what_it_is(engine: TorchEngine) -> None:
    assert engine.describe() == {
        "name": "torch",
        "version": str(torch.__version__),
        "precision": "float32",
        "device": "cpu",
        "streams": 1,
        "steps": [1, 2, 4],
        "threads": 1,
    }


class Means(nn.Module):
    """Stands for a network: the mean of each plane. Notes what it was given."""

    given: torch.Tensor

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        self.given = planes
        return planes.mean(dim=(2, 3))


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_only_the_network_computes_in_less_than_float32(squeezenet: Bundle, precision: Precision) -> None:
    network = Means()
    classifier = Classifier(network, squeezenet.record.preprocessing, DTYPES[precision])
    probabilities = classifier(torch.from_numpy(photos().copy()))
    assert network.given.dtype == DTYPES[precision]
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(3))


def test_what_arrives_channels_last_stays_so(squeezenet: Bundle) -> None:
    network = Means()
    Classifier(network, squeezenet.record.preprocessing, torch.bfloat16)(torch.from_numpy(photos().copy()))
    assert network.given.is_contiguous(memory_format=torch.channels_last)


@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_cuda_answers_as_the_cpu_does(squeezenet: Bundle, engine: TorchEngine, precision: Precision) -> None:
    cuda = CudaEngine(squeezenet, precision, (1, 2, 4), streams=2)
    tolerance = 1e-4 if precision == "float32" else 2e-2
    for step in cuda.steps:
        np.testing.assert_allclose(cuda.run(variants(step)), engine.run(variants(step)), atol=tolerance)
