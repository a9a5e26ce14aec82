"""A process that runs what may hang or die, so that the tests do neither."""

from __future__ import annotations

import multiprocessing
import resource
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Self

MEMORY = 8 << 30
"""Bytes of address space that it may have."""


class Lost(Exception):
    """It has hung, or died."""


def serve(requests: Connection) -> None:
    """In the child: do what the parent asks for, until it asks no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        try:
            function, arguments = requests.recv()
        except EOFError:
            return
        try:
            answer = True, function(*arguments)
        except BaseException:  # noqa: BLE001 (whatever it was, the parent is to say so)
            answer = False, traceback.format_exc()
        requests.send(answer)


class Child:
    """Calls functions in another process; a new one is started when it is lost.  `bound`: seconds that each may take."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self._process: multiprocessing.process.BaseProcess | None = None

    def __call__(self, function: Callable[..., Any], *arguments: object) -> Any:
        """What a function of some module gives.  AssertionError, with its traceback: it has raised.  Lost."""
        if self._process is None:
            self._start()
        try:
            self._requests.send((function, arguments))
            if not self._requests.poll(self.bound):
                raise Lost(f"no answer after {self.bound} seconds")
            good, answer = self._requests.recv()
        except (EOFError, ConnectionError, Lost) as error:
            raise Lost(f"{error or 'it died'} (exit code {self.end()})") from None
        assert good, answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._requests, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def end(self) -> int | None:
        """Its exit code; None: there was none."""
        if self._process is None:
            return None
        self._requests.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        code, self._process = self._process.exitcode, None
        return code
