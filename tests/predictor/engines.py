"""An engine whose answer tells which image it was given."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.engine import Engine


class Echo(Engine):
    """Class `images[n, 0, 0, 0]` gets probability 1. Notes its threads; waits while `open` is cleared."""

    name = "echo"
    precision = "float32"

    def __init__(self, classes: int = 256) -> None:
        self.classes = classes
        self.open = threading.Event()
        self.open.set()
        self.calls: list[int] = []
        self.threads: set[str] = set()

    def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls.append(int(images[0, 0, 0, 0]))
        self.threads.add(threading.current_thread().name)
        self.open.wait(10)
        return np.eye(self.classes, dtype=np.float32)[images[:, 0, 0, 0]]

    def describe(self) -> dict[str, Any]:
        return {"name": self.name}


def image(number: int) -> NDArray[np.uint8]:
    return np.full((1, 4, 4, 3), number, np.uint8)
