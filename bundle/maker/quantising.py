"""An int8 graph out of a bundle's float32 one, by post-training quantisation, and only if it answers the same."""

import logging
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import openvino as ov

from bundle import reading
from bundle.errors import BundleError, mismatch
from bundle.maker import agreement, calibration, exporting, photos, writing
from bundle.maker.exporting import Images
from bundle.reading import Bundle
from bundle.record import Agreement

Ranges = Literal["histogram", "minmax", "mean"]
"""How far an activation's range reaches: as far as costs least precision over all photos, to the extremes of all
photos, or to the mean of every photo's extremes, which is NNCF's own default and cuts off what is high."""

MAX_CALIBRATION = 300
"""Photos that are calibrated with at most; NNCF's own number."""

_SYNTHETIC = 32
_ATTENTION = ("maxvit_", "swin_", "vit_")


@dataclass(frozen=True)
class Plan:
    """How int8 is made. `calibration` and `holdout` are folders of photos; without the second, half are held out.

    `min_agreement` is the share of counted held-out photos whose best class must be float32's; those count on which
    float32's leads by more than `margin`. What is `benchmark_only` is not held to that and may do without photos.
    """

    calibration: Path | None = None
    holdout: Path | None = None
    min_agreement: float = 0.99
    margin: float = 0.05
    ranges: Ranges = "histogram"
    benchmark_only: bool = False

    def __post_init__(self) -> None:
        if self.calibration is None and (self.holdout is not None or not self.benchmark_only):
            raise BundleError("int8: expected a folder of photos to calibrate with, got none")


def add_graph(directory: Path, plan: Plan) -> None:
    """Quantise the float32 graph of the bundle in `directory` into it; raises BundleError when the plan is not met."""
    bundle = reading.read(directory)
    graph = _float32(bundle)
    attention = bundle.record.architecture.name.startswith(_ATTENTION)
    calibrated, held_out = _images(bundle, plan)
    quantised = quantise(graph, calibrated, plan.ranges, attention=attention)
    measured = _measured(graph, quantised, held_out, plan.margin) if plan.calibration is not None else None
    if measured is not None and not plan.benchmark_only:
        agreement.check(measured, plan.min_agreement)
    save = partial(exporting.save, quantised)
    writing.add_graph(directory, "int8", save, measured, benchmark_only=plan.benchmark_only)


def quantise(graph: ov.Model, images: Sequence[Images], ranges: Ranges, *, attention: bool = False) -> ov.Model:
    """The graph with weights and activations in 8 bits where that is faster, calibrated with `images`.

    `attention` tells that the network is a transformer, whose attention stays in float32.
    """
    import nncf  # seconds, which nothing else here needs
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    estimators = {"histogram": RangeEstimatorParametersSet.HISTOGRAM, "minmax": RangeEstimatorParametersSet.MINMAX}
    advanced = nncf.AdvancedQuantizationParameters(activations_range_estimator_params=estimators.get(ranges))
    nncf.set_log_level(logging.ERROR)
    with redirect_stdout(sys.stderr):  # where its progress belongs
        quantised: ov.Model = nncf.quantize(
            graph,
            nncf.Dataset([image[None] for image in images]),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(images),
            model_type=nncf.ModelType.TRANSFORMER if attention else None,
            advanced_parameters=advanced,
        )
    return quantised


def _float32(bundle: Bundle) -> ov.Model:
    if "float32" not in bundle.record.graphs:
        raise mismatch("graphs", "float32, which int8 is made of", "none")
    model, weights = bundle.graph("float32")
    return ov.Core().read_model(model, weights)


def _images(bundle: Bundle, plan: Plan) -> tuple[list[Images], Iterable[Images]]:
    """What to calibrate with and what to judge by; the latter is read while it is used."""
    preset = bundle.record.preprocessing
    if plan.calibration is None:
        return list(calibration.synthetic_pixels(_SYNTHETIC, preset.crop)), ()
    calibrated, held_out = photos.split(plan.calibration, plan.holdout)
    if not calibrated:
        raise mismatch(f"{plan.calibration}", "photos to calibrate with", "none")
    least = 1 if plan.benchmark_only else agreement.MIN_COUNTED
    if len(held_out) < least:
        raise mismatch(f"{plan.holdout or plan.calibration}", f"at least {least} photos held out", len(held_out))
    load = partial(photos.read, preprocessing=preset.contract)
    return [load(path) for path in calibrated[:MAX_CALIBRATION]], map(load, held_out)


def _measured(graph: ov.Model, quantised: ov.Model, images: Iterable[Images], margin: float) -> Agreement:
    reference, answer = (exporting.answering(exporting.logits(each)) for each in (graph, quantised))
    pairs = [(reference(image[None])[0], answer(image[None])[0]) for image in images]
    expected, given = (np.stack(logits) for logits in zip(*pairs, strict=True))
    return agreement.measure(expected, given, margin)
