"""Any number of threads from one: where the argument holds, where it must be refused, and what exploring shows of both."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from safepoint.graph.text import Text
from safepoint.model.custom import judge_of, scopes_of
from safepoint.model.explore import Result, search
from safepoint.model.roles import roles
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.proof.any_number import argument, resized
from safepoint.protocol.policies import FOLDED, POLICIES
from tests.model.own_worlds import DEBUGGER, MUTATOR, text_of
from tests.proof.projection import projection

TEXT = Text()
DATA = Path(__file__).parents[1] / "model" / "data"
SPLIT_COUNT = DATA / "split_count.py"
LIMIT_ONLY = DATA / "limit_only.py"
COUNTS: dict[str, list[int]] = json.loads((DATA / "counts.json").read_text(encoding="utf-8"))
LARGE = 300_000
"""States: a projection of as many takes over 5 s."""
ONE = Scope("one", "tiny", 1, ("coordinator",), "for the texts of this file")
PLACE = re.compile(r"([\w.]+):(\d+) `([^`]*)`")


def explored(model: Model) -> Result:
    return search(model, judge_of(model))


@pytest.mark.parametrize(
    ("policy", "memory"),
    # it reads the graphs, which are the same under both memory models
    [*((policy, "sc") for policy in POLICIES), ("folded", "tso")],
)
def test_the_core_needs_one_thread_only(policy: str, memory: str) -> None:
    """Two requesters and no features: what a thread does, it does to itself."""
    roles = {role for scope in SCOPES.values() for role in scope.roles}
    scope = replace(ONE, roles=tuple(sorted(roles & {"coordinator", "interrupter"})))
    reasons = argument(Model(TEXT, scope, "", POLICIES[policy], memory)).reasons
    if policy == "wasmtime":  # its counter is for all: a requester that posts writes what every thread reads
        assert reasons
        assert all("epoch.py" in reason for reason in reasons)
        return
    if policy == "patched":  # whose claims are numbers of threads
        assert reasons == ("patched_jumps.py: claim_of() compares threads",)
        return
    assert reasons == ()


EACH_ALONE = {scope.name for scope in chosen("tiny")}


@pytest.mark.parametrize(
    "name",
    # every slice and every role alone; features that come together bring the same statements again, at 0.3 s a scope
    [pytest.param(name, marks=[] if name in EACH_ALONE else pytest.mark.nightly) for name in SCOPES],
)
def test_what_breaks_the_argument_is_named(name: str) -> None:
    """It holds where no guest thread is a requester, and none has a handler; elsewhere statements of the text are to blame."""
    scope = SCOPES[name]
    found = argument(Model(TEXT, scope))
    posts = {"collect", "asking", "nesting"} & set(scope.slices) or "signal_handler" in scope.roles
    # a requester that fences all threads while it claims an operation on one: the argument does not see that the rest is noise
    assert found.holds == (not posts and name != "membarrier-handshake-1")
    for reason in found.reasons:
        places = PLACE.findall(reason)
        assert places, reason
        for file, line, source in places:
            assert source in TEXT.source(file, int(line))


BEYOND = {
    "@each_thread\ndef own(t: Thread) -> None:\n    t.x.swap(1)\n    return own(t)\n": "the own belongs to one of the threads (",
    "@handler\ndef own(t: Thread) -> None:\n    pause()\n    t.x.swap(1)\n    return own(t)\n": "the own runs on one of the threads (",
    "def own() -> None:\n    pause()\n    for t in threads():\n        for u in threads():\n            if t is not u:\n                t.x.swap(1)\n"
    "    return own()\n": "mine.py: own() compares threads",
    DEBUGGER: "a thread is suspended by its held",
}  # fmt: skip


@pytest.mark.parametrize("role", BEYOND)
def test_what_the_argument_does_not_know_is_refused(role: str, tmp_path: Path) -> None:
    text = text_of(tmp_path, MUTATOR.replace("pause()", "t.y.load()"), role)
    found = argument(Model(text, scopes_of(text)[f"{roles(text)[0]}-1"]))
    assert not found.holds
    assert any(reason.startswith(BEYOND[role]) for reason in found.reasons)


TWO = [s for s in SCOPES.values() if s.threads == 2 and s.group != "nightly" and not s.slices and len(s.roles) == 1]


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(s, id=s.name, marks=pytest.mark.nightly if COUNTS[f"folded/sc/{s.name}"][0] > LARGE else ())
        for s in TWO
    ],
)
def test_two_threads_see_what_one_sees(scope: Scope) -> None:
    """The check by projection, for every claim that is small enough to explore with two."""
    many = Model(TEXT, scope)
    assert argument(many).holds
    one = resized(many, 1)
    seen = projection(explored(many), explored(one))
    assert [p.thread for p in seen] == [0, 1]
    assert all(p.equal and p.common for p in seen), seen


def test_two_threads_see_what_one_sees_under_tso() -> None:
    many = Model(Text((LIMIT_ONLY,)), replace(ONE, threads=2), "", FOLDED, "tso")
    assert argument(many).holds
    seen = projection(search(many, lambda _: None), search(resized(many, 1), lambda _: None))
    assert all(p.equal and p.common for p in seen), seen


# ---------------------------------------------------------------------------------------------- where it must be refused


def test_a_count_by_load_and_store_passes_with_one_thread_and_fails_with_two() -> None:
    one = Model(Text((SPLIT_COUNT,)), ONE, "split-count")
    two = resized(one, 2)
    assert explored(one).broken == ""
    assert explored(two).broken == "no-deadlock"  # a lost count is waited for
    found = argument(one)
    assert not found.holds
    told = "\n".join(found.reasons)
    assert "world.active: a thread writes it (split_count.py:" in told
    assert "another thread reads it" in told
    assert "the coordinator reads it" in told
    seen = projection(search(two, lambda _: None), search(one, lambda _: None))
    assert all(p.only_many for p in seen), "a second thread shows states that one alone does not"


def test_refused_is_not_refuted() -> None:
    """Counted with a compare-and-swap it is right for two threads, and still nothing that one thread could decide."""
    one = Model(Text((SPLIT_COUNT,)), ONE)
    assert explored(resized(one, 2)).broken == ""
    assert not argument(one).holds


PICKY = """

def coordinator() -> None:
    seen = NATIVE
    for t in threads():
        now = t.state.load()
        if {who} != MANAGED:
            t.pending.fetch_or(1)
        seen = now
    return coordinator()
"""


@pytest.mark.parametrize(("who", "holds"), [("seen", False), ("now", True)])
def test_a_requester_may_look_at_the_thread_it_works_on_only(who: str, holds: bool, tmp_path: Path) -> None:
    """One that posts to a thread by what it saw of the thread before treats the second otherwise than an only one."""
    source = LIMIT_ONLY.read_text()
    path = tmp_path / "picky.py"
    path.write_text(source[: source.index("def coordinator")] + PICKY.format(who=who))
    found = argument(Model(Text((path,)), ONE))
    assert found.holds == holds
    if not holds:
        carried, dependent = found.reasons
        assert carried.startswith(
            "seen: a local that the coordinator carries from one turn of a loop over threads to the next (picky.py:"
        )
        assert "the coordinator treats a thread by what it finds in another (picky.py:" in dependent
