"""What is decided when an engine is compiled."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import COMPILED_BACK_EDGE, Policy

UNCHECKED = "unchecked_"
"""Before the name of a handler that checks nothing."""


@dataclass(frozen=True)
class Variant:
    """What is decided when an engine is compiled."""

    counting: bool = False  # count the checks that each thread executes
    hooked: bool = False  # call the host before each shared access of the protocol's code
    hosted: bool = False  # and have it make each of them
    policy: Policy = FOLDED  # where and how threads check, and what requesters poison
    protocol: bool = True  # False: no protocol at all, also for comparison
    mutant: str = ""  # of the protocol's text, or of the interpreter (`safepoint_vm.mutants`)
    collector_mutant: str = ""  # of the collector
    traced: bool = False  # log every event of a trace; not hooked then
    profiled: bool = False  # sample threads that ask for it; neither hooked nor traced then
    fused: bool = True  # False: programs are loaded without superinstructions, for comparison
    loops: int = 0  # how many back-edges compiled code may have (`safepoint_vm.tier`); 0: no function is compiled

    @property
    def superinstructions(self) -> bool:
        """Are programs loaded with them?  Not where each access of the protocol is seen, as the text has it."""
        return self.fused and not (self.hooked or self.hosted or self.traced)

    @property
    def patches(self) -> bool:
        """Do requesters overwrite the jumps of compiled code?"""
        return COMPILED_BACK_EDGE in self.policy.sites


PLAIN = Variant()


def logs_loops(policy: Policy) -> bool:
    """TRACED: does a back-edge that passes log that it has?  Where it counts, or is no site, the check itself logs what there is."""
    return "back-edge" in policy.sites and not policy.period
