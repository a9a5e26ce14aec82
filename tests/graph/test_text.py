"""What the compiler of protocol texts refuses, and how it says so: file, line, column, what, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.check import check
from safepoint.graph.gather import gather
from safepoint.graph.instance import Instance
from safepoint.graph.ir import Step
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.protocol import TRIGGERS, files
from safepoint.protocol.policy import FURTHER, USUAL

HEAD = """\
from safepoint.model.language import Trigger, Triggers, Word, choose, mutant, posted, served, wait


class Thread:
    limit: Trigger
    pending: Word


class Me(Thread):
    depth: int


"""
FIRST = HEAD.count("\n") + 2  # the line of a one-line body


def text_of(source: str, tmp_path: Path) -> Text:
    path = tmp_path / "mine.py"
    path.write_text(source, encoding="utf-8")
    return Text((path,))


REFUSED = {
    "t.pending.store(t.limit.load())": "a shared access inside an operand (write instead: a local variable first)",
    "x = t.pending.load() + t.limit.load()": "two accesses to shared memory in one step",
    "t.pending = 1": "a shared word is not assigned (write instead: t.word.store(value), t.word.fetch_add(value))",
    "t.nothing.store(1)": "Me declares no word nothing (write instead: one of limit, pending, depth)",
    "t.depth = unknown": "unknown name unknown",
    "while True: pass": "f comes back here without a step (write instead: pause() in each round)",
    "print(1)": "unknown command print",
    "clame('c', 1 == 1)": "unknown command clame (write instead: claim",
    "t.pending.fetch_xor(1)": "unknown command t.pending.fetch_xor (write instead: t.pending.cas(…), t.pending.fetch_add(…)",
    "x = gg(t)": "no procedure gg() (write instead: g)",
    "t.pending.load() == 0": "an expression alone does nothing (write instead: wait(…), if …:, or x = …)",
    "served(t, 1)": "not a thread (write instead: served(kind, t))",
    "wait(t.depth == 1)": "wait needs exactly one load or cas",
    "wait(t.pending.swap(0) == 0)": "wait needs exactly one load or cas",
    "f(t)": "recursion that is not `return f(t)`",
    "return f(t)": "f comes back here without a step (write instead: pause() in each round)",
    "if t.depth == 1: return f(t)": "f comes back here without a step",
    "for x in t.depth: pass": "a loop runs over something known when the text is compiled",
    "t.depth = t.depth * 2": "not an expression of the protocol language",
    "t.depth = t.pending": "a thread, a word or a row of words is not a number",
    "g(t, 1)": "g() has 1 parameters, not 2",
    "x = g(t)": "a procedure that returns nothing has no value",
    "t.depth = choose(t.limit) + 1": "choose() is no part of an expression",
    "posted(1, 2)": "not a thread (write instead: posted(t, kind))",
    "a, b = 1, 2": "one statement sets one name (write instead: a = 1, and b = 2 on the next line)",
    "a = b = 1": "one statement sets one name",
    "while t.depth == 0:\n        pass\n    else:\n        pass": "a loop has no else (write instead: a local that is set before break)",
    "for x in triggers(t):\n        pass\n    else:\n        pass": "a loop has no else",
    "t.depth = -1": "no value is below 0 (write instead: a constant of the text for it, from 0 up)",
    "try: pass\n    finally: pass": "no try in the protocol language",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_refused_with_place_and_remedy(statement: str, tmp_path: Path) -> None:
    source = f"{HEAD}def f(t: Me) -> None:\n    {statement}\n\n\ndef g(t: Me) -> None:\n    t.pending.store(1)\n"
    text = text_of(source, tmp_path)
    with pytest.raises(ProtocolError) as caught:
        check(text)
    message = str(caught.value)
    assert message.startswith(f"mine.py:{FIRST}:")
    assert REFUSED[statement] in message
    assert "write instead: " in message


DECLARATIONS = {
    "x = print()": "not a constant",
    "a, b = 1, c": "not a constant",
    "while True: pass": "not a declaration of the protocol language",
    "def f(t: Me) -> None:\n    if mutant(name): pass": "a mutant needs a name and its rule",
    "def f(:": "not Python",
    "x = '\x00'": "not Python",
    "(" * 5_000: "not Python",
}


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_refused_when_read(declaration: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"^mine\.py:\d+:\d+: ") as caught:
        text_of(HEAD + declaration, tmp_path)
    assert DECLARATIONS[declaration] in str(caught.value)


def test_a_mistake_inside_a_mutant_is_found_without_asking_for_it(tmp_path: Path) -> None:
    body = 'def f(t: Me) -> None:\n    if mutant("m", breaks="R"):\n        t.pending = 1\n    t.pending.store(0)\n'
    text = text_of(HEAD + body, tmp_path)
    with pytest.raises(ProtocolError, match="a shared word is not assigned"):
        check(text)


def test_endless_constants_are_refused(tmp_path: Path) -> None:
    text = text_of(HEAD + "def f(t: Me, x: int) -> None:\n    t.pending.store(x)\n    return f(t, 1)\n", tmp_path)
    check(text)
    endless = text_of(HEAD + "def f(t: Me) -> None:\n    return g(t, 1)\n\n\n"
                      "def g(t: Me, x: int) -> None:\n    t.pending.store(x)\n    return g(t, x + 1)\n", tmp_path)  # fmt: skip
    with pytest.raises(ProtocolError, match="a parameter takes ever new constant values"):
        compile_graph(endless, "f")


def test_unknown_names_are_listed() -> None:
    with pytest.raises(ProtocolError, match="no mutant 'x' in the text; there are: asker-stays, backs-off-silently"):
        compile_graph(Text(), "post", Instance(mutant="x"))
    with pytest.raises(ProtocolError, match="no procedure 'x' in the text; there are: add, add_pending"):
        compile_graph(Text(), "x")


def steps(name: str, instance: Instance | None = None, trigger: str = "limit_and_table") -> list[str]:
    return [s.name.split(":")[1] for s in compile_graph(Text().with_trigger(trigger), name, instance).steps]


def test_post_is_what_it_says() -> None:
    """One locked operation, then a store for each trigger word, in this order: the text, read by a person."""
    assert steps("post", Instance(widths=(("entry", 2),))) == [
        "fetch_or self.pending", "store self.limit", "store self.entry[0]", "store self.entry[1]", "store self.wake"]  # fmt: skip
    assert steps("post", Instance(mutant="word-forgotten")) == [
        "fetch_or self.pending", "store self.limit", "store self.wake"]  # fmt: skip
    assert steps("post", trigger="flag") == ["fetch_or self.pending", "store self.wake"]
    assert steps("post", trigger="ticker") == ["fetch_or self.pending", "store self.ticker", "store self.wake"]
    assert set(steps("post", trigger="bits_in_limit")) == {"load self.limit", "cas self.limit", "store self.wake"}


def test_a_loop_over_any_number_of_threads_is_a_loop() -> None:
    assert len(steps("stop_world", Instance(threads=None))) == 7
    assert len(steps("stop_world", Instance(threads=3))) == 2 + 3 * 4 + 3


def test_a_turn_may_be_all_local(tmp_path: Path) -> None:
    """It comes round to h() without a step, and ends all the same."""
    body = "    for o in threads():\n        g(t)\n    t.pending.store(1)\n\n\n"
    body += "def g(t: Me) -> None:\n    if t.depth == 1:\n        return h(t)\n    return h(t)\n\n\n"
    text = text_of(f"{HEAD}def f(t: Me) -> None:\n{body}def h(t: Me) -> None:\n    t.depth = 2\n", tmp_path)
    assert len(compile_graph(text, "f", Instance(threads=None)).steps) == 1


def test_a_local_that_is_dead_is_not_kept() -> None:
    graph = compile_graph(Text(), "slow_path")
    take = next(s for s in graph.steps if s.op == "fetch_and" and s.cell and s.cell.word == "pending")
    park = next(s for s in graph.steps if s.where[-1] == "park")
    assert graph.live[take.number] == frozenset()
    assert graph.live[park.number] == {"serve.bits"}


def test_every_step_names_its_place() -> None:
    graph = compile_graph(Text(), "mutator")
    names = [s.name for s in graph.trees if isinstance(s, Step)]
    assert "mutator/push_failed/slow_path/restore:store self.limit" in names


def test_a_site_that_the_policy_has_not_is_folded_out() -> None:
    """Known: a loop without a check is no step; with one it loads the limit, and what follows is the slow path."""
    text = Text(files("limit"))
    assert compile_graph(text, "back_edge", Instance(sites=("push",))).steps == []
    assert compile_graph(text, "back_edge").steps[0].op == "load"
    pushes = [
        compile_graph(text, "frame_push", Instance(sites=sites)).steps
        for sites in (("push",), (*USUAL, *FURTHER.values()))
    ]
    assert [step.line for step in pushes[0]] == [step.line for step in pushes[1]]


def test_a_site_that_there_is_not_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "limit.py"
    file.write_text(
        TRIGGERS["limit"].read_text(encoding="utf-8").replace('"back-edge"', '"backedge"'), encoding="utf-8"
    )
    text = gather([file], "limit")
    with pytest.raises(
        ProtocolError,
        match=r"^limit.py:\d+:\d+: no check site 'backedge' \(write instead: push, back-edge, return, allocation, compiled back-edge\)",
    ):
        compile_graph(text, "back_edge")
