"""Writes `oip/inference_pb2.py` and its stub from `oip/inference.proto`: `python -m scripts.generate_messages`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROTO = "oip/inference.proto"

DEFAULT_POOL = "_descriptor_pool.Default()"
PRIVATE_POOL = "_descriptor_pool.DescriptorPool()"


def generate(directory: Path) -> None:
    """Write the messages' module and stub below `directory`, in the folder `oip`, which must exist."""
    outputs = [f"--python_out={directory}", f"--pyi_out={directory}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT}", *outputs, PROTO], check=True)
    module = directory / "oip" / "inference_pb2.py"
    module.write_text(with_private_pool(module.read_text()))


def with_private_pool(source: str) -> str:
    """Keep the messages out of protobuf's default pool, where kserve and tritonclient register the same names."""
    if source.count(DEFAULT_POOL) != 1:
        raise SystemExit(f"protoc's output has changed: expected {DEFAULT_POOL} once, got {source.count(DEFAULT_POOL)}")
    return source.replace(DEFAULT_POOL, PRIVATE_POOL)


if __name__ == "__main__":
    generate(ROOT)
