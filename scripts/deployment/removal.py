"""Taking the objects of an overlay off a cluster, and seeing that they are gone."""

import time
from collections.abc import Sequence

from scripts.deployment.cluster import Cluster, title
from scripts.deployment.exchange import ClusterError, Document
from scripts.errors import RunError

POLL_SECONDS = 1.0


def remove(
    cluster: Cluster, documents: Sequence[Document], timeout_seconds: float, poll_seconds: float = POLL_SECONDS
) -> None:
    """Delete each in turn, the next once it is gone, and print it; raises RunError that names what is left."""
    end = time.monotonic() + timeout_seconds
    for place, document in enumerate(documents):
        try:
            print(f"{_remove(cluster, document, end, poll_seconds):<9}  {title(document)}", flush=True)
        except (ClusterError, TimeoutError) as error:
            left = ", ".join(map(title, documents[place:]))
            raise RunError(f"{title(document)}: expected it to be gone, found {error}\nleft: {left}") from error


def _remove(cluster: Cluster, document: Document, end: float, poll_seconds: float) -> str:
    """Raises TimeoutError when it is not gone at `end` (monotonic)."""
    current = cluster.current(document)
    if current is None:
        return "not there"
    cluster.delete(document)
    while (current := cluster.current(document)) is not None:
        if time.monotonic() >= end:
            raise TimeoutError(_held(current))
        time.sleep(poll_seconds)
    return "deleted"


def _held(current: Document) -> str:
    finalizers = current["metadata"].get("finalizers") or []
    return f"it waiting for {', '.join(finalizers)}" if finalizers else "it still there"
