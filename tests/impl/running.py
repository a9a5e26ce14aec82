"""Guest programs from source, on OS threads, with what they print and what ends them; every wait has an end."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from safepoint.guest.compiler.program import compile_program
from safepoint_vm.generate.engine import Variant
from safepoint_vm.memory.heap import Statistics
from safepoint_vm.threads.vm import Vm

FILE = "guest.py"
LONG = 20.0  # seconds until a test gives up

IMPORTS = """
from threading import Thread, Lock
from time import sleep
"""

STARTED = """
def all_of(f, arguments):
    threads = []
    for a in arguments:
        threads.append(Thread(target=f, args=(a,)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""


class Ran:
    """What a program has printed and said when all its threads have ended; `error`: what ended the main one."""

    def __init__(self, vm: Vm, output: io.StringIO, errors: io.StringIO) -> None:
        self._vm, self._output, self._errors = vm, output, errors
        self.running = vm.start()

    def wait(self) -> Ran:
        assert self.running.done.wait(LONG), "the main thread does not end"
        self.outcome = self.running.outcome()
        ending = threading.Thread(target=self._vm.finish, daemon=True)
        ending.start()
        ending.join(LONG)
        assert not ending.is_alive(), "a thread does not end"
        return self

    @property
    def output(self) -> str:
        return self._output.getvalue()

    @property
    def errors(self) -> str:
        return self._errors.getvalue()

    @property
    def error(self) -> str:
        return str(self.outcome.fault or "")

    @property
    def statistics(self) -> Statistics:
        return self.outcome.stats


@contextmanager
def begun(
    source: str, heap: int = 1 << 20, stress: bool = False, mutant: str = "", imports: str = ""
) -> Iterator[tuple[Vm, Ran]]:
    output, errors = io.StringIO(), io.StringIO()
    program = compile_program(imports + IMPORTS + STARTED + source, FILE)
    with Vm(program, output, 4096, Variant(mutant=mutant), heap, stress, errors) as vm:
        yield vm, Ran(vm, output, errors)


def ran(source: str, heap: int = 1 << 20, stress: bool = False, imports: str = "") -> Ran:
    with begun(source, heap, stress, imports=imports) as (_, program):
        return program.wait()
