"""Mutations of the text: each operator makes what it says, and what makes no difference to a graph is seen to make none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from safepoint.graph.instance import Instance
from safepoint.graph.ir import Graph
from safepoint.graph.lower import compile_anew, compile_graph
from safepoint.graph.normal import digest
from safepoint.graph.scope import OPERATORS as OPERATORS_OF_TEXTS
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.edits import GHOSTS
from safepoint.model.mutation import mutations, right, used
from safepoint.model.operators import OPERATORS, RELATIONS, edits
from safepoint.protocol import ROLES
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy

WORDS = {"Me": {"state": "Word", "wake": "Word", "masked": "int"}}
HEAD = """
A, B = 1, 2
class Me:
    limit: Trigger
    state: Word
    wake: Word
    pending: Word
    kept: int
    other: int
"""


def made(body: str, returns: str = "int") -> set[str]:
    """The mutations of a procedure with this body, as `operator: before -> after`."""
    source = f"def f(t: Me, kind: int) -> {returns}:\n" + "\n".join(f"    {line}" for line in body.splitlines())
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    found = edits(function, ("f", "g"), WORDS)
    return {f"{e.operator}: {e.before} -> {e.after}" for e in found}


MADE = [
    ("t.state.store(0)\nt.wake.store(1)", "delete: t.state.store(0) -> "),
    ("t.state.store(0)\nt.wake.store(1)", "swap: t.state.store(0); t.wake.store(1) -> t.wake.store(1); t.state.store(0)"),
    ("t.state.store(0)\nserved(1, t)\nt.wake.store(1)", "swap: t.state.store(0); t.wake.store(1) -> t.wake.store(1); t.state.store(0)"),
    ("t.state.swap(1)", "plain: t.state.swap(1) -> t.state.store(1)"),
    ("x = t.state.swap(1)", "plain: x = t.state.swap(1) -> was = t.state.load(); t.state.store(1); x = was"),
    ("t.state.fetch_or(kind)", "plain: t.state.fetch_or(kind) -> was = t.state.load(); t.state.store(was | kind)"),
    ("x = t.state.fetch_and(kind) & 1", "plain: x = t.state.fetch_and(kind) & 1 -> was = t.state.load(); t.state.store(was & kind); x = was & 1"),
    ("x = t.state.cas(0, 1)", "plain: x = t.state.cas(0, 1) -> was = t.state.load(); if was == 0:; x = was == 0"),
    ("wait(t.state.cas(0, 1))", "plain: wait(t.state.cas(0, 1)) -> wait(t.state.load() == 0); t.state.store(1)"),
    ("wait(t.state.cas(0, 1))", "wait: wait(t.state.cas(0, 1)) -> wait(t.state.cas(0, 1) == 0)"),
    ("wait(t.state.load() == MANAGED)", "wait: wait(t.state.load() == MANAGED) -> wait(t.state.load() != MANAGED)"),
    ("wait(t.state.load() == MANAGED)", "wait: wait(t.state.load() == MANAGED) -> t.state.load()"),
    ("if kind > 2:\n    g(t)\nelse:\n    f(t, 1)", "always: if kind > 2: -> g(t)"),
    ("if kind > 2:\n    g(t)\nelse:\n    f(t, 1)", "never: if kind > 2: -> f(t, 1)"),
    ("if kind > 2:\n    g(t)", "negate: if kind > 2: -> if kind <= 2:"),
    ("if kind & 1:\n    g(t)", "negate: if kind & 1: -> if kind & 1 == 0:"),
    ("if kind > 2:\n    g(t)", "relation: if kind > 2: -> if kind >= 2:"),
    ("if u is not t:\n    g(t)", "relation: if u is not t: -> if u is t:"),
    ("if u is t:\n    g(t)", "negate: if u is t: -> if u is not t:"),
    ("x = kind & ~3", "arithmetic: x = kind & ~3 -> x = kind | ~3"),
    ("x = kind & ~3", "operand: x = kind & ~3 -> x = ~3"),
    ("x = kind & ~3", "operand: x = kind & ~3 -> x = kind & 3"),
    ("x = kind & STOP", "constant: x = kind & STOP -> x = kind & EVERYTHING"),
    ("t.state.store(0)", "constant: t.state.store(0) -> t.state.store(1)"),
    ("return RAISE_INTERRUPT", "constant: return RAISE_INTERRUPT -> return RAISE_OVERFLOW"),
    ("x = 2\nreturn f(t, kind)", "name: return f(t, kind) -> return f(t, x)"),
    ("t.state.store(kind)", "word: t.state.store(kind) -> t.wake.store(kind)"),
    ("return g(t)", "drop-result: return g(t) -> g(t); return 0"),
    ("x = g(t)", "drop-result: x = g(t) -> g(t); x = 0"),
    ("return g(t)", "return-0: return g(t) -> return 0"),
    ("for u in threads():\n    g(u)", "loop: for u in threads(): -> for u in threads()[1:]:"),
]  # fmt: skip
"""The body of a procedure, and one of its mutations."""


@pytest.mark.parametrize(("body", "mutation"), MADE)
def test_an_operator_makes_what_it_says(body: str, mutation: str) -> None:
    assert mutation.partition(":")[0] in OPERATORS
    assert mutation in made(body)


def test_each_operator_is_shown_above() -> None:
    assert {mutation.partition(":")[0] for _, mutation in MADE} == set(OPERATORS)


def test_each_relation_of_the_language_is_another_one_in_some_mutation() -> None:
    """Those that a text may have: with a new one in the language, `mutate` has one more here."""
    kept = {*RELATIONS}
    assert kept == {op for op in OPERATORS_OF_TEXTS if issubclass(op, ast.cmpop)} | {ast.Is, ast.IsNot}
    assert {other for others in RELATIONS.values() for other in others} == kept


def test_what_says_something_and_does_nothing_is_not_changed() -> None:
    assert {"posted", "served", "ran"} <= GHOSTS
    assert made("served(kind, t)\nif kind == 0:\n    posted(t, 1)", returns="None") == set()


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_the_mistakes_with_names_are_folded_out(policy: Policy) -> None:
    """What is left is the text, compiled without a mutant."""
    text, folded = Text().with_trigger(policy.trigger), right(policy)
    instance = Instance(2, slices=policy.slices)
    for root in ("mutator", "coordinator", "handshaker"):
        assert _digest(text, root, instance) == _digest(folded, root, instance)
    assert not any(name for name in used(folded) if "mutant(" in ast.unparse(folded.functions[name].node))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_mutation_is_of_a_line_and_another_text(policy: Policy) -> None:
    text = right(policy)
    found = list(mutations(text))
    changes = [m.change for m in found]
    assert len(set(changes)) == len(changes), "a change names one mutation"
    assert {c.operator for c in changes} <= set(OPERATORS)
    assert ROLES not in {c.file for c in changes}
    assert f"{policy.trigger}.py" in {c.file for c in changes}
    for m in found:
        before = text.functions[m.change.procedure].node
        assert ast.unparse(m.function) != ast.unparse(before)
        first = m.change.before.partition(" #")[0].partition("; ")[0].split("(")[0].split(" ")[0]
        assert first in text.source(m.change.file, m.line)


# ---------------------------------------------------------------------------------------------- the normal form


def _digest(text: Text, root: str, instance: Instance | None = None) -> bytes:
    return _of(compile_graph(text, root, instance))


def _of(graph: Graph) -> bytes:
    return digest(graph, lambda step: step.where[-1] == "critical")


def of(tmp_path: Path, body: str) -> bytes:
    file = tmp_path / "text.py"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    file.write_text(f"{HEAD}def f(t: Me, kind: int) -> None:\n{lines}\n    t.state.store(t.kept)\n    return f(t, 0)\n")
    return _digest(Text((file,)), "f")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t.kept = 1\nt.other = 2", "t.other = 2\nt.kept = 1"),
        ("x = 1\nt.kept = x", "t.kept = A"),
        ("x = t.pending.load()", "t.pending.load()"),
        ("if kind == 0:\n    t.kept = 1\nelse:\n    t.kept = 1", "t.kept = 1"),
        ("if kind == 0:\n    t.wake.store(1)\nelse:\n    t.wake.store(1)", "t.wake.store(1)"),
        ("served(A, t)\nt.kept = 1", "t.kept = 1\nserved(A, t)"),
    ],
)
def test_what_does_the_same_has_one_digest(one: str, other: str, tmp_path: Path) -> None:
    assert of(tmp_path, one) == of(tmp_path, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t.kept = 1", "t.kept = 2"),
        ("t.wake.store(1)\nt.pending.load()", "t.pending.load()\nt.wake.store(1)"),
        ("t.wake.swap(1)", "t.wake.store(1)"),
        ("t.wake.publish(1)", "t.wake.store(1)"),
        ("x = t.pending.look()\nt.wake.store(x)", "x = t.pending.load()\nt.wake.store(x)"),
        ("x = t.pending.load()\nt.wake.store(x)", "x = t.pending.load()\nt.wake.store(0)"),
        ("t.kept = t.other\nt.other = 1", "t.other = 1\nt.kept = t.other"),
        ("served(A, t)", "served(B, t)"),
        ("t.wake.load()", "t.wake.load()\nt.wake.load()"),
        ("wait(t.wake.load() == 1)", "wait(t.wake.load() == 0)"),
        ("if kind == 0:\n    t.wake.store(1)", "if kind == 1:\n    t.wake.store(1)"),
    ],
)
def test_what_does_something_else_has_another(one: str, other: str, tmp_path: Path) -> None:
    assert of(tmp_path, one) != of(tmp_path, other)


def test_a_mutation_has_the_right_graph_exactly_where_its_procedure_is_not_read() -> None:
    """And that is the graph which its text becomes, if it is compiled alone."""
    text, shared = right(FOLDED), list[bool]()
    for m in {m.change.procedure: m for m in mutations(text)}.values():
        made = m.made_in(text)
        for root in ("mutator", "coordinator"):
            graph = compile_graph(text, root)
            if m.change.procedure not in graph.read:
                assert compile_graph(made, root) is graph
                assert _of(compile_anew(made, root, Instance())) == _of(graph)
            else:
                try:
                    assert compile_graph(made, root) is not graph
                except ProtocolError:
                    continue
            shared.append(m.change.procedure not in graph.read)
    assert 10 < sum(shared) < len(shared) - 10


def test_loops_over_some_of_the_words() -> None:
    """The language has slices, so that a mistake in a loop is a text that it can read."""
    text = right(FOLDED)
    alone = [m for m in mutations(text) if m.change.operator == "loop" and m.change.procedure == "poison"]
    assert [m.change.after for m in alone] == [
        f"for word in t.entry{turn}:" for turn in ("[1:]", "[:-1]", "[:1]", "[-1:]")
    ]
    loops = [compile_graph(m.made_in(text), "poison", Instance(widths=(("entry", 3),))) for m in alone]
    assert [[s.cell.word for s in g.steps if s.cell] for g in loops] == [
        ["limit", "entry[1]", "entry[2]"], ["limit", "entry[0]", "entry[1]"], ["limit", "entry[0]"], ["limit", "entry[2]"],
    ]  # fmt: skip
