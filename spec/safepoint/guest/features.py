"""Which features of the protocol a guest program needs, and whether a policy's text is written for them.

A collection is not among them: it is a stop like any other, from a guest thread, and a thread that is alone waits for no other.
"""

from __future__ import annotations

from safepoint.guest.code import Program
from safepoint.protocol.policy import Policy

NEEDS = {
    "START": "births",
    "SLEEP": "blocking",
    "JOIN": "blocking",
    "ACQUIRE": "blocking",
    "MASK": "masks",
    "TERMINATE": "unwinding",
    "UNWOUND": "unwinding",
}
"""Opcode -> the feature (of `model.scopes.SLICES`) that its execution needs."""


class NotWrittenFor(Exception):
    """A program cannot run under a policy; one line that says why, and what to do."""


def refuse(program: Program, policy: Policy) -> None:
    """NotWrittenFor: an instruction of the program needs what the policy's text does not have."""
    for code in program.codes:
        for instruction in code.instructions:
            feature = NEEDS.get(instruction.op, "")
            if feature and feature not in policy.slices:
                raise NotWrittenFor(
                    f"{program.file}: {code.name}() executes {instruction.op}: the text of policy {policy.name} is not written for {feature}"
                    " (choose another policy: -p folded)"
                )
