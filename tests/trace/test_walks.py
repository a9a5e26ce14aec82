"""The acceptor against the explorer: a path of the model is a run, and is accepted; one that only a mutant makes is refused."""

from __future__ import annotations

import io
from random import Random

import pytest

from safepoint.model.scopes import LESS, SCOPES, Scope, not_written_for
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import COMPILED_BACK_EDGE
from safepoint.trace.accept import Acceptor
from safepoint.trace.files import write_trace
from safepoint.trace.layout import FEATURES, VARIANTS, Layout
from safepoint.trace.verdict import judge
from tests.model.counterexamples import ALL_CAUGHT, LATER, counterexample, mutated
from tests.trace.walks import Walk, header, model_of, stamped

NOT_LOGGED = {"limit", "asking", "nesting", "records", "fairness", *LESS}
"""Features of the model that no event says."""


def may_be_logged(scope: Scope) -> bool:
    return not NOT_LOGGED & {*scope.slices} and "finder" not in scope.roles


WALKED = [
    (policy, scope.name)
    for policy, found in POLICIES.items()
    for scope in SCOPES.values()
    if scope.group == "tiny" and may_be_logged(scope) and not not_written_for(scope, found)
]
TWO = [("folded", "both-2"), ("folded", "stop-2")]
SAMPLE = ("both-1", "handshake-1")
"""Of policies other than folded; the rest is nightly."""
PLAIN = [pair for pair in WALKED if pair[0] == "folded" or pair[1] in SAMPLE]


def walked(policy: str, scope: str, overlap: int, moves: int) -> None:
    """A walk in which each event overlaps up to n others'."""
    model = model_of(policy, scope)
    names = [thread.name for thread in model.mutators]
    walk = Walk(model, Random(overlap))
    walk.run(moves)
    file = io.BytesIO()
    variants = [s for s in model.scope.slices if s in VARIANTS]
    write_trace(file, header(model, variants=variants), stamped(walk, names, Random(overlap), overlap))
    file.seek(0)
    verdict = judge(file, "walk")
    assert verdict.refusal is None
    assert verdict.events == len(walk.events) > moves // 3


@pytest.mark.parametrize(("policy", "scope"), [*PLAIN, *TWO])
def test_a_path_of_the_explorer_is_accepted(policy: str, scope: str) -> None:
    walked(policy, scope, 2, 150)


@pytest.mark.parametrize("scope", ["handshake-1", "newborn-1"])
def test_what_a_requester_begins_while_the_end_of_what_it_did_before_is_hidden_is_accepted(scope: str) -> None:
    """dart's post looks at the limit first, which is no event."""
    for overlap in range(6):
        walked("dart", scope, overlap, 600)


@pytest.mark.nightly  # ten walks of each scope
@pytest.mark.parametrize(("policy", "scope"), [*WALKED, *TWO])
def test_long_paths_are_accepted(policy: str, scope: str) -> None:
    for overlap in range(5):
        walked(policy, scope, overlap, 1500)


INVISIBLE = {
    "push-not-retried": "what a site raises is not logged",
    "terminate-again": "an unwinding is not logged, so a second TERMINATE may always be taken",
    "unmask-unwinds": "the same",
    "looks-too-early": "a look is hidden: it may have been made at any time since the event before",
    "post-waits-its-turn": "a requester that waits for ever has logged nothing wrong",
    "waits-for-itself": "whose claim it is is not logged; that it waits for ever is nothing wrong",
    "wakes-without-a-look": "a sleep without that look is allowed too",
    "helper-never-polls": "a check that is not made is not logged",
    "checks-at-calls-only": "the same",
    "checks-at-loops-only": "the same",
    "checks-at-allocations-only": "the same",
    "compares-the-real-limit": "the same: of the word that is compared no event says anything",
    "budget-refilled": "the same: what a budget counts is not logged",
}
"""Mutants whose walks are accepted, each with the reason."""

NEAR = {
    "spurious-is-overflow", "overflow-wins", "unlocked-post", "given-back-unpoisoned", "unwound-forgets", "coordinator-stays",
    "stays-stopped", "never-restored", "born-running", "gives-up-half", "takes-posts-back", "unlocked-take",
}  # fmt: skip
"""Mutants that are refused with a rule that stands beside the one they break."""

NEAR_OF = {("wasmtime", "word-forgotten")}
"""The same of one policy alone: an advance that never comes is missed where the post goes on without it."""

WALKABLE = [
    (policy, mutant)
    for (policy, mutant), (scope, memory, _) in ALL_CAUGHT.items()
    if memory == "sc" and may_be_logged(SCOPES[scope]) and "exclusive" not in SCOPES[scope].slices
    if COMPILED_BACK_EDGE
    not in POLICIES[policy].sites  # whose counterexamples execute compiled code, and a trace has none
]


@pytest.mark.parametrize(("policy", "mutant"), WALKABLE)
def test_a_path_of_a_mutant_is_refused(policy: str, mutant: str) -> None:
    """The explorer's counterexample, and a random walk on from there: where only the end counts, random walks alone."""
    scope, _, broken = ALL_CAUGHT[policy, mutant]
    path: tuple[int, ...]
    if broken in LATER:
        model = mutated(mutant, policy)
        path, moves = (model.initial,), 150
    else:
        result = counterexample(mutant, policy)
        model, path, moves = result.model, result.path, 60
    names = [thread.name for thread in model.mutators]
    variants = [s for s in SCOPES[scope].slices if s in VARIANTS]
    found = []
    for seed in range(4 if mutant in INVISIBLE else 16):
        walk = Walk(model, Random(seed), busy=1 + seed % 4 * 4)
        walk.run(moves, walk.follow(path))
        acceptor = Acceptor(Layout(header(model, variants=variants)))
        events = stamped(walk, names, Random(seed))
        if not (all(acceptor.take(event, 2 + number) for number, event in enumerate(events)) and acceptor.finish()):
            assert acceptor.refusal is not None
            found.append(acceptor.refusal.rule)
            break
    rule = model.text.mutants[mutant].rule
    assert (found == []) == (mutant in INVISIBLE)
    assert found in ([], [rule]) or mutant in NEAR or (policy, mutant) in NEAR_OF, found


def test_every_feature_is_walked() -> None:
    shown = {s for _, scope in PLAIN for s in SCOPES[scope].slices}
    assert {*FEATURES} <= shown
    assert {"membarrier", "leaving"} <= shown & {*VARIANTS}
