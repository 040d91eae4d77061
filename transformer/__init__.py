"""Photos in, classes out, by way of a predictor."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it once; here it only copies, and needs no threads
