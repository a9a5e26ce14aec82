"""The accesses of a text by name, and mutants of their orders."""

from __future__ import annotations

from functools import cache

import pytest

from safepoint.graph.accesses import accesses, find_mutant, weakened
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.explore import search
from safepoint.model.memory.names import C11, TSO
from safepoint.model.mutants import memories_for
from safepoint.model.path import path_of, replay
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, chosen, instance_of
from safepoint.model.system import Model
from safepoint.protocol import TRIGGERS, files
from safepoint.protocol.policies import POLICIES

TEXT = Text()


@cache
def compiled(policy: str) -> dict[tuple[str, int], str]:
    """Place of each access of the policy's scopes to its order."""
    found: dict[tuple[str, int], str] = {}
    text = Text(files(POLICIES[policy].trigger))
    for scope in chosen("tiny", slices=POLICIES[policy].slices):
        instance = instance_of(scope, POLICIES[policy])
        for role in ("mutator", *scope.roles):
            found |= {(s.file, s.line): s.order for s in compile_graph(text, role, instance).steps if s.cell}
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_they_are_what_the_graphs_access(policy: str) -> None:
    """Of every scope that the policy has: the same places, each with the order that its steps have."""
    trigger = POLICIES[policy].trigger
    text = Text(files(trigger))
    named = {access.place: access.order for access in accesses(text).values()}
    assert compiled(policy).items() <= named.items()
    with_its_trigger = set().union(*(compiled(p.name) for p in POLICIES.values() if p.trigger == trigger))
    others = {access.file for access in accesses(text).values() if access.place not in with_its_trigger}
    assert others <= {
        "optional.py",
        "variants.py",
        "requests.py",
        "owner.py",
        "requester.py",
        "roles.py",
    }  # no slice of its
    if policy == "folded":
        assert named == compiled(policy)


def test_a_second_access_of_a_name_has_a_number() -> None:
    found = accesses(TEXT)
    assert list(found) == [access.name for access in found.values()]
    first, second = (found[name] for name in ("finder.life.load", "finder.life.load-2"))
    assert first.line < second.line


@pytest.mark.parametrize(
    ("weaker", "written", "scope"),
    [
        ("reenter.stop.look.acquire", "reenter-acquire", "stop-1"),
        ("run_for.state.look.acquire", "claim-acquire", "handshake-1"),
        ("awaken.wake.publish.release", "wake-release", "blocking-1"),
    ],
)
def test_a_mutant_that_stands_in_the_text_does_the_same(weaker: str, written: str, scope: str) -> None:
    found = []
    for mutant in (weaker, written):
        model = Model(TEXT, SCOPES[scope], mutant, memory=C11)
        assert model.mutated
        result = search(model, Properties(model).judge)
        found.append((result.broken, result.states, [(s.move.who, s.move.name) for s in path_of(result).steps]))
    assert found[0] == found[1]
    assert found[0][0]


def test_it_is_hunted_where_an_order_matters_and_replayed() -> None:
    assert memories_for(TEXT, "reenter.stop.look.acquire") == (C11,)
    assert memories_for(TEXT, "awaken.wake.publish.release") == (TSO, C11)
    model = Model(TEXT, SCOPES["stop-1"], "reenter.stop.look.acquire", memory=C11)
    told = path_of(search(model, Properties(model).judge))
    again = replay(TEXT, told.replay)
    assert (again.broken, again.model.mutant) == ("world-stopped", "reenter.stop.look.acquire")


def test_several_at_once() -> None:
    both = "reenter.stop.look.acquire+frame_push.limit.load.relaxed"
    assert sorted(weakened(TEXT, both).values()) == ["acquire", "relaxed"]
    model = Model(TEXT, SCOPES["interrupt-1"], both, memory=C11)
    assert "relaxed" in {step.order for process in model.processes for step in process.graph.steps}


def test_its_rule_is_what_the_comment_names() -> None:
    assert find_mutant(TEXT, "reenter.stop.look.acquire").rule == "REENTER-IS-A-BARRIER"
    assert find_mutant(TEXT, "operate.operation.load.relaxed").rule == ""
    assert find_mutant(TEXT, "no-recheck") is TEXT.mutants["no-recheck"]


@pytest.mark.parametrize(
    ("mutant", "says"),
    [
        (
            "reenter.stop.look.seq_cst",
            r"the access is seq_cst, and seq_cst is not weaker \(write: reenter\.stop\.look\.relaxed",
        ),
        ("reenter.stop.look.stronger", "stronger is not weaker"),
        ("reenter.stop.acquire", r"the text has no access reenter\.stop \("),
        ("park.state.store.acquire", "acquire is not weaker"),
        ("reenter.stop.look.acquire+", r"nothing is no order of an access \(write: PROCEDURE\.WORD\.OP\.ORDER"),
        (".", r"\. is no order of an access"),
        ("reenter.stop.look.acquire+no-recheck", "no-recheck is no order of an access"),
        ("reenter.stop.look.acquire+reenter.stop.look.relaxed", r"reenter\.stop\.look is there twice"),
        ("nonsense", "no mutant 'nonsense' in the text; there are: asker-stays"),
    ],
)
def test_what_is_no_weaker_order_is_refused(mutant: str, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        find_mutant(TEXT, mutant)


def test_accesses_of_mutants_are_none() -> None:
    for trigger in TRIGGERS:
        text = Text(files(trigger))
        lines = {access.place for access in accesses(text).values()}
        for mutant in text.mutants.values():
            for file, line, procedure in mutant.places:
                graph = compile_graph(
                    text, procedure, Instance(mutant=mutant.name, slices=tuple(SCOPES["both-1"].slices))
                )
                assert not [
                    s for s in graph.steps if s.line == line + 1 and s.file == file and (file, line + 1) in lines
                ]
