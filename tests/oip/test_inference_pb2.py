"""The generated messages: as committed, in a pool of their own, and with everybody's field numbers."""

import json
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor

from oip import inference_pb2
from scripts.generate_messages import ROOT, generate

OURS = "import oip.inference_pb2 as ours"
KSERVES = "import kserve.protocol.grpc.grpc_predict_v2_pb2 as kserves"
EXCHANGE = """
for name, sender, receiver in (("a", ours, kserves), ("b", kserves, ours)):
    sent = sender.ModelInferRequest(model_name=name, raw_input_contents=[b"raw"])
    assert receiver.ModelInferRequest.FromString(sent.SerializeToString()).model_name == name
"""
KSERVE_FIELDS = """
import json
import kserve.protocol.grpc.grpc_predict_v2_pb2 as kserves

def fields(message):
    yield from ([f.containing_type.full_name, f.name, f.number, f.type, f.is_repeated] for f in message.fields)
    for nested in message.nested_types:
        yield from fields(nested)

print(json.dumps([f for m in kserves.DESCRIPTOR.message_types_by_name.values() for f in fields(m)]))
"""
NOT_OFFERED = "inference.RepositoryModel"
"""Loading and unloading: kserve's messages and Triton's have nothing in common but their names."""

TRITON = {
    "InferParameter": {"double_param": 4, "uint64_param": 5},
    "ModelConfigRequest": {"name": 1, "version": 2},
    "ModelConfigResponse": {"config": 1},
    "ModelConfig": {
        "name": 1,
        "platform": 2,
        "max_batch_size": 4,
        "input": 5,
        "output": 6,
        "parameters": 14,
        "backend": 17,
    },
    "ModelInput": {"name": 1, "data_type": 2, "dims": 4},
    "ModelOutput": {"name": 1, "data_type": 2, "dims": 3},
    "ModelParameter": {"string_value": 1},
    "ModelStatisticsRequest": {"name": 1, "version": 2},
    "ModelStatisticsResponse": {"model_stats": 1},
    "ModelStatistics": {
        "name": 1,
        "version": 2,
        "last_inference": 3,
        "inference_count": 4,
        "execution_count": 5,
        "inference_stats": 6,
    },
    "InferStatistics": {
        "success": 1,
        "fail": 2,
        "queue": 3,
        "compute_input": 4,
        "compute_infer": 5,
        "compute_output": 6,
    },
    "StatisticDuration": {"count": 1, "ns": 2},
    "RepositoryIndexRequest": {"repository_name": 1, "ready": 2},
    "RepositoryIndexResponse": {"models": 1},
}
"""Numbers of https://github.com/triton-inference-server/common (protobuf/), where kserve has no such field."""


def python(*lines: str) -> str:
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fields(message: Descriptor) -> list[list[object]]:
    own = [[message.full_name, each.name, each.number, each.type, each.is_repeated] for each in message.fields]
    return own + [field for nested in message.nested_types for field in fields(nested)]


@pytest.mark.parametrize("file", ["inference_pb2.py", "inference_pb2.pyi"])
def test_the_committed_module_is_what_the_proto_gives(file: str, tmp_path: Path) -> None:
    (tmp_path / "oip").mkdir()
    generate(tmp_path)
    assert (tmp_path / "oip" / file).read_text() == (ROOT / "oip" / file).read_text()


@pytest.mark.parametrize("imports", list(permutations([OURS, KSERVES])))
def test_the_messages_live_beside_those_of_kserve_and_understand_them(imports: tuple[str, str]) -> None:
    python(*imports, EXCHANGE)


def test_the_messages_stay_out_of_the_default_pool() -> None:
    assert inference_pb2.DESCRIPTOR.pool is not descriptor_pool.Default()


def test_every_field_of_kserve_has_its_number_and_type() -> None:
    theirs = [field for field in json.loads(python(KSERVE_FIELDS)) if not field[0].startswith(NOT_OFFERED)]
    ours = [field for message in inference_pb2.DESCRIPTOR.message_types_by_name.values() for field in fields(message)]
    assert [field for field in theirs if field not in ours] == []


@pytest.mark.parametrize("message", TRITON)
def test_the_fields_of_triton_have_its_numbers(message: str) -> None:
    by_name = inference_pb2.DESCRIPTOR.message_types_by_name[message].fields_by_name
    assert {name: by_name[name].number for name in TRITON[message]} == TRITON[message]


def test_the_service_has_the_name_that_kserve_and_triton_share() -> None:
    service = inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    assert service.full_name == "inference.GRPCInferenceService"
    assert [method.name for method in service.methods] == [
        "ServerLive",
        "ServerReady",
        "ModelReady",
        "ServerMetadata",
        "ModelMetadata",
        "ModelInfer",
        "ModelConfig",
        "ModelStatistics",
        "RepositoryIndex",
    ]
