"""What the runs of a program share: the hooked engine of a policy and a mutant, the loaded program, and which step a hook is told of."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass, field, replace

from safepoint.differential.controlled import INSTALLS, INTERPRETED
from safepoint.graph import ir
from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import POLICIES
from safepoint_vm.generate.counted import stores_of
from safepoint_vm.generate.engine import Engine, Variant, engine
from safepoint_vm.generate.hooks import CHECK, step_of
from safepoint_vm.generate.protocol import graphs
from safepoint_vm.generate.triggers import widths_of
from safepoint_vm.memory.image import Image
from safepoint_vm.schedules.compiled import WORDS, WatchedTier, entry_of
from safepoint_vm.threads.mutated import made


@dataclass(frozen=True)
class Built:
    """What the runs of a program and a mutant share.  steps: of what a hook is told, with the name of the procedure.

    places: address of an instruction -> its opcode, the number of its code, and its own there.  code: as `differential.controlled.Case`.
    """

    engine: Engine
    image: Image
    code: str
    steps: dict[int, tuple[str, ir.Step]] = field(default_factory=dict)
    places: dict[int, tuple[str, int, int]] = field(default_factory=dict)

    def fresh(self) -> Built:
        """For one run: nothing is compiled that is to be compiled in it."""
        if self.code != INSTALLS:
            return self
        return replace(self, image=image_of(self.engine, self.image.program, self.code), places={})

    def opcode(self, pc: int) -> str:
        return self._place(pc)[0]

    def where(self, pc: int) -> tuple[int, int]:
        """The number of the code of the instruction at an address, and its own there."""
        _, code, number = self._place(pc)
        return code, number

    def _place(self, pc: int) -> tuple[str, int, int]:
        if pc not in self.places:
            found = self.image.code_address(pc)
            code = next(n for n, each in enumerate(self.image.program.codes) if each is found.code)
            self.places[pc] = found.instruction.op, code, found.number
        return self.places[pc]

    def entry(self, pc: int) -> int | None:
        """As `compiled.entry_of`, of the instruction at an address, now."""
        return entry_of(ctypes.c_int64.from_address(pc).value, self.engine.variant.loops) if self.code else None

    @property
    def entries(self) -> int:
        """How many entries the text has words for."""
        ((_, count), *_) = widths_of(self.engine.variant)
        return count

    def step(self, what: int, mutant: str) -> tuple[str, ir.Step]:
        if what not in self.steps:
            (procedure, number), trigger = step_of(what), self.engine.policy.trigger
            widths = widths_of(self.engine.variant)
            steps = stores_of(trigger) if procedure == CHECK else graphs(mutant, trigger, widths)[procedure].steps
            self.steps[what] = procedure, next(step for step in steps if step.number == number)
        return self.steps[what]


@functools.lru_cache(maxsize=64)
def build(source: str, name: str, mutant: str, hosted: bool, policy: str, code: str = INTERPRETED) -> Built:
    """Errors: as `engine` and `compile_program`; with compiled code as `tier.install.Tier`."""
    loops = 0 if code == INTERPRETED else WORDS
    found = engine(
        Variant(counting=True, hooked=True, hosted=hosted, mutant=mutant, policy=POLICIES[policy], loops=loops)
    )
    return Built(found, image_of(found, compile_program(source, name), code), code)


def image_of(engine: Engine, program: Program, code: str) -> Image:
    """A program in memory.  `code`: as `differential.controlled.Case`."""
    if code == INTERPRETED:
        return Image(engine, program)
    return Image(engine, program, made(WatchedTier, engine)(engine, code, alone="START" not in program.opcodes))
