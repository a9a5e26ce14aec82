"""What a profile costs: the same guest programs with sampling and without, in turn, in one run; only ratios are printed.

`python bench/profile.py [ROUNDS]`.  CPU time of the whole process, the sampler's thread and its draining included: what `safepoint
profile` uses over what `safepoint run` does, on its own engine.  The median of the rounds' ratios, and in brackets the quartiles: on
a machine that others use, the extremes are theirs.  `samples`: for each second of CPU time of the guest.
"""

from __future__ import annotations

import io
import statistics
import sys
import time

from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.profile import BYTES, MICROSECONDS, Every, Profile
from safepoint_vm.threads.vm import run

ROUNDS = 15
FIB = "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n\n"
COUNT = "def count(n):\n    i = 0\n    while i < n:\n        i = i + 1\n\n"
PAIRS = "def pairs(n):\n    found = 0\n    for i in range(n):\n        found = [i, i]\n    return found\n\n"
START = "from threading import Thread\nthreads = [Thread(target=fib, args=(n,)), Thread(target=fib, args=(n,))]\nfor t in threads:\n    t.start()\nfor t in threads:\n    t.join()\n"
PROGRAMS = {
    "calls": FIB + "fib(34)\n",
    "loops": COUNT + "count(200000000)\n",
    "allocates": PAIRS + "pairs(12000000)\n",
    "2 threads": FIB + "n = 33\n" + START,
}
RATES = {
    "every 1 ms": Every(1_000, MICROSECONDS),
    "every 10 ms": Every(10_000, MICROSECONDS),
    "every 64 KiB": Every(1 << 16, BYTES),
}


def seconds(program: Program, profile: Profile | None = None) -> float:
    """CPU time of a run."""
    began = time.process_time()
    outcome = run(program, io.StringIO(), profile=profile)
    took = time.process_time() - began
    assert outcome.fault is None
    return took


def compared(program: Program, every: Every, rounds: int) -> tuple[list[float], float]:
    """The ratio of each pair of runs; and samples per second of CPU time."""
    ratios, samples, used = [], 0, 0.0
    for turn in range(rounds):
        profile = Profile(every)
        if turn % 2:
            plain, profiled = seconds(program), seconds(program, profile)
        else:
            profiled, plain = seconds(program, profile), seconds(program)
        ratios.append(profiled / plain)
        samples, used = samples + profile.samples, used + plain
        if sys.stderr.isatty():
            print(f"\rround {turn + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    return ratios, samples / used


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
    print(f"| program | {' | '.join(f'{name} | samples' for name in RATES)} |")
    print(f"|---|{'---|---|' * len(RATES)}")
    for name, source in PROGRAMS.items():
        program = compile_program(source, f"<{name}>")
        row = [name]
        seconds(program)
        for every in RATES.values():
            seconds(program, Profile(every))  # compiles the engine, warms the caches
            ratios, rate = compared(program, every, rounds)
            low, middle, high = statistics.quantiles(ratios, n=4)
            row += [f"{middle:.3f} ({low:.3f}..{high:.3f})", f"{rate:,.0f}"]
        print(f"\r| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
