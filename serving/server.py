"""Our server over kserve's: own HTTP and gRPC ports, one written order to start and one to stop.

kserve's server classes are closed where it matters here: a fixed uvicorn configuration, a fixed gRPC servicer, the
asyncio loop whatever was asked for, and outgoing clients closed before the requests that need them.
"""

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import uvloop
from fastapi import FastAPI
from kserve.model import BaseKServeModel
from kserve.model_repository import ModelRepository
from kserve.model_server import ModelServer as KServeModelServer
from kserve.predictor_config import PredictorConfig

from serving import openapi_operations, openapi_v1, openapi_v2
from serving.access import AccessLog
from serving.dataplane import DataPlane
from serving.http import HttpServer
from serving.model import ServedModel
from serving.openapi import describe
from serving.operations import operations_router
from serving.process import StartError
from serving.recorder import Recorder
from serving.responses import add_error_handlers
from serving.rpc import INFER_METHOD, RpcServer
from serving.settings import ServerSettings
from serving.v1 import PREDICT_ROUTE, v1_router
from serving.v2 import INFER_ROUTES, V2Doors

if TYPE_CHECKING:
    from serving.tracing import Tracer

logger = logging.getLogger(__name__)


class ModelServer(KServeModelServer):
    """Serves one model on REST and gRPC from start to stop.

    `app` gets our doors when it starts; a server with doors of its own adds them before, with `app.include_router`,
    calling `plane`: they are looked at first.
    """

    def __init__(self, settings: ServerSettings, app: FastAPI) -> None:
        super().__init__(
            http_port=settings.http_port,
            grpc_port=settings.grpc_port,
            workers=settings.workers,
            registered_models=ModelRepository(),
            predictor_config=PredictorConfig("", "grpc-v2"),
        )
        self.settings = settings
        self.app = app
        self.plane = DataPlane(self.registered_models, settings.max_in_flight)
        self.dataplane = self.plane
        self.recorder = Recorder(self.plane, settings.revision)
        self.tracer = _tracer(settings)
        self._stop_requested = asyncio.Event()

    def start(self, models: list[BaseKServeModel]) -> None:
        """Serve one model until SIGTERM or SIGINT; return when the last accepted request has been answered.

        Raises StartError before anything listens, and whatever the model raises while it opens.
        """
        (model,) = models
        if not isinstance(model, ServedModel):
            raise TypeError(f"models: expected a ServedModel, got {type(model).__name__}")
        self.register_model(model)
        self.add_doors()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(model))

    def stop(self, sig: int) -> None:
        """Ask the server to stop; a second signal changes nothing."""
        logger.info("stopping on %s", signal.Signals(sig).name)
        self._stop_requested.set()

    async def _run(self, model: ServedModel) -> None:
        self._handle_signals()
        http = HttpServer(self.app, self.settings)
        rpc = RpcServer(self.plane, self.settings, self.recorder, self.tracer)
        http.start()
        await rpc.start()
        logger.info("listening on %s, REST %d, gRPC %d", self.settings.host, self.http_port, self.grpc_port)
        self.recorder.begin()
        opening = asyncio.create_task(model.open())
        lag = asyncio.create_task(self.recorder.watch_event_loop())
        stopping = asyncio.create_task(self._stop_requested.wait())
        try:
            await asyncio.wait((opening, stopping), return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
                await stopping
        finally:
            await self._shut_down(model, opening, lag, http, rpc)

    async def _shut_down(
        self,
        model: ServedModel,
        opening: asyncio.Task[None],
        lag: asyncio.Task[None],
        http: HttpServer,
        rpc: RpcServer,
    ) -> None:
        """The one order of stopping: what is needed to answer an accepted request goes last."""
        self.plane.draining = True  # 1. not ready: nobody sends more
        await asyncio.sleep(self.settings.drain_delay_seconds)  # 2. until everybody has noticed
        opening.cancel()  # 3. a model still opening will not be needed
        await asyncio.gather(http.stop(), rpc.stop())  # 4. close the ports, answer what was accepted
        await model.close()  # 5. engine thread, outgoing connections
        lag.cancel()  # 6. nobody asks any more
        if self.tracer:
            await self.tracer.close()  # 7. the last spans
        logger.info("stopped")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self.stop, sig)

    def add_doors(self) -> None:
        """Give the application the doors of every server."""
        plane, settings = self.plane, self.settings
        self.app.router.redirect_slashes = False  # a redirect would trust the Host header
        self.app.include_router(v1_router(plane, settings.max_json_size))
        self.app.include_router(V2Doors(plane, settings.max_request_size, settings.max_json_size).router())
        self.app.include_router(operations_router(plane, self.recorder, settings.model_name))
        add_error_handlers(self.app)
        describe(self.app, {**openapi_v1.SCHEMAS, **openapi_v2.SCHEMAS, **openapi_operations.SCHEMAS})
        self.app.add_middleware(
            AccessLog,
            request_timeout_seconds=settings.request_timeout_seconds,
            recorder=self.recorder,
            tracer=self.tracer,
        )
        for route in (PREDICT_ROUTE, *INFER_ROUTES):
            self.recorder.expect("POST", route)
        self.recorder.expect("grpc", INFER_METHOD)


def _tracer(settings: ServerSettings) -> "Tracer | None":
    """None without an endpoint, and then nothing of OpenTelemetry's SDK is loaded."""
    if not settings.otel_exporter_otlp_endpoint:
        return None
    try:
        from serving.tracing import Tracer
    except ModuleNotFoundError as error:
        wanted = "expected OpenTelemetry installed (the extra 'tracing'), found none"
        raise StartError(f"otel_exporter_otlp_endpoint: {wanted}") from error
    return Tracer(settings)
