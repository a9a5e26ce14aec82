"""Waiting for what happens on another OS thread; every wait has an end."""

from __future__ import annotations

import time
from collections.abc import Callable

SOON = 2.0
"""Seconds, for what happens unless something is wrong."""
LOOK = 0.0002
"""Seconds between two looks: meanwhile the guest's loops take the cores."""
NEVER = 0.5
"""Seconds, for what a mistake put in keeps from ever happening: a loop without its check takes a core until they are over."""


def soon(condition: Callable[[], bool], seconds: float = SOON) -> bool:
    """Whether it comes true within these seconds."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(LOOK)
    return condition()
