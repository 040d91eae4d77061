"""A form with a photo, kept in memory: its size is bounded while it comes, and a detour over a disk takes longer."""

from contextlib import aclosing

from fastapi import Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from oip.errors import mismatch
from serving.errors import BadInput

MAX_FIELDS = 8


class _InMemory(MultiPartParser):
    """Starlette's writes what is over a megabyte to a file, each piece of it from a thread."""

    spool_max_size = 0  # no limit of its own


async def read_form(request: Request, max_field_bytes: int) -> FormData:
    """The fields of a bounded multipart request, at most one of them a file; raises InvalidRequest or BadInput."""
    try:
        async with aclosing(request.stream()) as stream:
            return await _InMemory(
                request.headers, stream, max_files=1, max_fields=MAX_FIELDS, max_part_size=max_field_bytes
            ).parse()
    except MultiPartException as error:
        raise BadInput(error.message) from error
    except UnicodeError as error:  # a charset that Python knows, but that decodes nothing
        raise mismatch("charset of the form", "utf-8", "another") from error
