"""What is claimed of every VM with safepoints, by name.

A claim is a function of the target's `Runs`: it returns `Evidence`, or raises `Refuted` at the first case that breaks it, or
NotOffered.  All of it is deterministic, so running a claim again repeats its refutation.  The docstring of a claim is its sentence
in reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safepoint.conform import further_claims as further
from safepoint.conform import running_claims as running
from safepoint.conform.runs import Evidence, Runs


@dataclass(frozen=True)
class Claim:
    """`sentence`: what is claimed, for reports.  `check`: tries it."""

    name: str
    sentence: str
    check: Callable[[Runs], Evidence]


def claim_of(check: Callable[[Runs], Evidence]) -> Claim:
    """The claim that a function tries."""
    return Claim(check.__name__.replace("_", "-"), check.__doc__ or "", check)


CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in map(
        claim_of,
        (
            running.runs_as_python_does,
            running.seen_within_bound,
            running.exactly_once,
            running.neither_hides_the_other,
            running.seen_again,
            running.interrupt_raises,
            running.nothing_else_changes,
            running.no_fake_overflow,
            running.storm_progress,
            running.storm_starves_no_thread,
            running.not_lost_in_slow_path,
            running.ended_thread_is_left_alone,
            further.checks_pass_again,
            further.requester_is_answered,
            further.except_and_finally_run,
            further.masks_hold,
            further.blocked_guest_is_woken,
            further.blocked_guest_is_not_waited_for,
            further.threads_are_told_apart,
            further.births_are_clean,
        ),
    )
}
