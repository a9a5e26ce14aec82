"""A graph is compiled once for all instances that answer alike: who gets the same one, and that it is the right one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safepoint.graph.instance import Instance, Known
from safepoint.graph.ir import Graph
from safepoint.graph.lower import compile_anew, compile_graph
from safepoint.graph.normal import digest
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.scopes import chosen, instance_of
from safepoint.protocol.policies import FOLDED

MUTANTS = ("stop-published-late", "unmask-forgets", "reenter.stop.look.acquire")
"""One of the coordinator's, one in a critical section, which most scopes do not have, and one that is an order."""
ALONE = [scope for scope in chosen("tiny", slices=FOLDED.slices) if len(scope.slices) <= 1]
"""Every role and every feature alone."""


def same(one: Graph, other: Graph) -> bool:
    """In all that a reader of a graph can ask for."""
    says = [
        (g.name, g.owner, g.params, g.mutated, g.record, g.looks, list(g.live.values()), [str(s) for s in g.steps])
        for g in (one, other)
    ]
    return says[0] == says[1] and digest(one, lambda step: step.name) == digest(other, lambda step: step.name)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_what_is_shared_is_what_would_be_compiled_anew(mutant: str) -> None:
    text, shared = Text(), set[int]()
    asked = [(role, scope) for scope in ALONE for role in ("mutator", *scope.roles)]
    for role, scope in asked:
        instance = instance_of(scope, FOLDED, mutant)
        graph = compile_graph(text, role, instance)
        assert same(graph, compile_anew(text, role, instance)), (role, scope.name)
        shared.add(id(graph))
    assert len(shared) < len(asked) / 2


def test_a_role_is_compiled_anew_for_what_it_asks_for_alone() -> None:
    text, alone = Text(), Instance()
    interrupter = compile_graph(text, "interrupter", alone)
    assert compile_graph(text, "interrupter", replace(alone, slices=("masks", "blocking"))) is interrupter
    assert compile_graph(text, "interrupter", replace(alone, mutant="no-recheck")) is interrupter
    assert compile_graph(text, "interrupter", replace(alone, threads=2)) is not interrupter
    assert compile_graph(text, "interrupter", replace(alone, widths=(("entry", 2),))) is not interrupter
    changed = compile_graph(text, "interrupter", replace(alone, mutant="poison-before-post"))
    assert changed is not interrupter
    assert changed.mutated


def test_a_mutant_that_the_text_does_not_have_is_refused_although_the_graph_is_known() -> None:
    text = Text()
    compile_graph(text, "interrupter")
    with pytest.raises(ProtocolError, match="no mutant 'x'"):
        compile_graph(text, "interrupter", Instance(mutant="x"))


def test_answers_are_found_again_by_those_who_give_the_same() -> None:
    known = Known[str]()
    known.keep({("threads", ""): 1, ("slice_on", "masks"): False}, "one, unmasked")
    known.keep({("threads", ""): 1, ("slice_on", "masks"): True, ("width", "entry"): 2}, "one, masked, two words")
    known.keep({("threads", ""): None}, "any number")
    assert known.find(Instance()) == "one, unmasked"
    assert known.find(Instance(slices=("masks",), widths=(("entry", 2),))) == "one, masked, two words"
    assert known.find(Instance(slices=("masks",))) is None
    assert known.find(Instance(threads=None)) == "any number"
    assert known.find(Instance(threads=3)) is None
    with pytest.raises(ValueError, match="no instance says"):
        Instance().says(("memory", "tso"))
