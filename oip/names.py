"""Names of tensors, as clients give them."""

from collections.abc import Iterable

from oip.errors import mismatch
from oip.excerpt import excerpt

TENSORS_LIMIT = 64


def checked_name(field: str, name: str) -> str:
    if not name:
        raise mismatch(f"{field} name", "a non-empty string", "an empty one")
    return name


def check_number(field: str, given: int) -> None:
    """Refuse more tensors than any model has, before something is made of each."""
    if given > TENSORS_LIMIT:
        raise mismatch(field, f"at most {TENSORS_LIMIT}", given)


def check_distinct(field: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise mismatch(field, "distinct names", f"{excerpt(name)} twice")
        seen.add(name)
