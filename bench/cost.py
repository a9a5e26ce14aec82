"""What the check costs: the same guest programs on three engines, in turn, in one run; only ratios are printed.

`folded` is the protocol's engine; `none` one that is written as if the protocol did not exist (its fast handlers are the
same bytes, which `tests/impl/test_fast_path.py` checks, so what differs here is placement and noise); `flag` tests request bits at
each back-edge and frame push, as policy cpython does.  CPU time; the median of the rounds' ratios, and in brackets the smallest and the largest.
"""

from __future__ import annotations

import statistics
import sys

from safepoint.differential.costs import WITHOUT
from safepoint.protocol.policies import CPYTHON, FOLDED
from safepoint_vm.target import FoldedTarget

ROUNDS = 9
PROGRAMS = {
    "calls": "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n\nfib(29)\n",
    "while": "i = 0\nn = 20000000\n\ndef f(n):\n    i = 0\n    while i < n:\n        i = i + 1\n\nf(n)\n",
    "for": "def f(n):\n    t = 0\n    for i in range(n):\n        t = i\n\nf(20000000)\n",
    "nested": "def f(n):\n    t = 0\n    for i in range(n):\n        for j in range(n):\n            t = j\n\nf(4500)\n",
}
ENGINES = {"none": WITHOUT, "folded": FOLDED, "flag": CPYTHON}
"""Names in the table, to policies."""


def main() -> None:
    target = FoldedTarget()
    print(f"{'program':10}{'folded / none':>26}{'flag / folded':>26}")
    for name, source in PROGRAMS.items():
        for policy in ENGINES.values():
            target.seconds(policy, source)  # compiles the engine, warms the caches
        rounds: list[dict[str, float]] = []
        for turn in range(ROUNDS):
            order = list(ENGINES) if turn % 2 else list(reversed(ENGINES))
            rounds.append({engine: target.seconds(ENGINES[engine], source) for engine in order})
            if sys.stderr.isatty():
                print(f"\r{name}: round {turn + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
        pairs = [[r["folded"] / r["none"] for r in rounds], [r["flag"] / r["folded"] for r in rounds]]
        shown = [f"{statistics.median(p):.2f} ({min(p):.2f}..{max(p):.2f})" for p in pairs]
        print(f"\r{name:10}{shown[0]:>26}{shown[1]:>26}")


if __name__ == "__main__":
    main()
