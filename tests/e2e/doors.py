"""Every door of both servers, each as one function from photos to the best classes of each.

The gRPC doors are entered with kserve's own generated client, the REST ones with plain httpx and hand-made bodies, so
that nothing of our codec checks itself.
"""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import httpx
import numpy as np
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from numpy.typing import NDArray

from tests.e2e.photos import Reference, Sample
from tests.e2e.processes import Pair

Best = list[tuple[int, float]]
"""Class and probability, best first."""

TIMEOUT = 60


class Doors:
    """The doors of one pair. `photo_url` tells where a sample can be fetched."""

    def __init__(self, pair: Pair, reference: Reference, photo_url: Callable[[Sample], str]) -> None:
        self.pair = pair
        self.reference = reference
        self.photo_url = photo_url

    def single(self, top_k: int) -> dict[str, Callable[[Sample], Best]]:
        """The plain doors, which take one photo."""
        url = self.pair.transformer.url

        def multipart(sample: Sample) -> Best:
            form = {"file": ("photo", sample.data)}
            return _plain(httpx.post(f"{url}/predict", files=form, data={"top_k": str(top_k)}, timeout=TIMEOUT))

        def raw(sample: Sample) -> Best:
            headers = {"content-type": "image/png"}
            query = {"top_k": top_k}
            answer = httpx.post(f"{url}/predict", content=sample.data, params=query, headers=headers, timeout=TIMEOUT)
            return _plain(answer)

        def link(sample: Sample) -> Best:
            body = {"url": self.photo_url(sample), "top_k": top_k}
            return _plain(httpx.post(f"{url}/predict/url", json=body, timeout=TIMEOUT))

        return {"/predict multipart": multipart, "/predict raw body": raw, "/predict/url": link}

    def batch(self, top_k: int) -> dict[str, Callable[[Sequence[Sample]], list[Best]]]:
        """The doors that take several photos."""
        return {
            "transformer V1 image": lambda s: self._v1([{"image": {"b64": _b64(each)}} for each in s], top_k),
            "transformer V1 image_bytes": lambda s: self._v1(
                [{"image_bytes": {"b64": _b64(each)}} for each in s], top_k
            ),
            "transformer V1 url": lambda s: self._v1([{"url": self.photo_url(each)} for each in s], top_k),
            "transformer V2 JSON": lambda s: self._v2_json("image", [_b64(each) for each in s], top_k),
            "transformer V2 url": lambda s: self._v2_json("url", [self.photo_url(each) for each in s], top_k),
            "transformer V2 binary": lambda s: self._v2_binary(s, top_k),
            "transformer gRPC": lambda s: self._transformer_grpc(s, top_k),
            "predictor V1": lambda s: self._predictor_v1(s, top_k),
            "predictor V2 JSON": lambda s: self._predictor_v2_json(s, top_k),
            "predictor V2 binary": lambda s: self._predictor_v2_binary(s, top_k),
            "predictor gRPC": lambda s: self._predictor_grpc(s, top_k),
            "predictor gRPC classification": lambda s: self._predictor_classification(s, top_k),
        }

    def _v1(self, instances: list[dict[str, Any]], top_k: int) -> list[Best]:
        body = {"instances": instances, "parameters": {"top_k": top_k}}
        answer = httpx.post(self._v1_url(self.pair.transformer.url), json=body, timeout=TIMEOUT)
        return [_named(row) for row in _ok(answer).json()["predictions"]]

    def _v2_json(self, name: str, data: list[str], top_k: int) -> list[Best]:
        tensor = {"name": name, "datatype": "BYTES", "shape": [len(data)], "data": data}
        body = {"inputs": [tensor], "parameters": {"top_k": top_k}}
        answer = httpx.post(self._v2_url(self.pair.transformer.url), json=body, timeout=TIMEOUT)
        outputs = {output["name"]: output for output in _ok(answer).json()["outputs"]}
        assert outputs["label"]["shape"] == [len(data), top_k]
        flat = list(zip(outputs["class_id"]["data"], outputs["confidence"]["data"], strict=True))
        return [flat[start : start + top_k] for start in range(0, len(flat), top_k)]

    def _v2_binary(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        raw = b"".join(len(sample.data).to_bytes(4, "little") + sample.data for sample in samples)
        tensor: dict[str, Any] = {"name": "image", "datatype": "BYTES", "shape": [len(samples)]}
        tensor["parameters"] = {"binary_data_size": len(raw)}
        head = {"inputs": [tensor], "parameters": {"top_k": top_k, "binary_data_output": True}}
        arrays = self._binary(self.pair.transformer.url, head, raw)
        classes = np.frombuffer(arrays["class_id"], np.int64).reshape(len(samples), top_k)
        confidences = np.frombuffer(arrays["confidence"], np.float32).reshape(len(samples), top_k)
        return _zipped(classes, confidences)

    def _transformer_grpc(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[len(samples)])
        tensor.contents.bytes_contents.extend(sample.data for sample in samples)
        request = pb.ModelInferRequest(model_name=self.pair.model, inputs=[tensor])
        request.parameters["top_k"].int64_param = top_k
        response = _infer(self.pair.transformer.grpc, request)
        raw = {output.name: response.raw_output_contents[index] for index, output in enumerate(response.outputs)}
        classes = np.frombuffer(raw["class_id"], np.int64).reshape(len(samples), top_k)
        return _zipped(classes, np.frombuffer(raw["confidence"], np.float32).reshape(len(samples), top_k))

    def _predictor_v1(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        body = {"instances": [self.reference.tensor(sample.rgb).tolist() for sample in samples]}
        answer = httpx.post(self._v1_url(self.pair.predictor.url), json=body, timeout=TIMEOUT)
        return _best(np.array(_ok(answer).json()["predictions"]), top_k)

    def _predictor_v2_json(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        pixels = self._pixels(samples)
        tensor = {"name": "image", "datatype": "UINT8", "shape": pixels.shape, "data": pixels.ravel().tolist()}
        answer = httpx.post(self._v2_url(self.pair.predictor.url), json={"inputs": [tensor]}, timeout=TIMEOUT)
        (output,) = _ok(answer).json()["outputs"]
        return _best(np.array(output["data"]).reshape(output["shape"]), top_k)

    def _predictor_v2_binary(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        pixels = self._pixels(samples)
        tensor: dict[str, Any] = {"name": "image", "datatype": "UINT8", "shape": pixels.shape}
        tensor["parameters"] = {"binary_data_size": pixels.nbytes}
        head = {"inputs": [tensor], "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
        raw = self._binary(self.pair.predictor.url, head, pixels.tobytes())["probabilities"]
        return _best(np.frombuffer(raw, np.float32).reshape(len(samples), -1), top_k)

    def _predictor_grpc(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        response = _infer(self.pair.predictor.grpc, self._tensor_message(samples))
        return _best(np.frombuffer(response.raw_output_contents[0], np.float32).reshape(len(samples), -1), top_k)

    def _predictor_classification(self, samples: Sequence[Sample], top_k: int) -> list[Best]:
        request = self._tensor_message(samples)
        output = pb.ModelInferRequest.InferRequestedOutputTensor(name="probabilities")
        output.parameters["classification"].int64_param = top_k
        request.outputs.append(output)
        entries = _strings(_infer(self.pair.predictor.grpc, request).raw_output_contents[0])
        flat = [(int(index), float(value)) for value, index, _ in (entry.split(":", 2) for entry in entries)]
        return [flat[start : start + top_k] for start in range(0, len(flat), top_k)]

    def _tensor_message(self, samples: Sequence[Sample]) -> Any:
        pixels = self._pixels(samples)
        tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=pixels.shape)
        return pb.ModelInferRequest(model_name=self.pair.model, inputs=[tensor], raw_input_contents=[pixels.tobytes()])

    def _binary(self, url: str, head: dict[str, Any], raw: bytes) -> dict[str, bytes]:
        """The binary outputs of a request whose JSON part is `head` and whose tensor is `raw`."""
        text = json.dumps(head).encode()
        headers = {"inference-header-content-length": str(len(text))}
        answer = _ok(httpx.post(self._v2_url(url), content=text + raw, headers=headers, timeout=TIMEOUT))
        length = int(answer.headers["inference-header-content-length"])
        rest, arrays = answer.content[length:], {}
        for output in json.loads(answer.content[:length])["outputs"]:
            size = output["parameters"]["binary_data_size"]
            arrays[output["name"]], rest = rest[:size], rest[size:]
        assert rest == b""
        return arrays

    def _pixels(self, samples: Sequence[Sample]) -> NDArray[np.uint8]:
        return np.stack([self.reference.tensor(sample.rgb) for sample in samples])

    def _v1_url(self, url: str) -> str:
        return f"{url}/v1/models/{self.pair.model}:predict"

    def _v2_url(self, url: str) -> str:
        return f"{url}/v2/models/{self.pair.model}/infer"


def _infer(address: str, request: Any) -> Any:
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        return GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=TIMEOUT)


def _ok(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    return answer


def _plain(answer: httpx.Response) -> Best:
    return _named(_ok(answer).json()["predictions"])


def _named(row: list[dict[str, Any]]) -> Best:
    assert all(prediction["label"] for prediction in row)
    return [(prediction["class_id"], prediction["confidence"]) for prediction in row]


def _best(probabilities: NDArray[Any], top_k: int) -> list[Best]:
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
    return _zipped(order, np.take_along_axis(probabilities, order, axis=1))


def _zipped(classes: NDArray[Any], values: NDArray[Any]) -> list[Best]:
    return [list(zip(*row, strict=True)) for row in zip(classes.tolist(), values.tolist(), strict=True)]


def _strings(raw: bytes) -> list[str]:
    found = []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        found.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    return found


def _b64(sample: Sample) -> str:
    return base64.b64encode(sample.data).decode()
