"""The reference machine as a target: what every other one is compared with."""

from __future__ import annotations

from safepoint.conform.target import Observation, Seen
from safepoint.differential.stepped import GoOn, Stepped
from safepoint.guest.code import Instruction, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.guest.operations.threads import uncaught_text
from safepoint.guest.reference.world import World
from safepoint.guest.verifier import verify
from safepoint.protocol.policies import FOLDED


class Reference(Stepped):
    """The guest threads of a world of the reference machine, which can be forked before any step."""

    name = "reference"
    bound = FOLDED.declared
    world: World
    steps: int  # instructions executed

    def __init__(self, quantum: int = QUANTUM) -> None:
        """quantum: instructions of a thread's turn."""
        self._quantum = quantum

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.use(compile_program(source, file), stack)

    def use(self, program: Program, stack: int) -> None:
        verify(program)
        self.program, self.stack = program, stack

    def start(self) -> None:
        self.world, self.steps, self.stops = World(self.program, self.stack, self._quantum), 0, []
        self.world.watch(self.watching)

    def fork(self) -> Reference:
        """The same world again, with no stop under way."""
        other = Reference(self._quantum)
        other.program, other.stack, other.steps, other.stops = self.program, self.stack, self.steps, []
        other.world = self.world.fork()
        other.world.watch(other.watching)
        return other

    def request(self, procedure: str, *args: int, thread: int = MAIN) -> GoOn:
        sites = self.world.sites[thread]
        activation = sites.begin(procedure, *args)
        return lambda: sites.go_on(activation)

    def advance(self, count: int) -> int:
        done = 0
        while done < count and self.world.step():
            done += 1
        self.steps += done
        return done

    def same_as(self, other: Reference) -> bool:
        """Is there nothing by which the rest of the two runs could differ?"""
        return not (self.stops or other.stops) and self.world.same_as(other.world)

    def born(self, thread: int) -> bool:
        return not self.world.machines[thread].unborn

    def instruction(self, thread: int) -> Instruction:
        """The next one of a thread."""
        return self.world.machines[thread].state.frame.instruction

    @property
    def living(self) -> list[int]:
        return [number for number in range(self.world.population) if number not in self.world.over]

    def checks(self, thread: int) -> tuple[int, int]:
        sites = self.world.sites[thread]
        return sites.frames, sites.back_edges

    def observe(self) -> Observation:
        main, counts = self.world.main, self.world.counts
        others = (uncaught_text(t, fault, m.traceback(), self.program.source) for t, fault, m in self.world.uncaught)
        return Observation(
            ended=self.ended,
            output=self.world.output,
            error=main.fault.kind if main.fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in main.traceback()) if main.fault else (),
            frames=counts.frames,
            back_edges=counts.back_edges,
            seen=tuple(Seen(*served) for served in self.world.sites[MAIN].seen),
            slow_entries=counts.slow_entries,
            words=self.world.sites[MAIN].told(),
            others=tuple(others),
        )
