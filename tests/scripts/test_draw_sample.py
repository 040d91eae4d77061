import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file

from scripts.draw_sample import SAMPLE, draw
from tests.assets import WEIGHTS, needs_assets


def test_the_committed_sample_is_what_the_script_draws() -> None:
    drawn = np.asarray(draw(), dtype=float)
    with Image.open(SAMPLE) as committed:
        assert np.abs(np.asarray(committed, dtype=float) - drawn).mean() < 1.5  # what JPEG loses


def test_the_sample_is_small() -> None:
    assert SAMPLE.stat().st_size < 40_000


@needs_assets
def test_a_trained_model_sees_a_traffic_light_in_the_sample() -> None:
    network = torchvision.models.squeezenet1_1()
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
    preset = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    with Image.open(SAMPLE) as photo, torch.inference_mode():
        logits = network.eval()(preset.transforms()(photo).unsqueeze(0))
    confidence, index = logits.softmax(1)[0].max(0)
    assert preset.meta["categories"][index] == "traffic light"
    assert confidence > 0.9
