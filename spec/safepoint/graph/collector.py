"""Python's collector of cycles, while graphs are executed: what is made lives to the end, and would be looked through again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_collected(after: int) -> Iterator[None]:
    """It begins when `after` objects are new, in place of Python's 700.  Also a decorator."""
    before = gc.get_threshold()
    gc.set_threshold(after, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
