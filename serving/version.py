"""Name and version of this server, and the protocol extensions that it speaks."""

from importlib.metadata import version

NAME = "kserve-image-classifier"
VERSION = version(NAME)
EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration", "statistics"]
NOT_OFFERED_TEXT = "shared memory, trace and log settings, streaming, load and unload are not offered"
