"""Guest programs on OS threads whose functions are compiled at once, or when they have been executed n times."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from safepoint.differential.corpus import Guest
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.engine import Variant
from safepoint_vm.threads.vm import Vm
from safepoint_vm.tier.install import Tier, compiling
from tests.impl.running import FILE, IMPORTS, STARTED, Ran


class Compiling(Vm):
    """`executions`: as those of `Tier`."""

    executions = 0
    tier: Tier

    def _make_tier(self) -> Tier:
        self.tier = Tier(self._engine, self.executions)
        return self.tier


def said(guest: Guest, vm: type[Vm], variant: Variant) -> tuple[object, ...]:
    """What a program prints, and what ends it."""
    output, errors = io.StringIO(), io.StringIO()
    with vm(compile_program(guest.source, guest.name), output, guest.stack, variant, errors=errors) as running:
        program = Ran(running, output, errors).wait()
    return program.output, program.errors, program.error, program.outcome.traceback


@contextmanager
def begun(
    source: str, executions: int = 0, heap: int = 1 << 20, imports: str = "", policy: Policy = FOLDED
) -> Iterator[tuple[Compiling, Ran]]:
    output, errors = io.StringIO(), io.StringIO()
    variant = compiling(Variant(policy=policy))
    made = type("Made", (Compiling,), {"executions": executions})
    with made(
        compile_program(imports + IMPORTS + STARTED + source, FILE), output, 4096, variant, heap, errors=errors
    ) as vm:
        yield vm, Ran(vm, output, errors)
