"""`docs/metrics.md` says what the metrics are."""

from scripts.metrics_table import DOCUMENT, document


def test_the_document_is_as_the_code_says() -> None:
    assert DOCUMENT.read_text() == document(), "run: .venv/bin/python -m scripts.metrics_table"
