"""Progress on a terminal; on standard error in any case."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from safepoint.verify.workers import unheard

OFTEN = 10
"""Seconds between two lines on a section or search, at least, where standard error is no terminal."""


class LiveProgress:
    """A `Progress` that shows a line for each section while it runs; where standard error is no terminal, one now and then."""

    def __init__(self) -> None:
        self._err = err = Console(stderr=True, emoji=False)
        self._live = Progress(
            TextColumn("{task.description:24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=err,
            disable=not err.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        with unheard():  # by its thread
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @contextmanager
    def section(self, name: str, total: int) -> Iterator[Callable[[str], None]]:
        """Give what is called after each of `total` items, with a word about it."""
        task = self._live.add_task(name, total=total, detail="")
        began, last, so_far = time.monotonic(), "", 0
        said, ended = began, threading.Event()

        def done(detail: str) -> None:
            nonlocal last, so_far, said
            last, so_far = detail, so_far + 1
            self._live.update(task, advance=1, detail=detail)
            if not self._err.is_terminal and time.monotonic() - said > OFTEN and so_far < total:
                said = time.monotonic()
                self._err.print(f"{name}: {so_far} of {total}; last: {last}", highlight=False, soft_wrap=True)

        def waits() -> None:
            """Say so where the first item takes long: no other thread does before its end."""
            while not ended.wait(OFTEN):
                if so_far == 0:
                    after = f"{time.monotonic() - began:.0f} s"
                    self._err.print(f"{name}: 0 of {total} after {after}", highlight=False, soft_wrap=True)

        if not self._err.is_terminal:
            with unheard():
                threading.Thread(target=waits, name="progress", daemon=True).start()
        try:
            yield done
        finally:
            ended.set()
        if not self._err.is_terminal:
            whole = f"{name}: {total} done in {time.monotonic() - began:.0f} s; last: {last}"
            self._err.print(whole, highlight=False, soft_wrap=True)

    @contextmanager
    def search(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Give what is called after each level of a search: (states found, states not expanded yet)."""
        task, said = self._live.add_task(name, total=None, detail=""), time.monotonic()

        def tell(states: int, frontier: int) -> None:
            nonlocal said
            detail = f"{states:,} states, frontier {frontier:,}"
            self._live.update(task, detail=detail)
            if not self._err.is_terminal and time.monotonic() - said > OFTEN:
                said = time.monotonic()
                self._err.print(f"{name}: {detail}", highlight=False, soft_wrap=True)

        yield tell
