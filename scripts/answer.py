"""The answer to one photo, and how a person sees it."""

from pydantic import BaseModel

BAR_CHARACTERS = 30


class Prediction(BaseModel):
    """One class; `confidence` from 0 to 1."""

    class_id: int
    label: str
    confidence: float


class Answer(BaseModel):
    """What `POST /predict` gives, as far as it is shown."""

    predictions: list[Prediction]
    preprocessing_time_ms: float
    inference_time_ms: float
    model_name: str
    model_version: str

    def table(self, photo: str, request_ms: float) -> str:
        """The classes, best first, with bars, and the times; says so when the model is untrained."""
        warning = ["UNTRAINED MODEL: this answer means nothing."] if "untrained" in self.model_version else []
        times = (
            f"preprocessing {self.preprocessing_time_ms:.1f} ms, inference {self.inference_time_ms:.1f} ms, "
            f"the whole request {request_ms:.1f} ms"
        )
        width = max((len(prediction.label) for prediction in self.predictions), default=0)
        return "\n".join(
            [
                f"{photo} is, says {self.model_name} (version {self.model_version}):",
                *warning,
                "",
                *(_row(place, prediction, width) for place, prediction in enumerate(self.predictions, start=1)),
                "",
                times,
            ]
        )


def _row(place: int, prediction: Prediction, width: int) -> str:
    bar = "█" * round(prediction.confidence * BAR_CHARACTERS)
    return f"  {place}  {prediction.label:<{width}}  {prediction.confidence:7.2%}  {bar}".rstrip()
