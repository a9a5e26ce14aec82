"""Under which policies threads can be scheduled and raced: those whose checks there are, and whose sites campaigns know."""

from __future__ import annotations

from safepoint.protocol.policy import Policy
from safepoint_vm.handlers.shared.checks import MECHANISMS

KNOWN = ("push", "back-edge")
"""The sites that campaigns count."""


def why_not_scheduled(policy: Policy) -> str:
    """Why threads can be neither scheduled nor raced under a policy; "": they can be scheduled."""
    return "" if policy.trigger in MECHANISMS else "there is no machine code for its checks"


def why_not(policy: Policy) -> str:
    """Why threads cannot be raced under a policy; "": they can."""
    further = [site for site in policy.sites if site not in KNOWN]
    return why_not_scheduled(policy) or (f"campaigns know no check at {', '.join(further)}" if further else "")
