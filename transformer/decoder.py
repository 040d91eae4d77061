"""Threads that turn encoded photos into the predictor's input; as many photos at once as there are threads."""

import asyncio
import base64
import binascii
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oip.contract import Preprocessing
from serving.errors import BadInput, TooLarge
from serving.timeline import Timeline
from transformer import metrics
from transformer.image import ImageLimits, Picture, decode
from transformer.preprocessing import enough, prepare
from transformer.request import Base64Photo, Photo

Decode = Literal["exact", "fast"]
"""exact: the pixels that torchvision's preset makes of a photo. fast: the same of a photo whose shorter edge is below
four times what it is resized to; of a larger JPEG, decoded at a fraction of its size, nearly the same."""


class Decoder:
    """No more photos than there are threads are decoded at once, which bounds the pixels in memory."""

    def __init__(self, threads: int, limits: ImageLimits, max_bytes: int, mode: Decode) -> None:
        self._mode = mode
        self._limits = limits
        self._max_bytes = max_bytes
        self._threads = threads
        self._unfinished = 0
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")

    async def decode(
        self, photo: Photo | Base64Photo, preprocessing: Preprocessing, pixels: NDArray[np.uint8], timeline: Timeline
    ) -> None:
        """Fill `pixels`, UINT8 `[crop, crop, 3]`, RGB; raises the leaf of the error tree that says what is wrong.

        The timeline's `queue` is the wait for a thread, `decode` and `preprocess` the work.
        """
        queued = time.monotonic()

        def work() -> None:
            timeline.add("queue", queued, time.monotonic())
            with timeline.of("decode"):
                picture = self._decoded(photo, preprocessing)
            with timeline.of("preprocess"):
                pixels[...] = prepare(picture, preprocessing, photo.field)

        self._unfinished += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._unfinished -= 1

    @property
    def waiting(self) -> int:
        """Photos that wait for a thread now."""
        return max(0, self._unfinished - self._threads)

    async def close(self) -> None:
        await asyncio.to_thread(self._executor.shutdown)

    def _decoded(self, photo: Photo | Base64Photo, preprocessing: Preprocessing) -> Picture:
        content = self._content(photo)
        least = enough(preprocessing) if self._mode == "fast" else None
        picture = decode(content, self._limits, photo.field, least)
        metrics.IMAGE_BYTES.observe(len(content))
        metrics.IMAGE_PIXELS.observe(picture.size[0] * picture.size[1])
        return picture

    def _content(self, photo: Photo | Base64Photo) -> bytes:
        encoded = isinstance(photo, Base64Photo)
        size = len(photo.text) * 3 // 4 if isinstance(photo, Base64Photo) else len(photo.data)
        if size > self._max_bytes:
            raise TooLarge(f"{photo.field}: expected at most {self._max_bytes} bytes, got {'about ' * encoded}{size}")
        return _from_base64(photo) if isinstance(photo, Base64Photo) else photo.data


def _from_base64(photo: Base64Photo) -> bytes:
    try:
        return base64.b64decode(photo.text, validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: a string that is not ASCII
        raise BadInput(f"{photo.field}: expected base64 (RFC 4648, section 4), got something else") from error
