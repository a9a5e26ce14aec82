"""What the interpreter offers `verify` of its runs on real cores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from safepoint.conform.target import NotOffered
from safepoint.differential.cores import CoresRun, LitmusRow, OnCores, Tell
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy
from safepoint_vm.cores.campaign import GRACE, MUTANT_GRACE, Campaign
from safepoint_vm.cores.hosted import run_hosted
from safepoint_vm.cores.litmus.declared import LITMUS
from safepoint_vm.cores.litmus.run import run_litmus
from safepoint_vm.cores.phases import CAMPAIGN, phases_for
from safepoint_vm.cores.races import SENTENCES
from safepoint_vm.cores.under import campaign_for, not_claimed, phases_under
from safepoint_vm.mutants import HOST, part_of
from safepoint_vm.threads.policies import why_not

BATCH, BATCH_SECONDS = 10_000, 1.5
"""Requests to a mutant, between two looks whether anything is wrong; and the time for them."""


class FoldedOnCores(OnCores):
    """This interpreter."""

    def race(
        self, requests: int, seconds: float, seed: int, tell: Tell | None = None, policy: str = FOLDED.name
    ) -> CoresRun:
        two_cores()
        campaign = Campaign(seed=seed, policy=can_race(policy))
        if policy == FOLDED.name:
            run_hosted(campaign.run, "", GRACE)
            return campaign.phases(CAMPAIGN, requests, seconds, tell)
        return campaign.phases(campaign_for(campaign.policy), requests, seconds, tell)

    def race_mutant(self, mutant: str, requests: int, seed: int, policy: str = FOLDED.name) -> CoresRun:
        two_cores()
        campaign = Campaign(mutant, seed, can_race(policy))
        if part_of(mutant) == HOST:
            run_hosted(campaign.run, mutant, MUTANT_GRACE)
        phases = phases_under(campaign.policy, mutant, phases_for(mutant))
        while not campaign.run.wrong and campaign.run.requests < requests:
            campaign.phases(phases, BATCH, BATCH_SECONDS)
        return campaign.run

    def not_raced(self, policy: str) -> str:
        return not_claimed(POLICIES[policy])

    def litmus_tests(self) -> Sequence[tuple[str, str]]:
        return [(test.name, mutant) for test in LITMUS for mutant in ("", *test.mutants)]

    def litmus(self, name: str, mutant: str, rounds: int, most: int, seed: int) -> LitmusRow:
        two_cores()
        return run_litmus(next(test for test in LITMUS if test.name == name), rounds, most, seed, mutant)

    def races(self) -> Mapping[str, str]:
        return SENTENCES


def can_race(policy: str) -> Policy:
    """The policy.  NotOffered: it has no machine code."""
    found = POLICIES[policy]
    if why := why_not(found):
        raise NotOffered(f"policy {policy}: {why}")
    return found


def two_cores() -> None:
    """NotOffered: there is one core only, and nothing races."""
    if len(os.sched_getaffinity(0)) < 2:
        raise NotOffered("a second core (this process may use one only)")
