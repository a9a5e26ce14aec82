"""What a profile costs: the same guest programs with sampling and without, in turn, in one run; only ratios are printed.

`python bench/profile.py [ROUNDS]`.  For each program and rate, in CPU time:

*all of it*: of the whole process, to that of the same engine without a sampler: the median of the rounds' ratios, and in brackets the quartiles;
*the least*: the same of the two shortest runs: what others on the machine do can only make a run longer;
*the sampler*: what its OS thread has used to ask and to drain, as a share of the rest.  It is no difference of two runs.

The engine of `safepoint run` has the same bytes on its fast path, at other addresses, which is worth some percent in either direction
(`bench/cost.py`): that is not compared here.

And samples for each second of CPU time.  Above the table stands what it costs on this machine to wake up a thread that does nothing
else, while another one computes: a sampler by time pays that for each sample, whatever it does.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import threading
import time
from contextlib import nullcontext

from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.profile import BYTES, MICROSECONDS, Every, Profile
from safepoint_vm.generate.engine import Variant
from safepoint_vm.threads.vm import Vm

ROUNDS = 15
PROFILED = Variant(profiled=True)
FIB = "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n\n"
COUNT = "def count(n):\n    i = 0\n    while i < n:\n        i = i + 1\n\n"
PAIRS = "def pairs(n):\n    found = 0\n    for i in range(n):\n        found = [i, i]\n    return found\n\n"
START = "threads = [Thread(target=fib, args=(35,)), Thread(target=fib, args=(35,))]\nfor t in threads:\n    t.start()\nfor t in threads:\n    t.join()\n"
PROGRAMS = {
    "calls": FIB + "fib(37)\n",
    "loops": COUNT + "count(250000000)\n",
    "allocates": PAIRS + "pairs(20000000)\n",
    "2 threads": "from threading import Thread\n\n" + FIB + START,
}
TIMES = {"1 ms": Every(1_000, MICROSECONDS), "10 ms": Every(10_000, MICROSECONDS)}
SIZES = {"64 KiB": Every(1 << 16, BYTES), "1 MiB": Every(1 << 20, BYTES)}


WAKINGS = 500


def seconds(program: Program, profile: Profile | None = None) -> float:
    """CPU time of a run."""
    began = time.process_time()
    with (
        Vm(program, io.StringIO(), variant=PROFILED) as vm,
        nullcontext() if profile is None else vm.sample(profile),
    ):
        outcome = vm.start().outcome()
        vm.finish()
    took = time.process_time() - began
    assert outcome.fault is None
    return took


def compared(program: Program, every: Every, rounds: int) -> str:
    """The figures of a program at a rate."""
    seconds(program, Profile(every))  # compiles the engine, warms the caches
    without, with_it, shares, samples = [], [], [], 0
    for turn in range(rounds):
        profile = Profile(every)
        if turn % 2:
            without.append(seconds(program))
            with_it.append(seconds(program, profile))
        else:
            with_it.append(seconds(program, profile))
            without.append(seconds(program))
        shares.append(profile.spent / (with_it[-1] - profile.spent))
        samples += profile.samples
        if sys.stderr.isatty():
            print(f"\rround {turn + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    ratios = spread([one / other for one, other in zip(with_it, without, strict=True)])
    least = min(with_it) / min(without)
    return f"{ratios} | {least:.3f} | {statistics.median(shares):.1%} | {samples / sum(with_it):,.0f}"


def spread(ratios: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f}..{high:.3f})"


def waking() -> float:
    """Microseconds of CPU time of one waking up."""
    program = compile_program(PROGRAMS["loops"], "<waking>")
    computing = threading.Thread(target=seconds, args=(program,))
    computing.start()
    began = time.thread_time()
    for _ in range(WAKINGS):
        time.sleep(0.001)
    took = time.thread_time() - began
    computing.join()
    return took / WAKINGS * 1e6


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f}; to wake up a thread: {waking():.0f} us\n")
    print("| program | every | all of it | the least | the sampler | samples a second |")
    print("|---|---|---|---|---|---|")
    for name, source in PROGRAMS.items():
        program = compile_program(source, f"<{name}>")
        seconds(program)
        for rate, every in (SIZES if name == "allocates" else TIMES).items():
            print(f"\r| {name} | {rate} | {compared(program, every, rounds)} |", flush=True)


if __name__ == "__main__":
    main()
