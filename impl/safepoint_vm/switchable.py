"""This interpreter with superinstructions and without: CPU time of whole programs."""

from __future__ import annotations

import io
import time

from safepoint.differential.switchable import Switchable, Timed
from safepoint.guest.code import Program
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.threads.vm import Vm

UNFUSED = Variant(fused=False)


class FoldedSwitchable(Switchable):
    """The `Switchable` half of the interpreter's target."""

    def timed(self, program: Program, *, fused: bool) -> Timed:
        variant = PLAIN if fused else UNFUSED
        engine(variant)  # loaded, or compiled, before the time begins
        output = io.StringIO()
        began = time.process_time()
        with Vm(program, output, variant=variant) as vm:
            outcome = vm.start().outcome()
            vm.finish()
        took = time.process_time() - began
        return Timed(took, output.getvalue(), str(outcome.fault or ""))
