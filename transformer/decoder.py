"""Threads that turn encoded photos into the predictor's input; as many photos at once as there are threads."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from oip.contract import Preprocessing
from serving.errors import BadInput, TooLarge
from transformer.image import ImageLimits, decode
from transformer.preprocessing import prepare
from transformer.request import Base64Photo, Photo


class Decoder:
    """Memory stays under threads x `limits.max_pixels`: a photo waits until a thread is free."""

    def __init__(self, threads: int, limits: ImageLimits, max_bytes: int) -> None:
        self._limits = limits
        self._max_bytes = max_bytes
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")

    async def batch(self, photos: Sequence[Photo | Base64Photo], preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """UINT8 `[N, crop, crop, 3]`, in the order given; raises the error of the first photo that cannot be read."""
        batch = np.empty((len(photos), preprocessing.crop, preprocessing.crop, 3), np.uint8)

        def work(index: int, photo: Photo | Base64Photo) -> None:
            batch[index] = prepare(decode(self._content(photo), self._limits, photo.field), preprocessing)

        loop = asyncio.get_running_loop()
        futures = [loop.run_in_executor(self._executor, work, *item) for item in enumerate(photos)]
        try:
            for future in futures:
                await future
        finally:
            for future in futures:
                future.cancel()
        return batch

    async def close(self) -> None:
        await asyncio.to_thread(self._executor.shutdown)

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
