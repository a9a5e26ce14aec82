"""What superinstructions bring: the bench's programs in this process, with them and without, in turn."""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.bench.children import BenchError
from safepoint.bench.sizes import source
from safepoint.bench.summary import Switched
from safepoint.conform.judge import find_target
from safepoint.differential.switchable import Switchable
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED
from safepoint.verify.report import Progress


def ours() -> Switchable:
    """The interpreter.  UnknownTarget: it cannot run here.  BenchError: its superinstructions cannot be switched off."""
    target = find_target(FOLDED.name)
    if not isinstance(target, Switchable):
        raise BenchError(f"target {FOLDED.name} offers no switch for superinstructions (derive it from Switchable)")
    return target


def measure(
    target: Switchable, names: Sequence[str], rounds: int, progress: Progress, size: int | None = None
) -> Switched:
    """Each program with superinstructions and without, in alternating order.  BenchError: they print different things, or raise."""
    compiled = {name: compile_program(source(name, "py", size), name) for name in names}
    on: dict[str, list[float]] = {name: [] for name in names}
    off: dict[str, list[float]] = {name: [] for name in names}
    with progress.section("superinstructions", rounds * len(names)) as done:
        for turn in range(rounds):
            for name in names if turn % 2 else reversed(names):
                said: dict[bool, str] = {}
                for fused, times in ((True, on), (False, off))[:: 1 if turn % 2 else -1]:
                    ran = target.timed(compiled[name], fused=fused)
                    if ran.fault:
                        raise BenchError(f"{name}: {ran.fault}")
                    times[name].append(ran.seconds)
                    said[fused] = ran.output
                if said[True] != said[False]:
                    raise BenchError(f"{name}: superinstructions change its output: {said[False]!r} to {said[True]!r}")
                done(f"{name}, round {turn + 1}")
    return Switched(on, off)
