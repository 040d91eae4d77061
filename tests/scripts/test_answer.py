from scripts.answer import Answer, Prediction

TRAFFIC_LIGHT = Prediction(class_id=920, label="traffic light", confidence=0.75)
TRAY = Prediction(class_id=868, label="tray", confidence=0.0512)


def answer(*predictions: Prediction, version: str = "1") -> Answer:
    return Answer(
        predictions=list(predictions),
        preprocessing_time_ms=3.14,
        inference_time_ms=41.5,
        model_name="resnet50",
        model_version=version,
    )


def test_the_table_lists_the_classes_best_first_with_aligned_figures_and_the_times() -> None:
    assert answer(TRAFFIC_LIGHT, TRAY).table("a.jpg", 50.0).splitlines() == [
        "a.jpg is, says resnet50 (version 1):",
        "",
        "  1  traffic light   75.00%  " + "█" * 22,
        "  2  tray             5.12%  " + "█" * 2,
        "",
        "preprocessing 3.1 ms, inference 41.5 ms, the whole request 50.0 ms",
    ]


def test_the_table_of_an_untrained_model_says_that_it_means_nothing() -> None:
    assert "UNTRAINED MODEL: this answer means nothing." in answer(TRAY, version="untrained").table("a.jpg", 1.0)
    assert "UNTRAINED" not in answer(TRAY, version="1").table("a.jpg", 1.0)
