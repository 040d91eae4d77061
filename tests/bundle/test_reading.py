import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle.errors import BundleError
from bundle.reading import TensorType, check_tensors, read, tensor_shapes
from oip.contract import Preprocessing
from tests.bundle import tiny


def refusal(directory: Path) -> str:
    """The text with which a bundle is refused, without the directory that it begins with."""
    with pytest.raises(BundleError) as caught:
        read(directory)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{directory}: ")
    return text.removeprefix(f"{directory}: ")


def test_a_whole_bundle_is_read(directory: Path) -> None:
    bundle = read(directory)
    assert bundle.directory == directory
    assert bundle.labels == tiny.LABELS
    assert bundle.weights == directory / "model.safetensors"
    assert bundle.record.architecture.options == {"transform_input": True}
    assert bundle.record.preprocessing.contract == Preprocessing(256, 224, "bicubic")


def test_a_graph_is_found_by_its_precision(directory: Path) -> None:
    bundle = read(tiny.add_graphs(directory))
    assert bundle.graph("int8") == (directory / "openvino" / "int8.xml", directory / "openvino" / "int8.bin")
    assert bundle.graph("float32")[0].read_text() == "float32 .xml"


def test_a_precision_without_graph_has_no_paths(directory: Path) -> None:
    with pytest.raises(KeyError, match="int8"):
        read(directory).graph("int8")


@pytest.mark.parametrize("name", ["float32.xml", "float32.bin", "int8.xml", "int8.bin"])
def test_a_damaged_file_of_a_graph_is_refused(directory: Path, name: str) -> None:
    path = tiny.add_graphs(directory) / "openvino" / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b".", b","))
    assert refusal(directory).startswith(f"openvino/{name}: expected sha256 ")
    path.write_bytes(content[:-1])
    assert refusal(directory) == f"openvino/{name}: expected {len(content)} bytes, got {len(content) - 1}"
    path.unlink()
    assert refusal(directory) == f"openvino/{name}: no such file"


INT8 = {"model": "openvino/int8.xml", "weights": "openvino/int8.bin"}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("graphs.bfloat16", INT8, "graphs.bfloat16.[key]: Input should be 'float32' or 'int8', got 'bfloat16'"),
        ("graphs.int8.model", "int8.xml", "files should hold int8.xml"),
        ("graphs.int8.weights", "../int8.bin", "graphs.int8.weights: should be a plain relative path inside"),
        ("graphs.int8.agreement.top1", 1.5, "graphs.int8.agreement.top1: Input should be less than or equal to 1"),
        ("graphs.int8.agreement", None, "graphs.int8 should state its agreement or be benchmark_only"),
        ("graphs.int8.speed", 2, "graphs.int8.speed: Extra inputs are not permitted, got 2"),
    ],
)
def test_a_graph_that_is_not_recorded_well_is_refused(directory: Path, field: str, value: object, text: str) -> None:
    tiny.change(tiny.add_graphs(directory), field, value)
    assert refusal(directory).startswith(f"model.json: {text}")


def test_a_graph_for_benchmarks_needs_no_agreement(directory: Path) -> None:
    tiny.change(tiny.add_graphs(directory), "graphs.int8", {**INT8, "benchmark_only": True})
    assert read(directory).record.graphs["int8"].benchmark_only


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing") == "model.json: no such file"


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "labels.txt"])
def test_a_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    assert refusal(directory) == f"{name}: no such file"


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting_for_it(directory: Path) -> None:
    (directory / "labels.txt").unlink()
    os.mkfifo(directory / "labels.txt")
    assert refusal(directory) == "labels.txt: no such file"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("format_version", 2, "format_version: Input should be 1, got 2"),
        ("col\nour", "red", "col our: Extra inputs are not permitted, got 'red'"),
        ("colour", "red", "colour: Extra inputs are not permitted, got 'red'"),
        ("preprocessing.gamma", 2.2, "preprocessing.gamma: Extra inputs are not permitted, got 2.2"),
        ("classes", 1, "classes: Input should be greater than or equal to 2, got 1"),
        ("classes", "4", "classes: Input should be a valid integer, got '4'"),
        ("trained", "yes", "trained: Input should be a valid boolean, got 'yes'"),
        ("trained", False, "trained should be false when version is untrained, and only then"),
        ("version", "untrained", "trained should be false when version is untrained, and only then"),
        ("version", "a version", "version: String should match pattern '^[A-Za-z0-9._-]{1,64}$', got 'a version'"),
        ("preprocessing.crop", 0, "preprocessing.crop: Input should be greater than or equal to 1, got 0"),
        ("preprocessing.resize", 9999, "preprocessing.resize: Input should be less than or equal to 4096, got 9999"),
        ("preprocessing.resize", 223, "preprocessing: crop (224) should not be larger than resize (223)"),
        (
            "preprocessing.interpolation",
            "lanczos",
            "preprocessing.interpolation: Input should be 'nearest', 'bilinear' or 'bicubic', got 'lanczos'",
        ),
        ("preprocessing.mean", [0.5, 0.5], "preprocessing.mean.2: Field required"),
        ("preprocessing.std", [0.5, 0, 0.5], "preprocessing.std.1: Input should be greater than 0, got 0"),
        ("labels", "names.txt", "files should hold names.txt"),
        ("files/labels.txt", {"sha256": "0" * 64}, "files.labels.txt.size_bytes: Field required"),
    ],
)
def test_a_record_that_is_not_valid_is_refused_by_its_field(
    directory: Path, field: str, value: object, text: str
) -> None:
    tiny.change(directory, field, value)
    assert refusal(directory) == f"model.json: {text}"


@pytest.mark.parametrize("field", ["format_version", "architecture", "preprocessing", "licence", "files"])
def test_a_missing_field_is_named(directory: Path, field: str) -> None:
    record = json.loads((directory / "model.json").read_text())
    del record[field]
    (directory / "model.json").write_text(json.dumps(record))
    assert refusal(directory) == f"model.json: {field}: Field required"


@pytest.mark.parametrize(
    "path", ["../labels.txt", "a/../../b", "/etc/passwd", "a\\b", "./labels.txt", ".", "", "a//b", "a\nb"]
)
def test_a_path_out_of_the_bundle_is_refused(directory: Path, path: str) -> None:
    tiny.change(directory, "labels", path)
    assert refusal(directory).startswith("model.json: labels: ")


def test_the_record_may_not_list_itself(directory: Path) -> None:
    record = json.loads((directory / "model.json").read_text())
    record["files"]["model.json"] = {"sha256": "0" * 64, "size_bytes": 1}
    (directory / "model.json").write_text(json.dumps(record))
    assert "should be a plain relative path inside the bundle" in refusal(directory)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"format_version": NaN}'])
def test_a_record_that_is_no_json_object_is_refused(directory: Path, content: bytes) -> None:
    (directory / "model.json").write_bytes(content)
    assert refusal(directory).startswith("model.json: ")


def test_an_endless_record_is_refused_before_it_is_parsed(directory: Path) -> None:
    (directory / "model.json").write_bytes(b" " * (1 << 20) + b"{}")
    assert refusal(directory) == "model.json: expected at most 1048576 bytes, got more"


def test_a_wrong_hash_is_refused_with_both(directory: Path) -> None:
    given = tiny.stated(directory / "model.safetensors")["sha256"]
    tiny.change(directory, "files/model.safetensors/sha256", "0" * 64)
    assert refusal(directory) == f"model.safetensors: expected sha256 {'0' * 64}, got {given}"


def test_a_wrong_size_is_refused_with_both(directory: Path) -> None:
    (directory / "labels.txt").write_bytes(b"crane\n")
    assert refusal(directory) == "labels.txt: expected 33 bytes, got 6"


@given(
    position=st.integers(0, 10**6),
    change=st.integers(1, 255),
    name=st.sampled_from(["model.safetensors", "labels.txt"]),
)
def test_no_changed_byte_goes_unseen(position: int, change: int, name: str) -> None:
    with TemporaryDirectory() as temporary:
        directory = tiny.write(Path(temporary))
        content = bytearray((directory / name).read_bytes())
        content[position % len(content)] ^= change
        (directory / name).write_bytes(content)
        assert refusal(directory).startswith(f"{name}: expected sha256 ")


def test_a_link_out_of_the_bundle_is_refused(directory: Path, tmp_path: Path) -> None:
    (directory / "labels.txt").rename(tmp_path / "elsewhere.txt")
    (directory / "labels.txt").symlink_to(tmp_path / "elsewhere.txt")
    assert refusal(directory) == "labels.txt: leads out of the bundle"


def test_a_bundle_behind_a_link_is_read(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(directory)
    assert read(tmp_path / "link").labels == tiny.LABELS


def test_links_within_the_bundle_are_followed(directory: Path) -> None:
    (directory / "..data").mkdir()
    (directory / "labels.txt").rename(directory / "..data" / "labels.txt")
    (directory / "labels.txt").symlink_to("..data/labels.txt")
    assert read(directory).labels == tiny.LABELS


def test_a_file_that_the_record_does_not_list_is_let_be(directory: Path) -> None:
    (directory / "SUCCESS").touch()
    assert read(directory).labels == tiny.LABELS


def test_a_wrong_number_of_labels_is_refused_with_both(directory: Path) -> None:
    tiny.rewrite(directory, "labels.txt", b"one\ntwo\nthree\n")
    assert refusal(directory) == "labels.txt: expected 4 labels, one a class, got 3"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"one\n\nthree\nfour\n", "line 2 is empty"),
        (b"one\n  \nthree\nfour\n", "line 2 is empty"),
        (b"one\ntwo\r\nthree\nfour\n", "expected no control characters in line 2, got 'two\\r'"),
        ("one\ntwo\nth\u2028ree\nfour\n".encode(), "expected no control characters in line 3, got 'th\\u2028ree'"),
        (b"one\ntwo\nthree\nf\xffour\n", "expected UTF-8, got byte 0xff at 15"),
    ],
)
def test_labels_that_no_answer_could_carry_are_refused(directory: Path, content: bytes, text: str) -> None:
    tiny.rewrite(directory, "labels.txt", content)
    assert refusal(directory) == f"labels.txt: {text}"


def test_a_link_to_itself_is_refused(directory: Path) -> None:
    (directory / "labels.txt").unlink()
    (directory / "labels.txt").symlink_to("labels.txt")
    assert refusal(directory) == "labels.txt: no such file"


def test_tensors_are_listed_from_the_header_alone(directory: Path) -> None:
    assert tensor_shapes(directory / "model.safetensors") == {
        "fc.weight": TensorType("F32", (4, 3)),
        "fc.count": TensorType("I64", (1,)),
    }


@pytest.mark.parametrize("length", [0, 7, 100])
def test_a_truncated_safetensors_file_is_refused(directory: Path, length: int) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BundleError, match=r"model\.safetensors: expected a safetensors file, got "):
        tensor_shapes(path)


WANTED = {"fc.weight": TensorType("F32", (4, 3)), "fc.bias": TensorType("F32", (4,))}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (WANTED | {"fc.bias": TensorType("F32", (5,))}, "tensor fc.bias: expected F32 [4], got F32 [5]"),
        (WANTED | {"fc.bias": TensorType("F16", (4,))}, "tensor fc.bias: expected F32 [4], got F16 [4]"),
        ({"fc.weight": WANTED["fc.weight"]}, "tensor fc.bias: expected F32 [4], got nothing"),
        (WANTED | {"fc.extra": TensorType("F32", ())}, "tensor fc.extra: expected no such tensor, got F32 []"),
    ],
)
def test_tensors_of_another_network_are_refused_by_name(given: dict[str, TensorType], text: str) -> None:
    with pytest.raises(BundleError) as caught:
        check_tensors(WANTED, given, "model.safetensors")
    assert str(caught.value) == f"model.safetensors: {text}"


def test_the_tensors_of_the_right_network_pass_in_any_order() -> None:
    check_tensors(WANTED, dict(reversed(WANTED.items())), "model.safetensors")


def test_reading_imports_nothing_heavy() -> None:
    heavy = {"torch", "torchvision", "openvino", "nncf", "PIL", "tqdm", "kserve"}
    code = f"import sys, bundle.reading; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
