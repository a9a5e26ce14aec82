"""What the runs of a program share: the hooked engine of a policy and a mutant, the loaded program, and which step a hook is told of."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from safepoint.graph import ir
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import POLICIES
from safepoint_vm.generate.counted import stores_of
from safepoint_vm.generate.engine import Engine, Variant, engine
from safepoint_vm.generate.hooks import CHECK, step_of
from safepoint_vm.generate.protocol import graphs
from safepoint_vm.memory.image import Image


@dataclass(frozen=True)
class Built:
    """What the runs of a program and a mutant share.  steps: of what a hook is told, with the name of the procedure."""

    engine: Engine
    image: Image
    steps: dict[int, tuple[str, ir.Step]]
    opcodes: dict[int, str]

    def opcode(self, pc: int) -> str:
        if pc not in self.opcodes:
            self.opcodes[pc] = self.image.code_address(pc).instruction.op
        return self.opcodes[pc]

    def step(self, what: int, mutant: str) -> tuple[str, ir.Step]:
        if what not in self.steps:
            (procedure, number), trigger = step_of(what), self.engine.policy.trigger
            steps = stores_of(trigger) if procedure == CHECK else graphs(mutant, trigger)[procedure].steps
            self.steps[what] = procedure, next(step for step in steps if step.number == number)
        return self.steps[what]


@functools.lru_cache(maxsize=64)
def build(source: str, name: str, mutant: str, hosted: bool, policy: str) -> Built:
    """Errors: as `engine` and `compile_program`."""
    made = engine(Variant(counting=True, hooked=True, hosted=hosted, mutant=mutant, policy=POLICIES[policy]))
    return Built(made, Image(made, compile_program(source, name)), {}, {})
