"""A well-behaved server over kserve."""

import os

# prometheus_client reads it once, when it is imported, and would keep in files what one process has in memory.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
