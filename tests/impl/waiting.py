"""Waiting for what happens on another OS thread; every wait has an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within two seconds."""
    until = time.monotonic() + 2
    while not condition() and time.monotonic() < until:
        time.sleep(0.001)
    return condition()
