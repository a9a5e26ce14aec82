"""The reference machine as a target: what every other one is compared with."""

from __future__ import annotations

from safepoint.conform.stepped import GoOn, Stepped
from safepoint.conform.target import Observation, Seen
from safepoint.guest.code import Program
from safepoint.guest.compiler import compile_program
from safepoint.guest.machine import Machine
from safepoint.guest.sites import Sites
from safepoint.guest.state import same
from safepoint.guest.verifier import verify
from safepoint.policy import FOLDED


class Reference(Stepped):
    """One guest thread of the reference machine, which can be forked before any step."""

    name = "reference"
    bound = FOLDED.declared
    machine: Machine
    sites: Sites
    steps: int  # instructions executed

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.use(compile_program(source, file), stack)

    def use(self, program: Program, stack: int) -> None:
        verify(program)
        self.program, self.stack = program, stack

    def start(self) -> None:
        self.steps = 0
        self._run(Machine(self.program, Sites(self.stack)))

    def fork(self) -> Reference:
        """The same thread again, with no stop under way."""
        other = Reference()
        other.program, other.stack, other.steps = self.program, self.stack, self.steps
        other._run(self.machine.fork())
        return other

    def _run(self, machine: Machine) -> None:
        sites = machine.sites
        assert isinstance(sites, Sites)
        self.machine, self.sites, self.stops, self.left = machine, sites, [], machine.ended
        sites.watch = self.watching

    def request(self, procedure: str, *args: int) -> GoOn:
        activation = self.sites.begin(procedure, *args)
        return lambda: self.sites.go_on(activation)

    def advance(self, count: int) -> int:
        done = 0
        while done < count and self.machine.step():
            done += 1
        if self.machine.ended and not self.left:
            self.left, self.sites.here = True, self.machine.location()
            self.sites.call("leave")  # a thread that has ended is outside guest code
        self.steps += done
        return done

    def same_as(self, other: Reference) -> bool:
        """Is there nothing by which the rest of the two runs could differ?"""
        if self.stops or self.waits or other.stops or other.waits or self.sites.words != other.sites.words:
            return False
        if self.sites.privates != other.sites.privates:
            return False
        return same(self.machine.state, other.machine.state)

    @property
    def waits(self) -> bool:
        return self.sites.suspended

    @property
    def ended(self) -> bool:
        return self.left

    def observe(self) -> Observation:
        sites, fault = self.sites, self.machine.fault
        return Observation(
            ended=self.ended,
            output=self.machine.output,
            error=fault.kind if fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in self.machine.traceback()) if fault else (),
            frames=sites.frames,
            back_edges=sites.back_edges,
            seen=tuple(Seen(*s) for s in sites.seen),
            slow_entries=sites.slow_entries,
            words=sites.told(),
        )
