"""Under which policies threads can be scheduled and raced: those whose checks there are, and whose sites the drivers know."""

from __future__ import annotations

from safepoint.protocol.policy import Policy
from safepoint_vm.handlers.shared.checks import MECHANISMS

KNOWN = ("push", "back-edge")
"""The sites that controlled schedules put into a trace, and campaigns count."""


def why_not(policy: Policy) -> str:
    """Why threads can be neither scheduled nor raced under a policy; "": they can."""
    if policy.trigger not in MECHANISMS:
        return "there is no machine code for its checks"
    further = [site for site in policy.sites if site not in KNOWN]
    return f"schedules and campaigns know no check at {', '.join(further)}" if further else ""
