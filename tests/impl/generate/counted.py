"""Programs run on engines for callgrind, between two marks: `python -m tests.impl.generate.counted POLICY …`, under valgrind.

A mark is a call of a function of the C library that nothing else here calls; callgrind, told so, begins a new file of counts there.
"""

from __future__ import annotations

import os
import sys

from safepoint.differential.costs import WITHOUT
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import POLICIES
from safepoint_vm.costs import STACK, variant_of
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import World
from safepoint_vm.memory.heap import GuestHeap
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.thread import GuestThread

MARK = "getpgrp"
"""The function."""
FOR_EVER = 1 << 40
"""Of a ticker and of a budget: the fast path is counted, and the check that expires is not on it."""
TURN = "    i = 0\n    while True:\n{}        if i == n:\n            return\n        i = i + 1\n"
"""A loop that jumps back without a condition, as the opcode does at which a policy's back-edge is counted."""
PROGRAMS: dict[str, tuple[str, dict[str, int]]] = {
    "loops": (f"def f(n):\n{TURN.format('')}", {"back_edge": 1}),
    "calls": (
        f"def g():\n    return 0\n\ndef f(n):\n{TURN.format('        g()' + chr(10))}",
        {"back_edge": 1, "frame_push": 1, "return": 1},
    ),
    "lists": (f"def f(n):\n{TURN.format('        x = [i]' + chr(10))}", {"back_edge": 1, "allocation": 1}),
}
"""Name -> (source without the call of `f`, how many sites of each kind a turn of its loop passes)."""
OTHERS = {
    "less": "def f(n):\n    i = 0\n    while i < n:\n        i = i + 1\n",
    "range": "def f(n):\n    for i in range(n):\n        pass\n",
}
"""The same with back-edges of other opcodes, one in a turn."""
TURNS = 100_000
"""N.  Python's part of a run varies by some thousand instructions: some hundredths for each of these."""
RUNS = (1, TURNS, 2 * TURNS)


def run(variant: Variant, source: str, turns: int) -> None:
    """`f(turns)`, from its first instruction to its end, in machine code; nothing is posted."""
    built = engine(variant)
    image = Image(built, compile_program(f"{source}\nf({turns})\n", "counted"))
    guest = GuestThread(built, image, image.globals(), GuestHeap(built, Record(World)), STACK)
    for word in ("ticker", "left"):
        guest.record.set(word, FOR_EVER)
    os.getpgrp()
    why = guest.enter()
    os.getpgrp()
    assert why is Exited.FINISHED


def main(policies: list[str]) -> None:
    """For each policy ("": without a protocol) and program one turn, so that all is warm, then N, then 2 N."""
    for policy in policies:
        for source in (*(source for source, _ in PROGRAMS.values()), *OTHERS.values()):
            for turns in RUNS:
                run(variant_of(POLICIES.get(policy, WITHOUT)), source, turns)


if __name__ == "__main__":
    main(sys.argv[1:])
