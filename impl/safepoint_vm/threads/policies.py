"""Under which policies threads can be scheduled and raced: those whose checks handlers make."""

from __future__ import annotations

from safepoint.protocol.policy import Policy
from safepoint_vm.handlers.shared.checks import MECHANISMS


def why_not(policy: Policy) -> str:
    """Why threads can be neither scheduled nor raced under a policy; "": they can."""
    return "" if policy.trigger in MECHANISMS else "there is no machine code for its checks"
