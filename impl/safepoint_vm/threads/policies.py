"""Under which policies threads can be raced, and scheduled: those whose checks there are, and whose sites the drivers know."""

from __future__ import annotations

from safepoint.protocol.policy import Policy
from safepoint_vm.handlers.shared.checks import MECHANISMS

KNOWN = ("push", "back-edge")
"""The sites that controlled schedules put into a trace."""


def why_not_raced(policy: Policy) -> str:
    """Why threads can be neither raced nor scheduled under a policy; "": they can be raced."""
    return "" if policy.trigger in MECHANISMS else "there is no machine code for its checks"


def why_not(policy: Policy) -> str:
    """Why threads cannot be scheduled under a policy; "": they can."""
    further = [site for site in policy.sites if site not in KNOWN]
    return why_not_raced(policy) or (f"schedules know no check at {', '.join(further)}" if further else "")
