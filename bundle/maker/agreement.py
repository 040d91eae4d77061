"""How far two sets of answers to the same photos agree, and whether that is enough."""

import numpy as np
from numpy.typing import NDArray

from bundle.errors import BundleError, mismatch
from bundle.record import Agreement

Logits = NDArray[np.float32]

MIN_COUNTED = 200
"""Photos that must count before agreement on them says anything: one of 200 is half a percent."""

_BEST = 5


def measure(expected: Logits, given: Logits, margin: float) -> Agreement:
    """The figures of `given` against `expected`, both `[photos, classes]`; where none is counted, `top1` is 0."""
    if not np.isfinite(given).all():
        raise BundleError("the quantised network answers with numbers that are not finite")
    counted = _lead(expected) > margin
    same = expected.argmax(axis=1) == given.argmax(axis=1)
    return Agreement(
        photos=len(expected),
        counted=int(counted.sum()),
        margin=margin,
        top1=float(same[counted].mean()) if counted.any() else 0.0,
        top5=float(_overlap(expected, given).mean()),
        cosine=float(_cosine(expected, given).mean().clip(-1, 1)),
    )


def check(agreement: Agreement, limit: float) -> None:
    """Refuse what agrees on less than `limit` of the counted photos, or was counted on too few to tell."""
    if agreement.counted < MIN_COUNTED:
        raise mismatch(
            "int8",
            f"at least {MIN_COUNTED} held-out photos on which float32's best class leads by more than "
            f"{agreement.margin:g}",
            f"{agreement.counted} of {agreement.photos}",
        )
    if agreement.top1 < limit:
        same = round(agreement.top1 * agreement.counted)
        raise mismatch(
            "int8",
            f"the best class of float32 on at least {limit:.2%} of the counted held-out photos",
            f"{agreement.top1:.2%} ({same} of {agreement.counted} counted, {agreement.photos} held out)",
        )


def _lead(logits: Logits) -> NDArray[np.float64]:
    """By how much the best class is more probable than the next."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    two = np.partition(shifted / shifted.sum(axis=1, keepdims=True), -2, axis=1)[:, -2:]
    lead: NDArray[np.float64] = two[:, 1] - two[:, 0]
    return lead


def _overlap(expected: Logits, given: Logits) -> NDArray[np.float64]:
    """Of each photo, the share of the best five classes that both name (of all, where there are fewer)."""
    best = min(_BEST, expected.shape[1])
    one, other = (np.argsort(-logits, axis=1, kind="stable")[:, :best] for logits in (expected, given))
    shared: NDArray[np.float64] = (one[:, :, None] == other[:, None, :]).sum(axis=(1, 2)) / best
    return shared


def _cosine(expected: Logits, given: Logits) -> NDArray[np.float64]:
    one, other = (logits.astype(np.float64) for logits in (expected, given))
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    dots: NDArray[np.float64] = (one * other).sum(axis=1)
    cosines: NDArray[np.float64] = np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)
    return cosines
