"""What each optimisation brings: the bench's programs in this process, with it and without, in turn."""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.bench.children import BenchError
from safepoint.bench.sizes import source
from safepoint.bench.summary import Switched
from safepoint.conform.judge import find_target
from safepoint.differential.switchable import STEPS, Switchable
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED
from safepoint.verify.report import Progress


def ours() -> Switchable:
    """The interpreter.  UnknownTarget: it cannot run here.  BenchError: its optimisations cannot be switched off."""
    target = find_target(FOLDED.name)
    if not isinstance(target, Switchable):
        raise BenchError(f"target {FOLDED.name} offers no switch for its optimisations (derive it from Switchable)")
    return target


def measure(
    target: Switchable, names: Sequence[str], rounds: int, progress: Progress, size: int | None = None
) -> dict[str, Switched]:
    """Each program in each way, in alternating order; by optimisation.  BenchError: they print different things, or raise."""
    compiled = {name: compile_program(source(name, "py", size), name) for name in names}
    ways = list(dict.fromkeys(way for pair in STEPS.values() for way in pair))
    seconds: dict[str, dict[str, list[float]]] = {way: {name: [] for name in names} for way in ways}
    with progress.section("optimisations", rounds * len(names)) as done:
        for turn in range(rounds):
            for name in names if turn % 2 else reversed(names):
                said: dict[str, str] = {}
                for way in ways[:: 1 if turn % 2 else -1]:
                    ran = target.timed(compiled[name], way)
                    if ran.fault:
                        raise BenchError(f"{name}: {ran.fault}")
                    seconds[way][name].append(ran.seconds)
                    said[way] = ran.output
                if len({*said.values()}) > 1:
                    raise BenchError(f"{name}: an optimisation changes its output: {said}")
                done(f"{name}, round {turn + 1}")
    return {step: Switched(seconds[on], seconds[off]) for step, (on, off) in STEPS.items()}
