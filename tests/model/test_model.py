"""The explorer: counts, bounds, mutants, and what must be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.text import ProtocolError, Text
from safepoint.model.bounds import bound_of
from safepoint.model.engines import engine
from safepoint.model.eventually import EVENTUALLY, check_liveness
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.memory.names import is_weak
from safepoint.model.mutants import all_mutants, first_of_each_trigger, hunt
from safepoint.model.properties import ALWAYS, SOMETIMES, Properties
from safepoint.model.scopes import APART, SCOPES, SLICES, VARIANTS, Scope, chosen, not_combined
from safepoint.model.system import Model
from safepoint.protocol.activities import CHECKS
from safepoint.protocol.policies import (
    CPYTHON,
    DART,
    FIRST,
    FOLDED,
    GO,
    GUARD_PAGE,
    HOTSPOT,
    OCAML,
    PATCHED,
    POLICIES,
    PYPY,
    PYPY_SAMPLING,
    SKYBISON,
    V8_IGNITION,
    V8_MAGLEV,
    WASMTIME,
    YARV,
)
from safepoint.protocol.policy import COMPILED_BACK_EDGE, FURTHER, SITE_OF, Bound, Policy
from safepoint.protocol.rules import RULES
from safepoint.verify.explore import decide
from safepoint.verify.text import LONG, WITH_TWO, must_reach
from tests.model.pinned import CAUGHT, CAUGHT_ELSEWHERE, COUNTS, LATE
from tests.model.pinning import counts, planned, planned_nightly
from tests.rules import by_rule, case

TEXT = Text()
DATA = Path(__file__).parent / "data"
LIMIT_ONLY = DATA / "limit_only.py"


def explored(scope: Scope, mutant: str = "", policy: Policy = FOLDED, memory: str = "sc") -> Result:
    model = Model(TEXT, scope, mutant, policy, memory)
    return search(model, Properties(model).judge)


SLOW = [key for key, (states, _) in COUNTS.items() if is_weak(key.split("/")[1]) and states > 5_000]
"""On the machine of views ten thousand states take a second and more: `verify` explores these, and a night does here."""


@pytest.mark.parametrize(
    "key", [key if key not in SLOW else pytest.param(key, marks=pytest.mark.nightly) for key in COUNTS]
)
def test_holds_within_the_declared_bound(key: str) -> None:
    policy, memory, name = key.split("/")
    result = explored(SCOPES[name], "", POLICIES[policy], memory)
    assert (result.broken, [result.states, result.transitions]) == ("", COUNTS[key])
    if result.states < 30_000:
        assert check_liveness(result).broken == ""
    if result.states < 100_000 and not is_weak(memory):
        assert bound_of(result.model, result).within(POLICIES[policy].declared)


def test_every_scope_is_pinned() -> None:
    assert list(COUNTS) == planned()
    assert list(LATE) == planned_nightly()


@pytest.mark.nightly  # up to five million states each
@pytest.mark.timeout(600)
@pytest.mark.parametrize("key", LATE)
def test_holds_in_the_nightly_scopes(key: str) -> None:
    """Bounds and what must happen in the end are decided in the smaller scopes only."""
    assert counts(key) == LATE[key]


@pytest.mark.parametrize(
    ("policy", "bound"),
    [
        (FOLDED, Bound(1, 1)),
        (DART, Bound(1, 1)),
        (CPYTHON, Bound(1, 1)),
        (PYPY, Bound(2, 2)),
        (V8_MAGLEV, Bound(1, 1)),
        (SKYBISON, Bound(1, None)),
        (GO, Bound(1, None)),
        (V8_IGNITION, Bound(1, 2)),
        (WASMTIME, Bound(1, 1)),
        (GUARD_PAGE, Bound(1, 1)),
        (YARV, Bound(None, 1, returns=1)),
        (HOTSPOT, Bound(None, 1, returns=1)),
        (OCAML, Bound(None, 1, allocations=1)),
        (PYPY_SAMPLING, Bound(None, None, allocations=1)),
        (PATCHED, Bound(1, 1)),
    ],
    ids=lambda x: x.name if isinstance(x, Policy) else str(x),
)
def test_the_declared_bound_is_attained(policy: Policy, bound: Bound) -> None:
    """1: the next check sees.  pypy: its owner's store may bring the old count back once, and then it runs out.  None: there is no check."""
    result = explored(SCOPES["interrupt-1"], "", policy)
    assert bound_of(result.model, result) == bound == policy.declared


def test_every_policy_has_its_bound_pinned() -> None:
    (marked,) = test_the_declared_bound_is_attained.pytestmark  # type: ignore[attr-defined]
    assert [policy for policy, _ in marked.args[1]] == list(POLICIES.values())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_site_is_checked_if_the_policy_has_it_and_has_a_bound_only_then(policy: str) -> None:
    declared, kinds = POLICIES[policy].declared.of_kinds(), {site: kind for kind, site in FURTHER.items()} | CHECKS
    sites = {*POLICIES[policy].sites} - {COMPILED_BACK_EDGE}  # it counts as a back-edge
    assert {site for site in SITE_OF.values() if declared[kinds[site]] is not None} == sites


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_a_tickers_bound_is_its_period(period: int, memory: str) -> None:
    policy = PYPY.with_period(period)
    assert policy.declared == Bound(period, period)
    result = explored(SCOPES["interrupt-1"], "", policy, memory)
    assert (result.broken, bound_of(result.model, result)) == ("", policy.declared)


@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize("scope", ["interrupt-1", "stop-1", "masks-1"])
@pytest.mark.parametrize("budget", [1, 2, 3, 4])
def test_a_budgets_bound_is_the_budget_and_pushes_see_at_once(budget: int, scope: str, memory: str) -> None:
    """The closed form: 1 frame, and as many back-edges as there are in the budget, whichever request it is."""
    policy = V8_IGNITION.with_period(budget)
    assert policy.declared == Bound(1, budget)
    result = explored(SCOPES[scope], "", policy, memory)
    assert (result.broken, bound_of(result.model, result)) == ("", policy.declared)


@pytest.mark.parametrize(
    ("threads", "states", "transitions"), [(1, 268, 568), (2, 14_622, 48_551), (3, 747_752, 3_392_472)]
)
def test_spin_and_tlc_agree(threads: int, states: int, transitions: int) -> None:
    """The counts of Spin 6.5 and TLC 2.15 for hand-written models of the same protocol (they count the initial state as a
    transition more); so what we take for one step is what was meant."""
    model = Model(Text((LIMIT_ONLY,)), Scope("limit-only", "", threads, ("coordinator",), "", widths=(("entry", 0),)))
    result = search(model, lambda _: None)
    assert (result.states, result.transitions) == (states, transitions)


def test_under_tso_spin_agrees_too() -> None:
    """48,712 states for two threads: Spin's count with store buffers as channels, and it does not grow with longer ones."""
    scope = Scope("limit-only", "", 2, ("coordinator",), "", widths=(("entry", 0),))
    model = Model(Text((LIMIT_ONLY,)), scope, memory="tso")
    assert search(model, lambda _: None).states == 48_712
    assert not model.buffer_was_full


@pytest.mark.parametrize("policy", POLICIES)
def test_every_step_and_branch_is_reached_somewhere(policy: str) -> None:
    everywhere: set[str] = set()
    reached: set[str] = set()
    with_two = [SCOPES[scope] for name, scope in WITH_TWO if name == policy]
    for scope in (*chosen("tiny", slices=POLICIES[policy].slices), *with_two):
        model = Model(TEXT, scope, policy=POLICIES[policy])
        search(model, lambda _: None)
        places, missing = model.places()
        everywhere |= places
        reached |= places - missing
    assert must_reach(POLICIES[policy], everywhere) - reached == set()
    assert any(place.startswith(f"{POLICIES[policy].trigger}.py:") for place in must_reach(POLICIES[policy], reached))


def test_a_scope_without_requests_reaches_no_slow_path() -> None:
    """The check of the check: where no role asks for anything, much of the text must be reported as unreached."""
    model = Model(TEXT, Scope("no-requester", "", 1, (), ""))
    search(model, lambda _: None)
    assert len(model.places()[1]) > 20


@pytest.mark.parametrize("name", SOMETIMES)
def test_interesting_states_are_reached(name: str) -> None:
    result = explored(SCOPES["both-1"])
    interesting = Properties(result.model).sometimes()[name]
    assert any(map(interesting, result.reached))
    assert not all(map(interesting, result.reached))


def broken_by(policy: str, mutant: str) -> str:
    return TEXT.with_trigger(POLICIES[policy].trigger).mutants[mutant].rule


@pytest.mark.parametrize(
    ("policy", "name"),
    [case(broken_by(p, m), f"{p}-{m}", p, m, nightly=(p, m) in LONG) for p, m in CAUGHT_ELSEWHERE],
)
def test_a_triggers_own_mutant_is_caught_by_its_policy(policy: str, name: str) -> None:
    hunted = hunt(TEXT, name, POLICIES[policy])
    assert hunted.result is not None
    assert (hunted.scope, hunted.memory, hunted.result.broken) == CAUGHT_ELSEWHERE[policy, name]


def test_every_triggers_own_mutants_are_expected() -> None:
    own = {(p.trigger, m) for p in first_of_each_trigger() if p is not FOLDED for m in own_mutants(p)}
    assert own == {(POLICIES[policy].trigger, name) for policy, name in CAUGHT_ELSEWHERE}
    assert {(p.name, m.name) for p, m in all_mutants() if p is not FOLDED} == set(CAUGHT_ELSEWHERE)


def own_mutants(policy: Policy) -> list[str]:
    """Those in the file of its trigger."""
    mutants = TEXT.with_trigger(policy.trigger).mutants.values()
    return [m.name for m in mutants if f"{policy.trigger}.py" in {file for file, _, _ in m.places}]


SHARED = [p for p in POLICIES.values() if p not in first_of_each_trigger()]
"""The policies that have their trigger from another, and perhaps not all of its sites."""


@pytest.mark.parametrize("policy", SHARED, ids=lambda p: p.name)
def test_its_mutants_are_caught_by_every_policy_that_compiles_them_in(policy: Policy) -> None:
    text = TEXT.with_trigger(policy.trigger)
    caught = set()
    for mutant in own_mutants(policy):
        if any(Model(text, s, mutant, policy).mutated for s in chosen("tiny", slices=policy.slices)):
            assert hunt(text, mutant, policy).result, mutant
            caught.add(mutant)
    assert caught == {m for p, m in CAUGHT_ELSEWHERE if POLICIES[p].trigger == policy.trigger} - NO_SITE[policy.name]


NO_SITE = {
    "skybison": {"checks-at-calls-only"},
    "go": {"checks-at-calls-only"},
    "yarv": set[str](),
    "hotspot": set[str](),
    "pypy_sampling": {"checks-at-allocations-only"},
}
"""Policy to the mistakes that take a site which it has not."""


@pytest.mark.nightly  # four minutes
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("policy", [name for name in POLICIES if name not in FIRST and name != PATCHED.name])
def test_a_further_policy_holds_in_the_small_scopes_too(policy: str) -> None:
    """`verify` explores them in the tiny ones, and in fewer of these under C11.  Of `patched`, which has more states, test_patched_code has the rest."""
    found = POLICIES[policy]
    for memory, group in (("sc", "small"), ("c11", "tiny")):
        for scope in chosen(group, slices=found.slices):
            decided = decide(Model(TEXT, scope, policy=found, memory=memory), found, engine())
            assert (decided.result.broken, decided.refuted) == ("", False), (memory, scope.name)


def test_a_mutant_that_no_scope_compiles_in_is_refused() -> None:
    with pytest.raises(
        ProtocolError, match=r"optional.py:\d+: mutant birth-keeps-bits is compiled into no scope of policy skybison"
    ):
        hunt(TEXT, "birth-keeps-bits", SKYBISON)
    said = r"limit.py:\d+: mutant checks-at-calls-only is compiled into no scope of policy go, .*, and which checks at no back-edge \(write"
    with pytest.raises(ProtocolError, match=said):
        hunt(TEXT, "checks-at-calls-only", GO)


@pytest.mark.parametrize("name", by_rule(TEXT.mutants.values()))
def test_mutant_is_caught_in_the_smallest_scope(name: str) -> None:
    hunted = hunt(TEXT, name)
    assert hunted.result is not None
    assert (hunted.scope, hunted.memory, hunted.result.broken) == CAUGHT[name]


def test_every_mutant_is_expected_somewhere() -> None:
    assert set(CAUGHT) == set(TEXT.mutants)


def test_store_buffers_are_needed_for_the_rules_about_barriers() -> None:
    under_tso = {TEXT.mutants[name].rule for name, (_, memory, _) in CAUGHT.items() if memory == "tso"}
    assert under_tso == {rule for rule in RULES if rule.endswith("-IS-A-BARRIER")}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_mutant(rule: str) -> None:
    pinned = CAUGHT_ELSEWHERE | {(FOLDED.name, name): caught for name, caught in CAUGHT.items()}
    mutants = [pinned[policy.name, mutant.name] for policy, mutant in all_mutants() if mutant.rule == rule]
    assert mutants, f"nothing in the text breaks {rule}"
    assert {broken for _, _, broken in mutants} <= set(RULES[rule].checks)
    assert set(RULES[rule].checks) <= set(ALWAYS | EVENTUALLY)


def test_the_text_cites_its_rules() -> None:
    """Each rule stands as a comment beside the line that obeys it, and no comment names another."""
    texts = [TEXT.with_trigger(name) for name in dict.fromkeys(policy.trigger for policy in POLICIES.values())]
    cited = {word.strip(".,:") for text in texts for lines in text.lines.values() for line in lines
             for word in line.partition("  # ")[2].split() if "-" in word and word.strip(".,:").replace("-", "").isupper()}  # fmt: skip
    assert cited == set(RULES) == {m.rule for text in texts for m in text.mutants.values()}


@pytest.mark.parametrize(
    ("mutant", "bound"),
    [
        ("word-forgotten", Bound(frames=1, back_edges=None)),
        ("take-before-restore", Bound(frames=None, back_edges=None)),
    ],
)
def test_a_broken_text_has_no_bound(mutant: str, bound: Bound) -> None:
    """Explored on past its broken property: a thread that only loops never reads the limit, for ever."""
    model = Model(TEXT, SCOPES["interrupt-1"], mutant)
    assert bound_of(model, search(model, lambda _: None)) == bound
    assert not bound.within(FOLDED.declared)


def test_the_first_counterexample_is_a_shortest_one() -> None:
    """Every state before the last one, and every state at a smaller depth, is good."""
    result = explored(SCOPES["interrupt-1"], "take-before-restore")
    judge = Properties(result.model).judge
    assert judge(result.path[-1])
    assert not any(judge(state) for state in result.reached if state != result.path[-1])


def test_too_many_states_are_no_verdict() -> None:
    model = Model(TEXT, SCOPES["both-1"])
    with pytest.raises(NotExplored, match="more than 1,000 states"):
        search(model, Properties(model).judge, most=1_000)


def test_a_full_store_buffer_is_no_verdict() -> None:
    """Without its barrier the way back from native code fills any buffer: nothing may be said to hold."""
    model = Model(TEXT, SCOPES["interrupt-1"], "reenter-unfenced", FOLDED, "tso")
    with pytest.raises(NotExplored, match="a store buffer was full"):
        search(model, lambda _: None)


def test_every_pair_of_features_is_combined() -> None:
    assert {(name,) for name in SLICES} <= {s.slices for s in chosen("tiny")}
    assert all(any({a, b} <= set(s.slices) for s in chosen("small")) for a in SLICES for b in SLICES)


def test_what_is_not_combined_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_left_out(scope: Scope) -> bool:
        together = {*scope.slices, *scope.roles}
        return any(pair <= together for pair in ({"masks", "limit"}, {"sampler", "handshaker"}, {"sampler", "births"}))

    for scope in filter(is_left_out, list(SCOPES.values())):
        monkeypatch.delitem(SCOPES, scope.name)
    *missing, apart, last = not_combined()
    assert missing == ["masks + limit", "sampler + handshaker", "sampler + births"]
    assert set(apart.partition(": ")[2].split(", ")) == {*VARIANTS, *APART}
    assert last == "two features in more than 1 thread"
    assert "sampler + coordinator" in set(not_combined("small")) - set(not_combined())


def test_a_scope_says_why_it_is_there() -> None:
    """A reason of its own: a scope with another's reason has none."""
    assert all(s.why for s in SCOPES.values())
    assert len({s.why for s in SCOPES.values()}) == len(SCOPES)
    assert len({(s.threads, s.roles, s.slices, s.depth, s.widths) for s in SCOPES.values()}) == len(SCOPES)
