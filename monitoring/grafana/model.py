"""What does the model say, and of what photos?"""

from monitoring.grafana.board import board
from monitoring.grafana.grid import row
from monitoring.grafana.panels import Query, bars, heatmap, percentiles, stat, timeseries
from monitoring.grafana.promql import NAMED, increase, mean, quantile, rate, ratio, series, share, within

PREDICTIONS = "classifier_predictions_total"
CLASSES = "classifier_class_predictions_total"
CONFIDENCE = "classifier_top1_confidence_ratio"
ENTROPY = "classifier_entropy_ratio"
IMAGES = "classifier_images_total"
REJECTED = "classifier_images_rejected_total"
FETCHES = "classifier_fetches_total"
BYTES = "classifier_image_size_bytes"
PIXELS = "classifier_image_size_pixels"
CLASS = "class_id, class_label"
"""Classes may share a label."""
BY_CLASS = rate(CLASSES, NAMED, by=CLASS)
MOST_FREQUENT = f"topk(10, sum by ({CLASS}) (increase({series(CLASSES, NAMED)}[$__range] @ end())))"
"""At every point of time those of the whole, or each point would have ten of its own."""

BOARD = board(
    "model",
    "Model",
    "Predictions, classes, confidence, and the photos that came.",
    row(
        "Now",
        stat(
            "Predictions",
            "ops",
            "Images classified: classifier_predictions_total.",
            Query(rate(PREDICTIONS)),
        ),
        stat(
            "Predictions in all",
            "short",
            "Images classified in the time that the board shows: classifier_predictions_total.",
            Query(increase(PREDICTIONS)),
        ),
        stat(
            "Mean confidence",
            "percentunit",
            "Probability of the best class: classifier_top1_confidence_ratio.",
            Query(mean(CONFIDENCE)),
        ),
        stat(
            "Unsure answers",
            "percentunit",
            "Share of images whose best class has at most half of the probability: classifier_top1_confidence_ratio.",
            Query(within(0.5, CONFIDENCE)),
        ),
        stat(
            "Most frequent class",
            "percentunit",
            "Its share of all images; near 1 the model has collapsed, or all photos are alike: "
            "classifier_class_predictions_total.",
            Query(f"max({BY_CLASS}) / {rate(CLASSES)}"),
        ),
        stat(
            "Photos rejected",
            "percentunit",
            "Of all photos that came: classifier_images_rejected_total and classifier_images_total.",
            Query(f"({rate(REJECTED)} or vector(0)) / (({rate(REJECTED)} or vector(0)) + {rate(IMAGES)})"),
        ),
    ),
    row(
        "Classes",
        bars(
            "Most frequent classes",
            "short",
            "Images by their best class, in the time that the board shows: classifier_class_predictions_total, which "
            "names the most frequent classes only.",
            Query(f"topk(20, {increase(CLASSES, NAMED, by=CLASS)})", "{{class_label}}"),
        ),
        timeseries(
            "Classes over time",
            "percentunit",
            "Share of the ten most frequent, and of all that have no name of their own: "
            "classifier_class_predictions_total.",
            Query(
                f"{BY_CLASS} / on () group_left () {rate(CLASSES)} and {MOST_FREQUENT}",
                "{{class_label}}",
            ),
            Query(share(rate(CLASSES, 'class_id=""'), rate(CLASSES)), "all others"),
            width=12,
            height=12,
        ),
    ),
    row(
        "Confidence",
        timeseries(
            "Predictions by version",
            "ops",
            "Images classified: classifier_predictions_total.",
            Query(rate(PREDICTIONS, by="model_version"), "{{model_version}}"),
            stacked=True,
        ),
        timeseries(
            "Confidence",
            "percentunit",
            "Probability of the best class, its mean and its lower quantiles: classifier_top1_confidence_ratio.",
            Query(mean(CONFIDENCE, by="model_version"), "mean {{model_version}}"),
            *(
                Query(quantile(q, CONFIDENCE, by="model_version"), f"p{100 * q:.0f} {{{{model_version}}}}")
                for q in (0.1, 0.5)
            ),
        ),
        timeseries(
            "Entropy",
            "percentunit",
            "0 is certain, 1 is every class alike: classifier_entropy_ratio.",
            Query(mean(ENTROPY, by="model_version"), "mean {{model_version}}"),
            Query(quantile(0.9, ENTROPY, by="model_version"), "p90 {{model_version}}"),
        ),
        heatmap("Confidence distribution", "percentunit", CONFIDENCE),
        heatmap("Entropy distribution", "percentunit", ENTROPY),
    ),
    row(
        "Photos",
        timeseries(
            "Photos by source",
            "ops",
            "Photos that were decoded: classifier_images_total.",
            Query(rate(IMAGES, by="source"), "{{source}}"),
            stacked=True,
        ),
        timeseries(
            "Photos rejected by reason",
            "ops",
            "By the error's code: classifier_images_rejected_total.",
            Query(rate(REJECTED, by="reason"), "{{reason}}"),
            stacked=True,
        ),
        timeseries(
            "Fetches by outcome",
            "ops",
            "Photos that were to come from a URL: classifier_fetches_total.",
            Query(rate(FETCHES, by="outcome"), "{{outcome}}"),
            stacked=True,
        ),
        timeseries(
            "Encoded size",
            "bytes",
            "classifier_image_size_bytes.",
            Query(mean(BYTES), "mean"),
            *percentiles(BYTES, of=(0.5, 0.95)),
        ),
        timeseries(
            "Pixels",
            "short",
            "Width times height: classifier_image_size_pixels.",
            Query(mean(PIXELS), "mean"),
            *percentiles(PIXELS, of=(0.5, 0.95)),
        ),
        timeseries(
            "Photos in a request",
            "none",
            "Mean over the transformer's successful requests: classifier_images_total and classifier_requests_total.",
            Query(
                ratio(rate(IMAGES), rate("classifier_requests_total", 'component="transformer"', 'outcome="success"')),
                "mean",
            ),
        ),
        heatmap("Encoded size distribution", "bytes", BYTES),
        heatmap("Pixels distribution", "short", PIXELS),
    ),
)
