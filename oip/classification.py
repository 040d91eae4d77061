"""Triton's classification extension: the best classes of each row as BYTES `value:index:label`.

Specification: https://github.com/triton-inference-server/server (docs/protocol/extension_classification.md).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oip.contract import CLASSIFICATION
from oip.errors import mismatch
from oip.excerpt import excerpt
from oip.tensor import bytes_array

_ENTRY = re.compile(
    r"(?P<value>-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?):(?P<index>[0-9]{1,9})(:(?P<label>.*))?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Classified:
    """One class of one row; `value` rounds to the float32 that was encoded, `label` is empty when there was none."""

    value: float
    index: int
    label: str


def checked_k(k: object, classes: int, field: str = CLASSIFICATION) -> int:
    """The value of that parameter; raises InvalidRequest unless it is an integer from 1 to `classes`."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= classes:
        raise mismatch(field, f"an integer from 1 to {classes}", excerpt(k))
    return k


def encode(probabilities: NDArray[np.float32], k: object, labels: Sequence[str]) -> NDArray[np.object_]:
    """The best `k` of each row of `[N, C]` finite values as an array `[N, k]` of `bytes`, best first.

    Equal values stand in the order of their indices. A value has the fewest digits that read back to the same float32.
    `labels` holds one for each class, or nothing. Raises InvalidRequest unless `k` is an integer from 1 to C.
    """
    _check_arguments(probabilities, labels)
    k = checked_k(k, probabilities.shape[1])
    entries = [
        _entry(row[index], index, labels)
        for row, indices in zip(probabilities, _best(probabilities, k), strict=True)
        for index in indices.tolist()
    ]
    return bytes_array(entries, (len(probabilities), k))


def decode(entry: bytes) -> Classified:
    """The parts of one entry, split at most twice since a label may hold colons; raises InvalidRequest for others."""
    try:
        match = _ENTRY.fullmatch(entry.decode())
    except UnicodeDecodeError:
        raise mismatch(CLASSIFICATION, "UTF-8", "other bytes") from None
    if match is None or not math.isfinite(value := float(match["value"])):
        raise mismatch(CLASSIFICATION, "value:index:label", excerpt(entry))
    return Classified(value, int(match["index"]), match["label"] or "")


def _check_arguments(probabilities: NDArray[np.float32], labels: Sequence[str]) -> None:
    """Mistakes of the server, never of a client."""
    if probabilities.ndim != 2 or probabilities.dtype != np.float32:
        raise ValueError(f"expected float32 [N, C], got {probabilities.dtype} {list(probabilities.shape)}")
    if len(labels) not in (0, probabilities.shape[1]):
        raise ValueError(f"expected {probabilities.shape[1]} labels or none, got {len(labels)}")
    if not np.isfinite(probabilities).all():
        raise ValueError("expected finite values, got NaN or infinity")


def _best(probabilities: NDArray[np.float32], k: int) -> list[NDArray[np.intp]]:
    """Indices of each row's best `k`: partition finds the `k`th value, so that only what reaches it is sorted."""
    kth = np.partition(probabilities, -k, axis=1)[:, -k]
    return [_ordered(row, np.flatnonzero(row >= least))[:k] for row, least in zip(probabilities, kth, strict=True)]


def _ordered(row: NDArray[np.float32], indices: NDArray[np.intp]) -> NDArray[np.intp]:
    return indices[np.argsort(-row[indices], kind="stable")]


def _entry(value: np.float32, index: int, labels: Sequence[str]) -> bytes:
    return (f"{value!s}:{index}:{labels[index]}" if labels else f"{value!s}:{index}").encode()
