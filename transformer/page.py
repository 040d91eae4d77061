"""The page at `/ui`: drop a photo or paste its address, see its best classes."""

from pathlib import Path

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

_PAGE = Path(__file__).with_name("page.html")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob:; connect-src 'self'"
"""The page is one file that loads nothing and talks to this server alone."""


def page_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/ui")
    async def page() -> Response:
        return FileResponse(_PAGE, headers={"content-security-policy": _POLICY}, media_type="text/html")

    return router
