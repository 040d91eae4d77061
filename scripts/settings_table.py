"""Write `docs/settings.md` from the settings themselves: python -m scripts.settings_table."""

from pathlib import Path

from pydantic.fields import FieldInfo

from predictor.settings import PredictorSettings
from serving.settings import ServerSettings
from transformer.settings import TransformerSettings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "settings.md"

HEAD = """# Settings

<!-- written by `.venv/bin/python -m scripts.settings_table`; a test holds it to the code -->

A setting is a flag (`--http_port 9000`, `--http-port 9000`) and a variable (`HTTP_PORT=9000`); the flag wins, then the
variable, then the default. All are read once at start and checked together: a value that cannot be used ends the
process with one line that names it. KServe itself sets `--model_name`, `--predictor_host`, `--http_port`, `--workers`.
"""


def document() -> str:
    """The whole of `docs/settings.md`."""
    common = set(ServerSettings.model_fields)
    return "\n".join(
        [
            HEAD,
            _section("Both servers", ServerSettings.model_fields),
            _section("Predictor", _without(PredictorSettings.model_fields, common)),
            _section("Transformer", _without(TransformerSettings.model_fields, common)),
        ]
    )


def _without(fields: dict[str, FieldInfo], names: set[str]) -> dict[str, FieldInfo]:
    return {name: field for name, field in fields.items() if name not in names}


def _section(title: str, fields: dict[str, FieldInfo]) -> str:
    rows = [
        f"| `{_variable(name, field)}` | {_default(field)} | {field.description} |" for name, field in fields.items()
    ]
    return "\n".join([f"## {title}\n", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _variable(name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or name.upper())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if field.default_factory is not None:
        return "depends on the machine"
    if field.default is None:
        return "depends on the device"
    words = field.default if not isinstance(field.default, frozenset | tuple) else ", ".join(map(str, field.default))
    return f"`{str(words).lower() if isinstance(words, bool) else words}`" if str(words) else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document())
