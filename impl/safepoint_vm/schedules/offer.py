"""What the interpreter offers `verify` of controlled schedules."""

from __future__ import annotations

import functools

from llvmlite import ir

from safepoint.conform.target import NotOffered
from safepoint.differential.controlled import Case, Controlled, Ran
from safepoint.differential.schedulers import Scheduler
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.generate.protocol import add_protocol
from safepoint_vm.mutants import MUTANTS
from safepoint_vm.schedules.run import ControlledRun


class FoldedControlled(Controlled):
    """This interpreter."""

    def control(self, case: Case, scheduler: Scheduler, mutant: str = "") -> Ran:
        self.must_compile(mutant)
        try:
            run = ControlledRun(case, scheduler, mutant)
        except ProtocolCodeError as refused:
            raise NotOffered(f"mutant {mutant}: {refused}") from None
        return run.run()

    def must_compile(self, mutant: str) -> None:
        """NotOffered: a mutant of the text that makes no difference here would be run as if it were none."""
        if mutant and not self.compiles(mutant):
            raise NotOffered(f"mutant {mutant}: no procedure that it compiles has it")

    def compiles(self, mutant: str) -> bool:
        try:
            return mutant in MUTANTS or _code(mutant) != _code("")
        except ProtocolCodeError:
            return True  # it changes a procedure so that it has no machine code: `control` says why


@functools.lru_cache(maxsize=2)
def _code(mutant: str) -> str:
    """The procedures as they are before they are optimized."""
    module = ir.Module("procedures")
    add_protocol(module, mutant, hooked=False)
    return str(module)
