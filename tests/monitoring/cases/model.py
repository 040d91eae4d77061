"""What the model says, and which one it is."""

from tests.monitoring.case import NAMED, PREDICTOR, Case, Firing, series

VERSION = f'{PREDICTOR}, model_version="v1"'
SAID = f'{NAMED}, model_version="v1"'
DAY, WEEK = 144, 7 * 144
"""In steps of ten minutes."""


def _confidence(*phases: tuple[int, float], per_hour: float = 300) -> dict[str, str]:
    """Steps of ten minutes, and the mean in them."""
    photos = per_hour / 6
    parts, total = [], 0.0
    for steps, mean in phases:
        parts.append(f"{total:.6f}+{mean * photos:.6f}x{steps - 1}")
        total += mean * photos * steps
    steps = sum(steps for steps, _ in phases)
    return {
        series("classifier_top1_confidence_ratio_sum", VERSION): " ".join(parts),
        series("classifier_top1_confidence_ratio_count", VERSION): f"0+{photos}x{steps}",
        series("classifier_predictions_total", VERSION): f"0+{photos}x{steps}",
    }


def _classes(named: float, other: float, per_hour: float = 200, label: str = "tabby") -> dict[str, str]:
    """Shares of one class, of those that are not named, and the rest of another class."""
    shares = {
        f'class_id="281", class_label="{label}"': named,
        'class_id="", class_label="other"': other,
        'class_id="1", class_label="goldfish"': 1 - named - other,
    }
    return {
        series("classifier_predictions_total", VERSION): f"0+{per_hour / 6}x60",
        **{
            series("classifier_class_predictions_total", VERSION, labels): f"0+{share * per_hour / 6}x60"
            for labels, share in shares.items()
        },
    }


def _info(trained: str, values: str = "1x60") -> dict[str, str]:
    return {series("classifier_model_info", VERSION, f'trained="{trained}", pod="a"'): values}


_TEN = "10m"

CASES = [
    Case(
        "ConfidenceFallen",
        "by 0.12 since yesterday",
        _confidence((DAY, 0.7), (30, 0.58)),
        "25h40m",
        (
            Firing(
                SAID,
                "The mean probability of the best class of photos/image-classifier, version v1, is 0.12 lower "
                "than in the same hour a week ago or, where that is not known, a day ago.",
            ),
        ),
        _TEN,
    ),
    Case("ConfidenceFallen", "by 0.08 since yesterday", _confidence((DAY, 0.7), (30, 0.62)), "28h", every=_TEN),
    Case("ConfidenceFallen", "it has risen", _confidence((DAY, 0.5), (30, 0.7)), "28h", every=_TEN),
    Case(
        "ConfidenceFallen",
        "since a week, though not since yesterday",
        _confidence((WEEK - DAY - 10, 0.7), (DAY + 60, 0.55)),
        "170h",
        (
            Firing(
                SAID,
                "The mean probability of the best class of photos/image-classifier, version v1, is 0.15 lower "
                "than in the same hour a week ago or, where that is not known, a day ago.",
            ),
        ),
        _TEN,
    ),
    Case("ConfidenceFallen", "it is new", _confidence((60, 0.1)), "9h", every=_TEN),
    Case(
        "ConfidenceFallen",
        "of 110 photos in an hour",
        _confidence((DAY, 0.7), (30, 0.58), per_hour=110),
        "25h40m",
        (
            Firing(
                SAID,
                "The mean probability of the best class of photos/image-classifier, version v1, is 0.12 lower "
                "than in the same hour a week ago or, where that is not known, a day ago.",
            ),
        ),
        _TEN,
    ),
    Case(
        "ConfidenceFallen",
        "of 90 photos in an hour",
        _confidence((DAY, 0.7), (30, 0.5), per_hour=90),
        "28h",
        every=_TEN,
    ),
    Case(
        "ClassCollapse",
        "55 % are of one class",
        _classes(0.55, 0.2),
        "1h40m",
        (
            Firing(
                f'{SAID}, class_id="281", class_label="tabby"',
                "55% of the photos of photos/image-classifier, version v1, were tabby in the last hour.",
            ),
        ),
        _TEN,
    ),
    Case(
        "ClassCollapse",
        "55 % are of a class that is called other",
        _classes(0.55, 0.2, label="other"),
        "1h40m",
        (
            Firing(
                f'{SAID}, class_id="281", class_label="other"',
                "55% of the photos of photos/image-classifier, version v1, were other in the last hour.",
            ),
        ),
        _TEN,
    ),
    Case("ClassCollapse", "45 % are of one class", _classes(0.45, 0.2), "5h", every=_TEN),
    Case("ClassCollapse", "90 % are of classes without a name", _classes(0.05, 0.9), "5h", every=_TEN),
    Case(
        "ClassCollapse",
        "all of 110 in an hour",
        _classes(1, 0, 110),
        "1h40m",
        (
            Firing(
                f'{SAID}, class_id="281", class_label="tabby"',
                "100% of the photos of photos/image-classifier, version v1, were tabby in the last hour.",
            ),
        ),
        _TEN,
    ),
    Case("ClassCollapse", "all of 90 in an hour", _classes(1, 0, 90), "5h", every=_TEN),
    Case(
        "UntrainedModel",
        "its weights are random",
        _info("false"),
        "6m",
        (Firing(SAID, "photos/image-classifier serves version v1, which answers at random."),),
    ),
    Case("UntrainedModel", "its weights were trained", _info("true"), "30m"),
    Case("UntrainedModel", "it is gone", _info("false", "1x3 stale"), "9m"),
]
