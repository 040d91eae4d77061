import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bundle import architecture
from bundle.errors import BundleError
from bundle.maker import published, state_dict
from bundle.record import Architecture

TENSORS = {"fc.weight": torch.arange(6.0).reshape(2, 3) / 7, "fc.bias": torch.tensor([0.1, -2.5])}


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        state_dict.read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(path.name)
    return text


def same(given: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return given.keys() == expected.keys() and all(torch.equal(given[name], expected[name]) for name in expected)


@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_a_pickled_state_dict_is_read(tmp_path: Path, suffix: str) -> None:
    assert same(state_dict.read(saved(tmp_path / f"net{suffix}", TENSORS)), TENSORS)


def test_the_older_form_of_a_pickle_is_read(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "net.pth", _use_new_zipfile_serialization=False)
    assert same(state_dict.read(tmp_path / "net.pth"), TENSORS)


def test_a_safetensors_file_is_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "net.safetensors")
    assert same(state_dict.read(tmp_path / "net.safetensors"), TENSORS)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_floats_of_another_width_become_float32(tmp_path: Path, dtype: torch.dtype, suffix: str) -> None:
    given = {name: tensor.to(dtype) for name, tensor in TENSORS.items()}
    path = tmp_path / f"net{suffix}"
    save_file(given, path) if suffix == ".safetensors" else torch.save(given, path)
    read = state_dict.read(path)
    assert {tensor.dtype for tensor in read.values()} == {torch.float32}
    assert same(read, {name: tensor.float() for name, tensor in given.items()})


def test_counts_stay_whole_numbers(tmp_path: Path) -> None:
    counted = TENSORS | {"bn.num_batches_tracked": torch.tensor(2**40 + 1)}
    assert same(state_dict.read(saved(tmp_path / "net.pth", counted)), counted)


def test_tensors_that_share_memory_are_parted(tmp_path: Path) -> None:
    whole = torch.arange(8.0)
    read = state_dict.read(saved(tmp_path / "net.pth", {"a": whole[::2], "b": whole}))
    assert same(read, {"a": whole[::2], "b": whole})
    assert read["a"].untyped_storage().data_ptr() != read["b"].untyped_storage().data_ptr()
    assert read["a"].is_contiguous()


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_the_wrappers_of_training_scripts_are_taken_off(tmp_path: Path, wrapper: str) -> None:
    parallel = {f"module.{name}": tensor for name, tensor in TENSORS.items()}
    assert same(state_dict.read(saved(tmp_path / "net.pth", {wrapper: parallel, "epoch": 90})), TENSORS)


def test_one_module_named_module_keeps_its_name(tmp_path: Path) -> None:
    tensors = TENSORS | {"module.bias": torch.zeros(1)}
    assert same(state_dict.read(saved(tmp_path / "net.pth", tensors)), tensors)


@pytest.mark.parametrize("name", ["aux1.fc1.weight", "aux2.conv.bn.bias", "AuxLogits.fc.bias"])
def test_auxiliary_heads_are_left_out(tmp_path: Path, name: str) -> None:
    assert same(state_dict.read(saved(tmp_path / "net.pth", TENSORS | {name: torch.zeros(3)})), TENSORS)


def spelled(name: str, older: dict[str, str]) -> str:
    for new, old in older.items():
        name = name.replace(new, old)
    return name


@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("densenet121", {"norm1.": "norm.1.", "norm2.": "norm.2.", "conv1.": "conv.1.", "conv2.": "conv.2."}),
        ("vit_b_32", {"mlp.0.": "mlp.linear_1.", "mlp.3.": "mlp.linear_2."}),
    ],
)
def test_names_of_older_torchvision_become_those_of_today(tmp_path: Path, name: str, older: dict[str, str]) -> None:
    network = architecture.outline(Architecture(name=name, options=published.options(name, 224)), classes=2, crop=224)
    today = list(network.state_dict())
    given = [spelled(name, older) if "layer" in name else name for name in today]
    assert sum(one != other for one, other in zip(given, today, strict=True)) >= 48
    assert list(state_dict.read(saved(tmp_path / "net.pth", {old: torch.zeros(1) for old in given}))) == today


class Payload:
    """Makes a directory when it is unpickled: harmless, and as telling as anything worse."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.mkdir, (self._directory,)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_a_pickle_that_runs_something_is_refused_and_does_not_run(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write({"fc.weight": Payload(tmp_path / "ran")}, tmp_path / "evil.pth")
    assert refusal(tmp_path / "evil.pth").startswith("evil.pth: expected a state dict of tensors alone")
    assert not (tmp_path / "ran").exists()


def test_the_payload_would_run_where_pickles_are_trusted(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "ran")))  # noqa: S301  # shows that the test above can fail
    assert (tmp_path / "ran").exists()


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    assert "state dict of tensors alone" in refusal(saved(tmp_path / "net.pth", torch.nn.Linear(2, 2)))


def test_a_compiled_program_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "program.pt", "w") as archive:
        archive.writestr("program/constants.pkl", b"")  # by which torch knows a TorchScript archive
        archive.writestr("program/data.pkl", b"")
        archive.writestr("program/version", b"3")
    assert "state dict of tensors alone" in refusal(tmp_path / "program.pt")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (torch.zeros(3), "expected a state dict, got Tensor without tensors"),
        ({}, "expected a state dict, got dict without tensors"),
        ({"epoch": 3}, "'epoch': expected a named tensor, got int"),
        ({0: torch.zeros(1)}, "0: expected a named tensor, got Tensor"),
        (
            {"a": torch.zeros(1, dtype=torch.int8)},
            "expected a dense tensor of floats of 16 to 64 bits, got torch.strided",
        ),
        ({"a": torch.eye(2).to_sparse()}, "expected a dense tensor of floats of 16 to 64 bits, got torch.sparse_coo"),
        ({"a": torch.tensor([1.0, torch.nan])}, "tensor a: holds a value that is not finite"),
        ({"a": torch.tensor([torch.inf])}, "tensor a: holds a value that is not finite"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object, text: str) -> None:
    assert text in refusal(saved(tmp_path / "net.pth", content))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04N.", b"PK\x03\x04", b"\x00" * 64])
def test_what_was_never_weights_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"net{suffix}").write_bytes(content)
    assert refusal(tmp_path / f"net{suffix}").startswith(f"net{suffix}: expected a s")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pth", TENSORS)
    path.write_bytes(path.read_bytes()[:-100])
    refusal(path)


def test_checkpoints_without_batch_counts_get_them() -> None:
    network = architecture.build(Architecture(name="mobilenet_v3_small"), 2)
    full = network.state_dict()
    old = {name: tensor for name, tensor in full.items() if not name.endswith("num_batches_tracked")}
    assert same(state_dict.with_batch_counts(old, full), dict(full))


def test_batch_counts_that_are_there_stay() -> None:
    counted = {"bn.num_batches_tracked": torch.tensor(5)}
    assert same(state_dict.with_batch_counts(counted, counted), counted)
