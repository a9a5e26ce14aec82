"""What a collection costs: a million live list cells, against copying as many bytes, in turn, in one run.

Each cell is `[number, next]`: a list and its backing.  CPU time; medians, and in brackets the smallest and the largest.
"""

from __future__ import annotations

import ctypes
import io
import statistics
import time
from collections.abc import Callable

from safepoint.guest.compiler.program import compile_program
from safepoint_vm.threads.vm import Vm

CELLS = 1_000_000
HEAP = 160 << 20  # bytes
ROUNDS = 15
SOURCE = f"""\
from time import sleep
cells = None
for i in range({CELLS}):
    cells = [i, cells]
print("made")
sleep(3600)
"""  # what is not used any more is not alive: so it sleeps until it is interrupted
PATIENCE = 60  # seconds until the cells are there


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def shown(values: list[float], unit: str, digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} {unit} ({min(values):.{digits}f}..{max(values):.{digits}f})"


def main() -> None:
    output = io.StringIO()
    with Vm(compile_program(SOURCE, "bench"), output, heap=HEAP) as vm:
        guest = vm.start()
        ends = time.monotonic() + PATIENCE
        while not output.getvalue():
            assert time.monotonic() < ends, "the guest has not made its cells"
            time.sleep(0.01)
        world, heap = vm.world, vm.world.heap

        def collect() -> None:
            with world.stopped():
                world.collect(guest.guest)

        def copy() -> None:
            used, free = heap.spaces()
            ctypes.memmove(free, used, size)

        collect()
        collect()  # both spaces have been touched
        size = heap.used
        assert size > CELLS * 48, "the cells are not alive"
        rounds = [(seconds(collect), seconds(copy)) for _ in range(ROUNDS)]
    collections, copies = [c for c, _ in rounds], [m for _, m in rounds]
    print(f"{CELLS} cells, {size / 2**20:.1f} MiB alive")
    print("collection  ", shown([1e3 * t for t in collections], "ms", 1))
    print("memmove     ", shown([1e3 * t for t in copies], "ms", 1))
    print("ratio       ", shown([c / m for c, m in rounds], "", 2))


if __name__ == "__main__":
    main()
