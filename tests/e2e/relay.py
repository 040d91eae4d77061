"""A gRPC proxy as a mesh has it: its clients keep their connection while another server answers behind it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc


class Relay(grpc.GenericRpcHandler):
    """Every call of one message goes to `target`, a host and port that may be changed at any time."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.calls: list[str] = []
        """Methods that were called, by their last name."""
        self._server = grpc.server(ThreadPoolExecutor(4), handlers=[self], options=[("grpc.so_reuseport", 0)])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        self._server.start()
        try:
            yield self
        finally:
            self._server.stop(None).wait()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        path = str(handler_call_details.method)

        def forward(content: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.append(path.rpartition("/")[2])
            with grpc.insecure_channel(self.target) as channel:
                method: Any = channel.unary_unary(path)
                try:
                    answer, call = method.with_call(content, timeout=30, metadata=context.invocation_metadata())
                except grpc.RpcError as error:
                    refusal: Any = error
                    context.set_trailing_metadata(refusal.trailing_metadata())
                    context.abort(refusal.code(), refusal.details())
                context.set_trailing_metadata(call.trailing_metadata())
                return bytes(answer)

        return grpc.unary_unary_rpc_method_handler(forward)
