"""What superinstructions bring: the bench's programs on two engines of this process, with them and without, in turn."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence

from bench.children import BenchError
from bench.sizes import source
from bench.summary import Switched
from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.threads.vm import Vm

UNFUSED = Variant(fused=False)


def seconds(program: Program, variant: Variant) -> tuple[float, str]:
    """CPU time of a run, without start-up and compilation; and its output.  BenchError: the program raises."""
    output = io.StringIO()
    began = time.process_time()
    with Vm(program, output, variant=variant) as vm:
        outcome = vm.start().outcome()
        vm.finish()
    took = time.process_time() - began
    if outcome.fault is not None:
        raise BenchError(f"{program.file}: {outcome.fault}")
    return took, output.getvalue()


def measure(names: Sequence[str], rounds: int, progress: Callable[[str], None], size: int | None = None) -> Switched:
    """Each program with superinstructions and without, in alternating order.  BenchError: they print different things, or raise."""
    for variant in (PLAIN, UNFUSED):
        engine(variant)  # loaded, or compiled, before any time is taken
    compiled = {name: compile_program(source(name, "py", size), name) for name in names}
    on: dict[str, list[float]] = {name: [] for name in names}
    off: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names if turn % 2 else reversed(names):
            progress(f"superinstructions, round {turn + 1} of {rounds}: {name}")
            said: dict[Variant, str] = {}
            for variant, times in ((PLAIN, on), (UNFUSED, off))[:: 1 if turn % 2 else -1]:
                took, said[variant] = seconds(compiled[name], variant)
                times[name].append(took)
            if said[PLAIN] != said[UNFUSED]:
                raise BenchError(f"{name}: superinstructions change its output: {said}")
    return Switched(on, off)
