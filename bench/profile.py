"""What a profile costs: the same guest programs with sampling and without, in turn, in one run; only ratios are printed.

`python bench/profile.py [ROUNDS]`.  For each rate three figures.  The ratio of CPU time, of the whole process, with its engine, to that of
`safepoint run` with its own: the median of the rounds, and in brackets the quartiles.  What the sampler's OS thread has used itself,
asking and draining, as a share of the guest's CPU time: it is measured with no difference between two runs, so it is exact where
others use the machine, too.  Samples for each second of the guest's CPU time.
"""

from __future__ import annotations

import io
import os
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
START = "threads = [Thread(target=fib, args=(36,)), Thread(target=fib, args=(36,))]\nfor t in threads:\n    t.start()\nfor t in threads:\n    t.join()\n"
PROGRAMS = {
    "calls": FIB + "fib(38)\n",
    "loops": COUNT + "count(400000000)\n",
    "allocates": PAIRS + "pairs(50000000)\n",
    "2 threads": "from threading import Thread\n\n" + FIB + START,
}
RATES = {
    "1 ms": Every(1_000, MICROSECONDS),
    "10 ms": Every(10_000, MICROSECONDS),
    "64 KiB": Every(1 << 16, BYTES),
}


def seconds(program: Program, profile: Profile | None = None) -> float:
    """CPU time of a run."""
    began = time.process_time()
    outcome = run(program, io.StringIO(), profile=profile)
    took = time.process_time() - began
    assert outcome.fault is None
    return took


def row(program: Program, every: Every, rounds: int) -> str:
    """The three figures of a program at a rate."""
    seconds(program, Profile(every))  # compiles the engine, warms the caches
    ratios, shares, samples, used = [], [], 0, 0.0
    for turn in range(rounds):
        profile = Profile(every)
        if turn % 2:
            plain, profiled = seconds(program), seconds(program, profile)
        else:
            profiled, plain = seconds(program, profile), seconds(program)
        ratios.append(profiled / plain)
        shares.append(profile.spent / (profiled - profile.spent))
        samples, used = samples + profile.samples, used + profiled - profile.spent
        if sys.stderr.isatty():
            print(f"\rround {turn + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f}..{high:.3f}) | {statistics.median(shares):.1%} | {samples / used:,.0f}"


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| program | every | CPU time, with to without | the sampler's own | samples a second |")
    print("|---|---|---|---|---|")
    for name, source in PROGRAMS.items():
        program = compile_program(source, f"<{name}>")
        seconds(program)
        for rate, every in RATES.items():
            print(f"\r| {name} | {rate} | {row(program, every, rounds)} |", flush=True)


if __name__ == "__main__":
    main()
