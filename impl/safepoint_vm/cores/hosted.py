"""Small programs on OS threads, as `safepoint run` runs them: a thread that sleeps is woken, what ends has ended, and Control-C arrives.

The campaigns' own worlds look again every few microseconds; here nothing but a notification wakes a thread that waits.  Each program says
what it prints; one that has not ended when the time is over waits for ever.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass

from safepoint.differential.cores import CoresRun
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.generate.engine import Variant
from safepoint_vm.threads.vm import Vm

LOOK = 0.002
"""Seconds between two looks whether a program has come so far."""


@dataclass(frozen=True)
class Hosted:
    """A program, what it prints, and what the host does with it once it has printed its first line."""

    name: str
    source: str
    prints: str
    host: str = ""


PROGRAMS = (
    Hosted(
        "asleep",
        """from threading import Lock
lock = Lock()
lock.acquire()
try:
    print("sleeps")
    lock.acquire()
except KeyboardInterrupt:
    print("woken")
""",
        "sleeps\nwoken\n",
        "interrupt",
    ),
    Hosted(
        "asleep, beside one that has ended",
        """from threading import Lock, Thread
lock = Lock()
lock.acquire()
def sleeps():
    try:
        print("sleeps")
        lock.acquire()
    except KeyboardInterrupt:
        print("woken")
Thread(target=sleeps).start()
""",
        "sleeps\nwoken\n",
        "interrupt when the first has ended",
    ),
    Hosted(
        "interrupted before it is born",
        """try:
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted")
""",
        "interrupted\n",
        "interrupt before birth",
    ),
    Hosted(
        "handed over",
        """from threading import Lock, Thread
lock = Lock()
lock.acquire()
def waits():
    lock.acquire()
    print("has it")
t = Thread(target=waits)
t.start()
n = 0
while n < 100000:
    n = n + 1
lock.release()
t.join()
print("end")
""",
        "has it\nend\n",
    ),
    Hosted(
        "collects when another has ended",
        """from threading import Thread
from safepoint.guest.api import collect
def nothing():
    pass
for n in range(3):
    t = Thread(target=nothing)
    t.start()
    t.join()
    collect()
print("end")
""",
        "end\n",
    ),
    Hosted(
        "sleeps a little",
        """from time import sleep
sleep(0.01)
print("end")
""",
        "end\n",
    ),
)  # fmt: skip


def run_hosted(run: CoresRun, mutant: str, grace: float) -> None:
    """Run each program and add to `run` what was lost, and which thread waits for ever.  grace: seconds for each."""
    for program in PROGRAMS:
        _run(program, run, mutant, grace)
        if mutant and run.wrong:
            return


def _run(program: Hosted, run: CoresRun, mutant: str, grace: float) -> None:
    variant = Variant(mutant=mutant)
    output = io.StringIO()
    compiled = compile_program(program.source, f"<{program.name}>")
    with Vm(compiled, output, variant=variant, errors=output) as vm:
        until = time.monotonic() + grace  # its machine code is loaded
        if program.host == "interrupt before birth":
            with vm.world.stopped():
                vm.start()
                vm.interrupt()
        else:
            main = vm.start()
            if program.host:
                has_ended = program.host != "interrupt"
                _await(lambda: "\n" in output.getvalue() and (main.done.is_set() or not has_ended), until)
                vm.interrupt()
        run.requests += bool(program.host)
        run.details["programs"] += 1
        if not _await(lambda: vm.all_ended, until):
            run.stuck += 1
            return
        run.lost += output.getvalue() != program.prints


def _await(ready: Callable[[], bool], until: float) -> bool:
    while not ready():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK)
    return True
