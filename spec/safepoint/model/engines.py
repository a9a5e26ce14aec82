"""Which search runs: the reference of `explore`, or the one of `arrays` where numpy is installed.  They find the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from safepoint.model import explore
from safepoint.model.explore import Judge, NotExplored, Result
from safepoint.model.system import Model

ENGINES = ("auto", "python", "numpy")

SMALL = 20_000
"""States up to which arrays do not pay: a level of a small model has fewer states than numpy needs to be worth its calls."""


class NoEngine(Exception):
    """The engine that was asked for is not here: says what to install."""


class Search(Protocol):
    def __call__(
        self, model: Model, judge: Judge, most: int = ..., progress: Callable[[int, int], None] | None = ...
    ) -> Result: ...


def engine(name: str = "auto") -> Search:
    """One of ENGINES.  Raises NoEngine."""
    if name == "numpy":
        return _arrays()
    return explore.search if name == "python" else _growing


def _arrays() -> Search:
    """Raises NoEngine."""
    try:
        from safepoint.model.fast import search as arrays  # noqa: PLC0415  # numpy is optional, and slow to import
    except ImportError as error:
        raise NoEngine(f"no numpy here: {error} (pip install numpy, or: --engine python)") from None
    return arrays.search


def said_slow() -> str:
    """That large models are searched by the reference, where numpy is missing, and how to have it faster; "": it is not."""
    try:
        _arrays()
    except NoEngine as missing:
        said = str(missing).partition(" (")[0]
        return f"{said} (pip install numpy): the reference search explores the scopes of more than {SMALL:,} states too"
    return ""


def _growing(
    model: Model, judge: Judge, most: int = 5_000_000, progress: Callable[[int, int], None] | None = None
) -> Result:
    """The reference, until the model turns out to be large.  What it has worked out of the text is not worked out again."""
    began = time.perf_counter()
    try:
        return explore.search(model, judge, min(most, SMALL), progress)
    except NotExplored:
        if most <= SMALL:
            raise
    try:
        large = _arrays()
    except NoEngine:
        large = explore.search
    result = large(model, judge, most, progress)
    result.seconds = time.perf_counter() - began
    return result
