"""A model as a directory.

OpenVINO and NNCF come with `openvino-telemetry`, send usage data unless told otherwise, and do so from the moment of
their import. Both do without where that package is missing; after an import of `bundle` it is.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # what Python's import system takes for missing
