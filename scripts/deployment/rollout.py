"""Bringing the documents of an overlay onto a cluster; whatever happens, it is told how far it went."""

from collections.abc import Sequence

from scripts.deployment.cluster import Cluster, title
from scripts.deployment.exchange import ClusterError, Document
from scripts.errors import RunError


def apply(cluster: Cluster, documents: Sequence[Document], *, force: bool = False) -> list[Document]:
    """The objects that became of `documents`, each told; raises RunError that names what is there now and what not."""
    applied: list[Document] = []
    for document in documents:
        try:
            applied.append(_apply(cluster, document, force=force))
        except ClusterError as error:
            raise RunError(_half_way(documents, len(applied), error)) from error
    return applied


def _apply(cluster: Cluster, document: Document, *, force: bool) -> Document:
    before = cluster.current(document)
    after = cluster.apply(document, force=force)
    print(f"{_change(before, after):<9}  {title(document)}", flush=True)
    return after


def _change(before: Document | None, after: Document) -> str:
    if before is None:
        return "created"
    return "unchanged" if _revision(before) == _revision(after) else "changed"


def _revision(document: Document) -> object:
    return document["metadata"].get("resourceVersion")


def _half_way(documents: Sequence[Document], place: int, error: ClusterError) -> str:
    return (
        f"{title(documents[place])}: expected it to be applied, found {error}\n"
        f"applied: {_titles(documents[:place])}\n"
        f"not applied: {_titles(documents[place:])}"
    )


def _titles(documents: Sequence[Document]) -> str:
    return ", ".join(map(title, documents)) or "nothing"
