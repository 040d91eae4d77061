"""What the model says, and which one it is."""

from monitoring.alerts.alert import PERCENT, SERVICE, Alert

ENOUGH_PREDICTIONS = 100
"""In an hour; under it the mean is of too few photos."""

_MEAN = "model:classifier_top1_confidence_ratio:mean_rate1h"
_OF_MODEL = "namespace, inference_service, model_version"

ALERTS = (
    Alert(
        name="ConfidenceFallen",
        # Beside the same hour a week before, else a day before.
        expr=f"""({_MEAN} offset 1w or {_MEAN} offset 1d) - {_MEAN} > 0.1
and on ({_OF_MODEL}) model:classifier_predictions:increase1h >= {ENOUGH_PREDICTIONS}""",
        lasting="30m",
        severity="warning",
        summary="The model is less sure of its answers than it was.",
        description=f"The mean probability of the best class of {SERVICE}, version {{{{ $labels.model_version }}}}, is "
        '{{ $value | printf "%.2f" }} lower than in the same hour a week ago or, where that is not known, a day ago.',
    ),
    Alert(
        name="ClassCollapse",
        # What is counted as other has no id; a class may well be called so.
        expr=f"""sum by ({_OF_MODEL}, class_id, class_label) (
  increase(classifier_class_predictions_total{{class_id!=""}}[1h])
)
/ on ({_OF_MODEL}) group_left () (model:classifier_predictions:increase1h >= {ENOUGH_PREDICTIONS}) > 0.5""",
        lasting="30m",
        severity="warning",
        summary="Most photos are given the same class.",
        description=f"{PERCENT} of the photos of {SERVICE}, version {{{{ $labels.model_version }}}}, were "
        "{{ $labels.class_label }} in the last hour.",
    ),
    Alert(
        name="UntrainedModel",
        expr=f'group by ({_OF_MODEL}) (classifier_model_info{{trained="false"}})',
        lasting="5m",
        severity="warning",
        summary="A model is served whose weights were never trained.",
        description=f"{SERVICE} serves version {{{{ $labels.model_version }}}}, which answers at random.",
    ),
)
