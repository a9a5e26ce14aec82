"""The reference machine as a target: what every other one is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.conform.target import Observation, Seen
from safepoint.differential.stepped import Stepped, Stop
from safepoint.graph.execute import Activation
from safepoint.guest.code import Instruction, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.guest.operations.threads import uncaught_text
from safepoint.guest.reference.world import World
from safepoint.guest.verifier import verify
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy


@dataclass
class UnderWay:
    """A procedure that a requester has begun.  thread: whose record it is about."""

    world: World
    thread: int
    activation: Activation

    def __call__(self) -> bool:
        return self.world.sites[self.thread].go_on(self.activation)

    def forked(self, world: World) -> UnderWay:
        """The same in a fork of its world."""
        return UnderWay(world, self.thread, world.sites[self.thread].taken(self.activation))


class Reference(Stepped):
    """The guest threads of a world of the reference machine, which can be forked before any step."""

    name = "reference"
    bound = FOLDED.declared
    world: World
    steps: int  # instructions executed

    def __init__(self, quantum: int = QUANTUM, policy: Policy = FOLDED) -> None:
        """quantum: instructions of a thread's turn."""
        self._quantum, self.policy = quantum, policy
        if policy is not FOLDED:
            self.bound = policy.declared

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.use(compile_program(source, file), stack)

    def use(self, program: Program, stack: int) -> None:
        verify(program)
        self.program, self.stack = program, stack

    def start(self) -> None:
        self.world, self.steps, self.stops = World(self.program, self.stack, self._quantum, self.policy), 0, []
        self.world.watch(self.watching)

    def fork(self) -> Reference:
        """The same world again, with the same stops and handshakes under way."""
        other = Reference(self._quantum, self.policy)
        other.program, other.stack, other.steps = self.program, self.stack, self.steps
        other.world = self.world.fork()
        other.world.watch(other.watching)
        other.stops = [stop.forked(other, self._under_way(stop).forked(other.world)) for stop in self.stops]
        return other

    def request(self, procedure: str, *args: int, thread: int = MAIN) -> UnderWay:
        return UnderWay(self.world, thread, self.world.sites[thread].begin(procedure, *args))

    @staticmethod
    def _under_way(stop: Stop) -> UnderWay:
        assert isinstance(stop.go_on, UnderWay)
        return stop.go_on

    def advance(self, count: int) -> int:
        done = 0
        while done < count and self.world.step():
            done += 1
        self.steps += done
        return done

    def same_as(self, other: Reference) -> bool:
        """Is there nothing by which the rest of the two runs could differ?"""
        return self._waits() == other._waits() and self.world.same_as(other.world)

    def _waits(self) -> list[tuple[str, int, Activation]]:
        """The stops and handshakes under way, and where each stands."""
        waiting = ((stop.procedure, self._under_way(stop)) for stop in self.stops)
        return [(procedure, request.thread, request.activation) for procedure, request in waiting]

    @property
    def place(self) -> tuple[object, ...]:
        """What is quick to compare, and mostly differs between two worlds that do: the position, and the words."""
        return *self.position, self.world.words.values

    @property
    def position(self) -> tuple[int, ...]:
        """The turn, and each thread's pc: equal in two worlds that are the same."""
        turns = self.world.turns
        return turns.current, turns.left, *(m.state.frame.pc for m in self.world.machines)

    @property
    def seen(self) -> int:
        return len(self.world.sites[MAIN].seen)

    def born(self, thread: int) -> bool:
        return not self.world.machines[thread].unborn

    def instruction(self, thread: int) -> Instruction:
        """The next one of a thread."""
        return self.world.machines[thread].state.frame.instruction

    @property
    def living(self) -> list[int]:
        return [number for number in range(self.world.population) if number not in self.world.over]

    @property
    def ended(self) -> bool:
        return self.world.ended

    def checks(self, thread: int = MAIN) -> dict[str, int]:
        sites = self.world.sites[thread]
        return {"frames": sites.frames, "back_edges": sites.back_edges, **sites.policy.further(sites.elsewhere)}

    def observe(self) -> Observation:
        main, counts, policy = self.world.main, self.world.counts, self.world.sites[MAIN].policy
        others = (uncaught_text(t, fault, m.traceback(), self.program.source) for t, fault, m in self.world.uncaught)
        return Observation(
            ended=self.ended,
            output=self.world.output,
            error=main.fault.kind if main.fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in main.traceback()) if main.fault else (),
            frames=counts.frames,
            back_edges=counts.back_edges,
            seen=tuple(
                Seen(s.kind, s.site, s.frames, s.back_edges, s.thread, policy.further(s.elsewhere))
                for s in self.world.sites[MAIN].seen
            ),
            further=policy.further(counts.elsewhere),
            slow_entries=counts.slow_entries,
            words=self.world.sites[MAIN].comparable_words(),
            others=tuple(others),
            waiting=len(self.stops),
        )
