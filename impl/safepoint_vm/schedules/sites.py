"""The instructions before which another actor may go on; and what the check of one is in a trace, under each policy."""

from __future__ import annotations

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint.protocol.policy import Policy
from safepoint.trace.observe import Said, said, site_of
from safepoint_vm.language.machine import Exited

RESTARTS = (Exited.NEEDS_ROOM, Exited.LOCKED, Exited.HOT)
"""Machine code was left in the middle of an instruction, or before it, which begins again, or raises."""
CHOICES = (
    *("CALL", *BACK_EDGES),
    *(
        "ACQUIRE",
        "RELEASE",
        "JOIN",
        "COLLECT",
        "HANDSHAKE",
        "MASK",
        "UNMASK",
        "UNWOUND",
        "START",
        "PRINT",
        "PRINT_END",
        "INTERRUPT",
        "TERMINATE",
    ),
)
"""Opcodes before which another may go on: check sites of most policies, and those whose effect another thread can see …"""
SHARED = ("GLOBAL", "SET_GLOBAL", "STORE_INDEX", "INDEX", "APPEND", "POP", "LEN")
"""… where there are several guest threads, also these."""


def looped(entry: int) -> tuple[Said, Said]:
    """What the check of a back-edge is when it passes, and when it fails, by the entry that it reads."""
    return said("looped", detail=entry), said("entered", detail=site_of("back-edge", entry))


SITES = {"CALL": (said("pushed"), said("entered", detail="push"))} | {
    name: looped(index) for index, name in enumerate(BACK_EDGES)
}
"""Opcode -> the event that its check is when it passes, and when it fails."""
ELSEWHERE = said("checked"), said("entered", detail="elsewhere")
"""The same of one that checks elsewhere."""


def checks_elsewhere(op: str, policy: Policy) -> bool:
    """Is it a return, or an allocation, under a policy that checks there?"""
    return OPCODES[op].site == policy.elsewhere != ""


def is_choice(op: str, policy: Policy, *, alone: bool) -> bool:
    """May another actor go on before this opcode?  alone: there is no other guest thread."""
    return op in CHOICES or checks_elsewhere(op, policy) or (op in SHARED and not alone)


def events(op: str, policy: Policy, entry: int | None = None) -> tuple[Said, Said]:
    """What the check of an opcode is when it passes, and when it fails: which word it reads, only where each opcode has one.

    entry: of the row of entries the one that is read, if it is not the opcode's.
    """
    if checks_elsewhere(op, policy):
        return ELSEWHERE
    if entry is not None:
        return looped(entry)
    return SITES[op if op == "CALL" or "entry" in policy.words else BACK_EDGES[0]]


def looks(op: str, policy: Policy, frames: int, left: int) -> bool:
    """Has a passed instruction made an access at its check?  frames: how many pushes it has counted; left: of its budget, before.

    None makes a push or a back-edge of a policy without that site, or a back-edge with budget left.
    """
    if checks_elsewhere(op, policy):
        return True
    if op == "CALL":
        return frames != 0 and "push" in policy.sites
    spends = policy.trigger == "limit_and_budget" and left > 0
    return op in SITES and "back-edge" in policy.sites and not spends
