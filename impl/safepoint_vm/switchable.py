"""This interpreter without its optimisations, one after the other: CPU time of whole programs."""

from __future__ import annotations

import io
import time

from safepoint.differential.switchable import COMPILED, INTERPRETED, ONE_BY_ONE, Switchable, Timed
from safepoint.guest.code import Program
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.threads.vm import Vm
from safepoint_vm.tier.install import compiling
from safepoint_vm.tier.made import templates_of

VARIANTS = {ONE_BY_ONE: Variant(fused=False), INTERPRETED: PLAIN, COMPILED: compiling(PLAIN)}


class FoldedSwitchable(Switchable):
    """The `Switchable` half of the interpreter's target."""

    def timed(self, program: Program, way: str) -> Timed:
        variant = VARIANTS[way]
        engine(variant)  # loaded, or compiled, before the time begins
        if variant.loops:
            templates_of(variant, stepped=False)
        output = io.StringIO()
        began = time.process_time()
        with Vm(program, output, variant=variant) as vm:
            outcome = vm.start().outcome()
            vm.finish()
        took = time.process_time() - began
        return Timed(took, output.getvalue(), str(outcome.fault or ""))
