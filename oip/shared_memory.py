"""Triton's shared memory, where tensors of a request and outputs that it asks for may lie; here they never do.

Specification: https://github.com/triton-inference-server/server (docs/protocol/extension_shared_memory.md).
"""

from collections.abc import Container

from oip.errors import NotOfferedRequest
from oip.excerpt import excerpt

REGION = "shared_memory_region"
"""The parameter that names the memory; others say how much of it, and from where."""


def check_not_shared(field: str, parameters: Container[str]) -> None:
    """Raise NotOfferedRequest when a tensor's parameters say that it lies in shared memory."""
    if REGION in parameters:
        raise NotOfferedRequest(f"{field} {excerpt(REGION)}: shared memory is not offered")
