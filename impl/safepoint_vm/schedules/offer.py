"""What the interpreter offers `verify` of controlled schedules."""

from __future__ import annotations

import functools

from llvmlite import ir

from safepoint.conform.target import NotOffered
from safepoint.differential.controlled import COMPILED, INSTALLS, Case, Controlled, Ran
from safepoint.differential.schedulers import Scheduler
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint_vm.generate.counted import changes_a_check
from safepoint_vm.generate.procedures import ProtocolCodeError
from safepoint_vm.generate.protocol import HostedEmitter, add_protocol
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS
from safepoint_vm.mutants import MUTANTS
from safepoint_vm.schedules.run import ControlledRun
from safepoint_vm.threads.policies import why_not

NEEDS = {
    **dict.fromkeys(("compiled-loop-unpoisoned", "compiled-loop-jumps-straight"), (COMPILED, INSTALLS)),
    "install-makes-real": (INSTALLS,),
}
"""Mutants that make no difference in other code: what of `Case.code` they need."""


class FoldedControlled(Controlled):
    """This interpreter."""

    def control(self, case: Case, scheduler: Scheduler, mutant: str = "") -> Ran:
        if why := self.why_not(case.policy):
            raise NotOffered(f"policy {case.policy}: {why}")
        if case.code and (why := self.why_not_compiled(case.policy)):
            raise NotOffered(f"compiled code under policy {case.policy}: {why}")
        self.must_compile(mutant, case.policy)
        if (needs := self.code_for(mutant)) and case.code not in needs:
            raise NotOffered(f"mutant {mutant}: it makes a difference only in code that is {' or '.join(needs)}")
        try:
            run = ControlledRun(case, scheduler, mutant)
        except ProtocolCodeError as refused:
            raise NotOffered(f"mutant {mutant}: {refused}") from None
        return run.run()

    def why_not(self, policy: str) -> str:
        return why_not(POLICIES[policy])

    def why_not_compiled(self, policy: str) -> str:
        if why := self.why_not(policy):
            return why
        if POLICIES[policy].trigger == FOLDED.trigger:
            return ""
        return "compiled code is stepped through the entries of a dispatch table, which its compiled back-edges do not go through"

    def code_for(self, mutant: str) -> tuple[str, ...]:
        return NEEDS.get(mutant, ())

    def must_compile(self, mutant: str, policy: str = FOLDED.name) -> None:
        """NotOffered: a mutant of the text that makes no difference here would be run as if it were none."""
        if mutant and not self.compiles(mutant, policy):
            raise NotOffered(f"mutant {mutant}: no procedure that it compiles has it")

    def compiles(self, mutant: str, policy: str = FOLDED.name) -> bool:
        trigger, sites = POLICIES[policy].trigger, POLICIES[policy].sites
        try:
            differs = mutant in MUTANTS or _differs(mutant, trigger)
            return differs or (mutant in CHECK_MUTANTS and changes_a_check(mutant, trigger, sites))
        except ProtocolCodeError:
            return True  # it changes a procedure so that it has no machine code: `control` says why

    def can_be_late(self, policy: str) -> bool:
        return _can_be_hosted(POLICIES[policy].trigger)


@functools.cache
def _can_be_hosted(trigger: str) -> bool:
    """Can the host make each of its accesses?"""
    try:
        add_protocol(ir.Module("procedures"), "", hooked=True, emitter=HostedEmitter, trigger=trigger)
    except ProtocolCodeError:
        return False
    return True


@functools.cache
def _differs(mutant: str, trigger: str) -> bool:
    """Does a mutant of the text change any procedure?"""
    return _code(mutant, trigger) != _code("", trigger)


@functools.lru_cache(maxsize=4)
def _code(mutant: str, trigger: str) -> str:
    """The procedures as they are before they are optimized."""
    module = ir.Module("procedures")
    add_protocol(module, mutant, hooked=False, trigger=trigger)
    return str(module)
