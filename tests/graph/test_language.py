"""What a text may say, against Python's own answer; and what is refused, with its place and what to write instead."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from safepoint.graph.execute import Activation
from safepoint.graph.ir import Cell
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from tests.model.own_worlds import text_of

# -- expressions and statements: as Python


class Nothing:
    """The memory and the listener of a procedure that has only silent steps."""

    def load(self, cell: Cell) -> int:
        raise AssertionError(cell)

    def store(self, cell: Cell, value: int) -> bool:
        raise AssertionError(cell)

    def locked(self, cell: Cell) -> bool:
        raise AssertionError(cell)

    def ghost(self, op: str, owner: int | str, kind: int) -> None:
        raise AssertionError(op)

    def claim(self, name: str, holds: bool) -> None:
        assert holds, name

    def happens(self, name: str) -> None: ...
    def branch(self, place: str, taken: bool) -> None: ...


CONDITIONS = [
    "not t.i", "t.i == 1 and t.j == 2", "t.i == 1 or t.j == 2", "not (t.i < 2 and t.j > 0)", "0 < t.i < 3", "0 < t.i <= t.j < 3",
    "t.i and not t.j or t.i == 2", "t.i & 1 or t.j | 1 and not 0", "1 and t.i", "0 or t.j", "0 and t.i == 1 or 1",
]  # fmt: skip
BODIES = [
    "t.i += t.j\nt.j -= 1",
    "while t.i < 3:\n    pause()\n    t.i += 1\n    t.j |= t.i",
    "while True:\n    pause()\n    t.i += 1\n    if t.i > 2:\n        break\n    if t.i == t.j:\n        continue\n    t.j += 1",
    "for n in (1, 2, 3):\n    if n == t.i:\n        continue\n    if n > t.j:\n        break\n    t.j += n\nt.i = 0",
    "n: int = 0\nwhile n != 2 and t.j > 0:\n    n += 1\n    m = 0\n    while True:\n        pause()\n        m = m + 1\n        if m > t.i:\n            break\n    t.j = t.j + m",
    "times(t, 2)\ntimes(t, t.i)",
    "once(t, 0)\nonce(t, 2)",
]
TIMES = "def times(t: Me, n: int) -> None:\n    while n > 0:\n        pause()\n        n -= 1\n        t.j += 2\n"
ONCE = "def once(t: Me, n: int) -> None:\n    if t.i == 1:\n        n = 1\n    t.j = t.j + n\n"


def run(text: Text, i: int, j: int) -> dict[str, int]:
    privates = {"i": i, "j": j}
    a, nothing = Activation(compile_graph(text, "f"), 0, {}, privates, {}), Nothing()
    a.begin(nothing)
    while a.at is not None:
        assert a.perform(nothing, nothing)
    return {"i": privates["i"], "j": privates["j"]}


def lines(body: str) -> str:
    return "def f(t: Me) -> None:\n" + "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize(
    "body", [*(f"t.i = {c}" for c in CONDITIONS), *(f"if {c}:\n    t.i = 7" for c in CONDITIONS), *BODIES]
)
def test_it_means_what_it_means_in_python(body: str, tmp_path: Path) -> None:
    """But that a condition gives 1 or 0, whatever its operands are."""
    text = text_of(tmp_path, lines(body), TIMES, ONCE)
    space: dict[str, object] = {"pause": lambda: None}
    exact = f"t.i = int(bool({body.removeprefix('t.i = ')}))" if body.startswith("t.i = ") else body
    exec(f"from __future__ import annotations\n{TIMES}{ONCE}{lines(exact)}", space)
    for i, j in itertools.product(range(4), repeat=2):
        t = SimpleNamespace(i=i, j=j)
        space["f"](t)  # type: ignore[operator]
        assert run(text, i, j) == vars(t)


REFUSED = {
    "if t.i == 1 and t.x.load() == 1: pass": "an access that and/or may leave out (write instead: it first, or an if inside an if)",
    "if t.x.load() < 2 < t.y.load(): pass": "an access that and/or may leave out",
    "t.i = t is world": "`is` compares threads (write instead: a == b)",
    "t.i = t == t": "is not a number (write instead: t.word.load(), or t is u)",
    "t.x += 1": "a shared word is not assigned (write instead: t.word.store(value), t.word.fetch_add(value))",
    "t.x.store()": "store() has 1 operands (write instead: t.word.store(value))",
    "t.x.cas(1)": "cas() has 2 operands (write instead: t.word.cas(old, new))",
    "t.x.store(value=1)": "store() has 1 operands",
    "if t.i == 1: n = 1\n    t.i = n": "f: n is not set on every way to its use (write instead: n = 0 first)",
    "while t.i < 3: t.i += 1": "f comes back here without a step (write instead: pause() in each round)",
    "break": "it stands in no loop (write instead: return, or a loop around it)",
    "t.i = t.i * 2": "(write instead: constants, locals, words of type int, w.real, w.poison, & | + - ~ == != < <= > >= not and or",
    "for w in (t.x, t.y)[t.i:]: pass": "an end of a slice is a number",
    "match choose():\n        case 'a' if t.i == 1: pass": "a case has no `if` (write instead: when(…) as its first statement)",
    "with atomic():\n        return": "it leaves an atomic block in the middle",
    "with atomic():\n        while t.x.load() == 1: pass": "an atomic block goes round",
    "with atomic():\n        round_and_round(t)": "an atomic block goes round",
    "return\n    claim('never', 1 == 0)": "no way leads here, so it is not explored",
    "while True:\n        pause()\n    claim('never', 1 == 0)": "no way leads here, so it is not explored",
    "if slice_on('masks'):\n        claim('never', 1 == 0)": "no scope of a text of its own has features",
    "if checks_at('back-edge'):\n        claim('never', 1 == 0)": "no text of its own has a policy",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_refused_with_place_and_remedy(statement: str, tmp_path: Path) -> None:
    again = "def round_and_round(t: Me) -> None:\n    t.x.load()\n    return round_and_round(t)\n"
    text = text_of(tmp_path, f"def f(t: Me) -> None:\n    {statement}\n", again)
    with pytest.raises(ProtocolError, match=r"^mine\.py:\d+:\d+: ") as caught:
        compile_graph(text, "f")
    assert REFUSED[statement] in str(caught.value)


DECLARATIONS = {
    "class Other(Unknown):\n    x: Word": "not a class of words",
    "class Other:\n    x: bool": "no type of a word: bool (write instead: Word, Trigger, Triggers, Suspension, int)",
    "class Other:\n    x = 3": "a class has words only",
    "class Other:\n    x: Word = 3": "a Word does not begin so (write instead: state: Word = begins(1)",
    "class Other:\n    x: Trigger = begins(1)": "a Trigger does not begin so",
    "class Me:\n    z: Word": "class Me is defined twice",
    "class Other(Me):\n    i: int = 2": "a class has words only, each of its own name",
    "def f(t: Me) -> None:\n    if mutant('', breaks='X'): pause()": "a mutant needs a name and its rule",
    "def f(t: Me) -> None:\n    if mutant('a/b', breaks='X'): pause()": "a mutant needs a name and its rule",
    "another: World": "another has words of the same names as another variable",
    "def threads() -> None: ...": "threads() is defined twice, before in mine.py",
    "def f(t: Me, x: int = 1) -> None: ...": "a parameter is a name, and no more",
    "@cache\ndef f(t: Me) -> None: ...": "no declaration of a role (write instead: @handler or @each_thread above def f(t: Thread))",
    "@handler\ndef f() -> None: ...": "no declaration of a role",
}


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_a_declaration_is_taken_whole_or_not_at_all(declaration: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"^mine\.py:\d+:\d+: ") as caught:
        text_of(tmp_path, declaration)
    assert DECLARATIONS[declaration] in str(caught.value)
