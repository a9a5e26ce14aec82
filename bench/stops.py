"""How long it takes to stop the world, by the number of guest threads, beside what the operating system needs to give each a core.

`python bench/stops.py [THREADS …]`.  A coordinator in machine code, without the GIL, stops and starts the world of the interpreter.
*Computing*: every thread runs a loop.  The coordinator waits until each has executed one more check, which is the system's time to
give each a core; then it stops them, wherever they are.  *Asleep*: every thread but the main one waits for a lock.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time

from safepoint.differential.cores import Percentiles
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.cores.build import cores_engine
from safepoint_vm.cores.campaign import Running
from safepoint_vm.cores.counting import histogram
from safepoint_vm.cores.phases import ENDLESS, Requester
from safepoint_vm.cores.plan import BUCKETS
from safepoint_vm.cores.world import CoresVm

THREADS = (1, 2, 8, 64, 512)
SECONDS = 5.0
"""Of each measurement."""
FEW = 10
"""Stops, at least: with many threads they take more time than that."""
PATIENCE = 120.0
"""Seconds in which all threads must begin, make these stops, and end."""
RNG = random.Random(1)
OFTEN = 63
"""Turns of waiting between two offers of the core to others, less one: with more threads than cores each needs one."""
NAP = 200_000
"""Microseconds between two looks of a guest thread that waits for the lock."""
SOURCE = """
from threading import Lock, Thread
go = 1
lock = Lock()
lock.acquire()
def compute():
    with lock:
        pass
    while go:
        pass
def wait():
    with lock:
        pass
threads = []
for i in range({threads}):
    threads.append(Thread(target={work}))
for t in threads:
    t.start()
if {released}:
    lock.release()
print(1)
while go:
    pass
if not {released}:
    lock.release()
for t in threads:
    t.join()
"""


def measure(threads: int, work: str, first: int) -> tuple[Percentiles, Percentiles]:
    """Until each thread, from number `first` on, has had a core; and until the world has stopped then."""
    engine = cores_engine()
    vm = CoresVm(
        engine,
        compile_program(SOURCE.format(threads=threads, work=work, released=int(work == "compute")), "<stops>"),
        io.StringIO(),
        RNG,
    )
    vm.world.nap = NAP
    main = vm.start()
    until = time.monotonic() + PATIENCE
    while not vm.world.tallies[0].get("natives"):  # the main thread prints when it has started them all
        if time.monotonic() > until:
            raise SystemExit(f"{threads} threads have not begun within {PATIENCE:g} seconds")
        time.sleep(0.01)
    settings = {"often": OFTEN, "rest": 100, "first": first}
    running = Running(engine, Requester("turns", 0, settings), vm, ENDLESS, 1)
    rate = running_for(SECONDS)
    while running.plan.get("done") < FEW and time.monotonic() < until:
        time.sleep(0.1)
    running.halt()
    running.thread.join()
    found = [histogram([running.plan.get(row, n) for n in range(BUCKETS)], rate) for row in ("entered", "seen")]
    vm.set_variable("go", 0)
    if not main.done.wait(PATIENCE):
        raise SystemExit(f"the guest has not ended within {PATIENCE:g} seconds")
    main.outcome()
    vm.finish()
    if running.plan.get("stuck") or None in found:
        raise SystemExit(f"{threads} threads: no stop within {SECONDS:g} seconds")
    given, stopped = found
    assert given
    assert stopped
    return given, stopped


def running_for(seconds: float) -> float:
    """Wait.  Returns cycles of the clock in a microsecond."""
    stamp = cores_engine().loop("stamp")
    began, cycles = time.perf_counter(), stamp(0)
    time.sleep(seconds)
    return float(stamp(0) - cycles) / (time.perf_counter() - began) / 1e6


def shown(times: Percentiles) -> str:
    return f"{times.p50:,.1f} us, {times.p99:,.0f} us"


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or THREADS
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; p50, p99\n")
    print(
        "| threads | computing: each has a core | computing: then stopped | stops | ratio of p50 | asleep: stopped | stops |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for threads in counts:
        given, stopped = measure(threads, "compute", first=1)
        _, asleep = measure(threads, "wait", first=threads + 1)
        ratio = f"{stopped.p50 / given.p50:.2f}"
        row = threads, shown(given), shown(stopped), f"{stopped.count:,}", ratio, shown(asleep), f"{asleep.count:,}"
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
