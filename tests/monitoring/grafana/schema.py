"""Grafana's schema of dashboards, as grafana-foundation-sdk has it in the types of its models, which are generated.

A board is read into the models and held to their annotations, and what they write again must be what was read. So the
names of fields, their types, the values of enumerations and what is required are checked: of the board, its panels and
their options, queries, variables, links and annotations. Not checked: numbers against ranges, what a transformation is
told, and the names of panel types and data sources, all of which the schema leaves open.
"""

import enum
import json
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()

WRITTEN_ALWAYS = "placement"
"""What may be missing, though the models never leave it out."""


def faults(text: str) -> list[str]:
    """Where a board breaks the schema; empty when it keeps it."""
    try:
        return list(_of_model(json.loads(text), Dashboard, "board"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [f"the board cannot be read: {error!r}"]


def _of_model(given: dict[str, Any], model: Any, path: str) -> Iterator[str]:
    read = model.from_json(given)
    yield from _different(given, json.loads(json.dumps(read, cls=JSONEncoder)), path)
    yield from _of_fields(read, path)


def _different(given: Any, written: Any, path: str) -> Iterator[str]:
    """What the models left out, since they know no such field, or filled in, since it is required."""
    if isinstance(given, dict) and isinstance(written, dict):
        for key in sorted(given.keys() | written.keys() - ({WRITTEN_ALWAYS} - given.keys())):
            yield from _different(given.get(key), written.get(key), f"{path}.{key}")
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        for place, (before, after) in enumerate(zip(given, written, strict=True)):
            yield from _different(before, after, f"{path}[{place}]")
    elif given != written:
        yield f"{path}: the schema has {written!r}, not {given!r}"


def _of_fields(value: Any, path: str) -> Iterator[str]:
    for name, hint in get_type_hints(type(value)).items():
        yield from _of_type(getattr(value, name), hint, f"{path}.{name}")


def _of_type(value: Any, hint: Any, path: str) -> Iterator[str]:
    alternatives = get_args(hint) if get_origin(hint) is Union else (hint,)
    fitting = [alternative for alternative in alternatives if _fits(value, alternative)]
    if not fitting:
        yield f"{path}: expected {hint}, got {value!r}"
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _of_type(item, (get_args(fitting[0]) or (object,))[0], f"{path}[{place}]")
    elif isinstance(value, dict) and _is_model(fitting[0]):  # the models leave some of their parts as they were read
        yield from _of_model(value, fitting[0], path)
    elif _is_model(type(value)):
        yield from _of_fields(value, path)


def _fits(value: Any, hint: Any) -> bool:
    """On the surface."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is not None:
        return isinstance(value, origin)
    if issubclass(hint, enum.Enum):
        return any(value == member.value for member in hint)
    if hint in (float, int):
        return isinstance(value, (hint, int)) and not isinstance(value, bool)
    return isinstance(value, dict if _is_model(hint) and isinstance(value, dict) else hint)


def _is_model(hint: Any) -> bool:
    return hasattr(hint, "from_json")
