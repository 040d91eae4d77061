"""Triton's own Python clients against one of our servers: a program, for they and kserve register the same messages.

`python -m tests.e2e.triton_client <http address> <grpc address> <model> <predictor|transformer> <file>`. The file is an
encoded photo for a transformer; for a predictor its pixels as `.npy`, UINT8 `[1, 224, 224, 3]`. Prints one line of JSON
for each check of each client: what the client was given, or why it could not go on.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.e2e.triton_forms import (
    CLIENTS,
    Client,
    answer,
    at_once,
    compressed_both_ways,
    compressed_on_the_wire,
    names,
    subject,
)

Check = Callable[[Client], Awaitable[Any]]
CHECKS: dict[str, Check] = {}
OF_HTTP: dict[str, Check] = {}
"""Checks of what only the HTTP clients have."""


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def of_http(function: Check) -> Check:
    OF_HTTP[function.__name__] = function
    return function


@check
async def health(client: Client) -> Any:
    model, version = client.subject.model, await client.version()
    asked: list[tuple[str, ...]] = [
        ("is_server_live",),
        ("is_server_ready",),
        ("is_model_ready", model),
        ("is_model_ready", model, version),
    ]
    return [await client.call(*each) for each in asked]


@check
async def server_metadata(client: Client) -> Any:
    return await client.document("get_server_metadata")


@check
async def model_metadata(client: Client) -> Any:
    model, version = client.subject.model, await client.version()
    return [await client.document("get_model_metadata", model, each) for each in ("", version)]


@check
async def model_config(client: Client) -> Any:
    answer = await client.document("get_model_config", client.subject.model, await client.version())
    return answer if client.is_http else answer["config"]


@check
async def repository_index(client: Client) -> Any:
    answer = await client.document("get_model_repository_index")
    return answer if client.is_http else answer["models"]


@check
async def statistics(client: Client) -> Any:
    """Before and after a request of two photos and one that is refused; last those of all models."""
    before = await client.document("get_inference_statistics", client.subject.model, await client.version())
    await client.infer(inputs=[client.image(2)])
    await client.refused("infer", client.subject.model, [client.image(name="cat")])
    after = await client.document("get_inference_statistics", client.subject.model, await client.version())
    everything = await client.document("get_inference_statistics")
    return {"before": before, "after": after, "everything": everything}


@check
async def infer(client: Client) -> Any:
    """Binary in; without a list of outputs Triton's client asks for all of them, in binary."""
    result = await client.infer()
    return {"best": client.best(result), "outputs": names(client, result)}


@check
async def infer_a_batch(client: Client) -> Any:
    return client.best(await client.infer(inputs=[client.image(3)]))


@check
async def infer_named_outputs(client: Client) -> Any:
    result = await client.infer(outputs=client.every_output()[::-1])
    return {"best": client.best(result), "outputs": names(client, result)}


@check
async def infer_one_output(client: Client) -> Any:
    outputs = [client.library.InferRequestedOutput(client.subject.numbers)]
    return names(client, await client.infer(outputs=outputs))


@check
async def infer_a_version(client: Client) -> Any:
    version = await client.version()
    return [version, answer(client, await client.infer(model_version=version))["model_version"]]


@check
async def class_count(client: Client) -> Any:
    outputs = [client.library.InferRequestedOutput(client.subject.numbers, class_count=3)]
    rows = (await client.infer(outputs=outputs)).as_numpy(client.subject.numbers)
    return [[entry.decode() for entry in row] for row in rows]


@check
async def request_id(client: Client) -> Any:
    given, absent = await client.infer(request_id="a cat, 1"), await client.infer()
    return [answer(client, given)["id"], answer(client, absent).get("id")]


@check
async def tritons_own_parameters(client: Client) -> Any:
    """The client sends priority, timeout and sequence as parameters, which a server may ignore."""
    return client.best(await client.infer(priority=1, timeout=9_000_000, sequence_id=7, sequence_start=True))


@check
async def asynchronous(client: Client) -> Any:
    """Four requests, all sent before an answer is read: the id of each, and its best classes."""
    results = await at_once(client, client.subject.model, ["one", "two", "three", "four"])
    return {answer(client, result)["id"]: client.best(result) for result in results}


@check
async def asynchronous_refusal(client: Client) -> Any:
    (error,) = await at_once(client, "dogs", ["one"])
    return {"status": error.status(), "message": error.message()}


@check
async def unknown_model(client: Client) -> Any:
    refused = {
        method: await client.refused(method, "dogs")
        for method in ("get_model_metadata", "get_model_config", "get_inference_statistics")
    }
    return refused | {"infer": await client.refused("infer", "dogs", [client.image()])}


@check
async def unknown_version(client: Client) -> Any:
    model = client.subject.model
    refused = {
        method: await client.refused(method, model, "9")
        for method in ("get_model_metadata", "get_model_config", "get_inference_statistics")
    }
    return refused | {"infer": await client.refused("infer", model, [client.image()], model_version="9")}


@check
async def readiness_of_the_unknown(client: Client) -> Any:
    """Over HTTP a client makes False of any refusal."""
    asked = [("dogs",), (client.subject.model, "9")]
    if client.is_http:
        return [await client.call("is_model_ready", *each) for each in asked]
    return [(await client.refused("is_model_ready", *each))["status"] for each in asked]


@check
async def unknown_input(client: Client) -> Any:
    return await client.refused("infer", client.subject.model, [client.image(name="cat")])


@check
async def unknown_output(client: Client) -> Any:
    outputs = [client.library.InferRequestedOutput("cat")]
    return await client.refused("infer", client.subject.model, [client.image()], outputs=outputs)


@check
async def not_offered(client: Client) -> Any:
    asked = [
        ("load_model", client.subject.model),
        ("unload_model", client.subject.model),
        ("get_system_shared_memory_status",),
        ("get_cuda_shared_memory_status",),
        ("get_trace_settings",),
        ("get_log_settings",),
    ]
    return {method: await client.refused(method, *arguments) for method, *arguments in asked}


@check
async def shared_memory(client: Client) -> Any:
    """Of the input, and of an output; the client needs no such memory to name it."""
    shared, output = client.image(), client.library.InferRequestedOutput(client.subject.numbers)
    shared.set_shared_memory("pixels", 150_528, offset=8)
    output.set_shared_memory("classes", 4000)
    model = client.subject.model
    return {
        "input": await client.refused("infer", model, [shared]),
        "output": await client.refused("infer", model, [client.image()], outputs=[output]),
    }


@check
async def compression(client: Client) -> Any:
    both_ways = compressed_both_ways if client.is_http else compressed_on_the_wire
    return [await both_ways(client, algorithm) for algorithm in ("gzip", "deflate")]


@of_http
async def json_in_and_out(client: Client) -> Any:
    outputs = client.every_output(binary_data=False)
    return client.best(await client.infer(inputs=[client.image(binary_data=False)], outputs=outputs))


@of_http
async def json_in_and_binary_out(client: Client) -> Any:
    return client.best(await client.infer(inputs=[client.image(binary_data=False)]))


@of_http
async def binary_in_and_json_out(client: Client) -> Any:
    return client.best(await client.infer(outputs=client.every_output(binary_data=False)))


@of_http
async def class_count_in_json(client: Client) -> Any:
    numbers = client.subject.numbers
    outputs = [client.library.InferRequestedOutput(numbers, binary_data=False, class_count=3)]
    return (await client.infer(outputs=outputs)).get_output(numbers)["data"]


async def run(http_address: str, grpc_address: str, model: str, kind: str, file: str) -> None:
    for name in CLIENTS:
        client = Client(
            name, http_address if name.startswith("http") else grpc_address, subject(model, kind, Path(file))
        )
        for check_name, function in (CHECKS | (OF_HTTP if client.is_http else {})).items():
            (outcome,) = await asyncio.gather(function(client), return_exceptions=True)
            failed = isinstance(outcome, BaseException)
            line = {"client": name, "check": check_name} | ({"failed": repr(outcome)} if failed else {"given": outcome})
            sys.stdout.write(json.dumps(line) + "\n")
        await client.close()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
