"""What each policy's checks cost this interpreter: instructions on the fast paths of its machine code, and CPU time."""

from __future__ import annotations

import time
from collections.abc import Mapping

from safepoint.differential.costs import WITHOUT, Costed
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.engine import Variant, engine
from safepoint_vm.generate.listing import fast_path, listing
from safepoint_vm.generate.parts import parts_of
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import World
from safepoint_vm.memory.heap import GuestHeap
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.thread import GuestThread

STACK = 1 << 16  # slots
SITES = {"frame_push": "CALL", "back_edge": "JUMP_BACK", "return": "RETURN", "allocation": "LIST"}
"""Kind of site -> the opcode whose fast path is counted: the simplest that has it."""


def variant_of(policy: Policy | None) -> Variant:
    """The plain engine with a policy's checks; WITHOUT: without any protocol."""
    return Variant(policy=policy) if policy is not WITHOUT else Variant(protocol=False)


class FoldedCosts(Costed):
    """The `Costed` half of the interpreter's target."""

    def has_checks_of(self, policy: Policy) -> bool:
        return policy.trigger in MECHANISMS

    def instructions(self, policy: Policy | None) -> Mapping[str, int]:
        ours, plain = parts_of(variant_of(policy)), parts_of(variant_of(WITHOUT))
        return {
            kind: len(fast_path(listing(ours, name))) - len(fast_path(listing(plain, name)))
            for kind, name in SITES.items()
        }

    def seconds(self, policy: Policy | None, source: str) -> float:
        """Of a fresh guest thread, on this OS thread: nothing is posted, so it never leaves machine code before its end."""
        built = engine(variant_of(policy))
        image = Image(built, compile_program(source, "cost"))
        guest = GuestThread(built, image, image.globals(), GuestHeap(built, Record(World)), STACK)
        began = time.process_time()
        why = guest.enter()
        took = time.process_time() - began
        assert why is Exited.FINISHED
        return took
