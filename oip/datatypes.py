"""The protocol's datatypes and the numpy types that hold them.

BF16 is not offered: numpy has no such type.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from oip.errors import mismatch
from oip.excerpt import excerpt

BYTES = "BYTES"

DTYPES: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {
        "BOOL": np.dtype("?"),
        "UINT8": np.dtype("u1"),
        "UINT16": np.dtype("<u2"),
        "UINT32": np.dtype("<u4"),
        "UINT64": np.dtype("<u8"),
        "INT8": np.dtype("i1"),
        "INT16": np.dtype("<i2"),
        "INT32": np.dtype("<i4"),
        "INT64": np.dtype("<i8"),
        "FP16": np.dtype("<f2"),
        "FP32": np.dtype("<f4"),
        "FP64": np.dtype("<f8"),
        BYTES: np.dtype(object),
    }
)
"""Datatype names are case-sensitive. `itemsize` is the element's size in bytes on the wire, except for BYTES."""


def checked_datatype(field: str, datatype: str) -> str:
    """The datatype itself; raises InvalidRequest when the protocol has no such name."""
    if datatype not in DTYPES:
        raise mismatch(f"{field} datatype", f"one of {', '.join(DTYPES)}", excerpt(datatype))
    return datatype
