"""The reference machine around its check sites: where they are, what they may do, forks and waits."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from safepoint.guest.code import BACK_EDGES, LINK
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.reference.machine import Machine
from safepoint.protocol.words import GO, RAISE_INTERRUPT, RAISE_OVERFLOW

Visit = tuple[str, tuple[int, ...], str]


@dataclass
class Fake:
    """Check sites that do as they are told: `answers[n]` is the outcome of the n-th visit, a list what comes after waits."""

    answers: dict[int, int | list[int | None]] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    here: str = ""
    waiting: list[int | None] = field(default_factory=list)
    wanted: bool = False

    def copy(self) -> Fake:
        return Fake(dict(self.answers), list(self.visits), self.here, list(self.waiting))

    @property
    def suspended(self) -> bool:
        return bool(self.waiting)

    def call(self, procedure: str, *args: int) -> int | None:
        assert not self.waiting, "called while it waits"
        answer = self.answers.get(len(self.visits), GO)
        self.visits.append((procedure, args, self.here))
        if isinstance(answer, list):
            self.waiting = list(answer)
            return None
        return answer

    def resume(self) -> int | None:
        return self.waiting.pop(0)

    def checks_at(self, site: str) -> bool:
        return site in ("push", "back-edge")


def machine(source: str, **answers: int | list[int | None]) -> tuple[Machine, Fake]:
    sites = Fake({int(k[1:]): v for k, v in answers.items()})
    return Machine(compile_program(source, "f.py"), sites), sites


def finish(m: Machine) -> Machine:
    for _ in range(1000):
        if not m.step():
            return m
    raise AssertionError("does not end")


CALLS = "def f(a):\n    return g(a) + 1\ndef g(b):\n    return b\nprint(f(1))\n"


def test_frames_lie_where_the_limit_counts_them() -> None:
    m, sites = machine(CALLS)
    finish(m)
    program = m.state.program
    bases = [i.operands[0] for code in program.codes for i in code.instructions if i.op == "CALL"]
    assert program.codes[1].slots >= bases[1] + LINK + 1
    f_start = bases[0] + LINK
    g_start = f_start + bases[1] + LINK
    f, g = program.codes[1].slots, program.codes[2].slots
    assert [v[:2] for v in sites.visits[:2]] == [("frame_push", (f_start + f,)), ("frame_push", (g_start + g,))]
    assert [v[0] for v in sites.visits[2:]] == ["leave", "reenter"]
    assert m.output == "2\n"


def test_each_back_edge_opcode_has_its_trigger() -> None:
    m, sites = machine("i = 0\nwhile i < 1: i += 1\nwhile i > 1: i -= 1\nwhile True: break\nfor j in range(0): pass\n")
    finish(m)
    ops = [BACK_EDGES[args[0]] for name, args, _ in sites.visits if name == "back_edge"]
    assert ops == ["LESS_JUMP_BACK", "LESS_JUMP_BACK", "TRUE_JUMP_BACK", "JUMP_BACK", "FOR_RANGE"]


@pytest.mark.parametrize("visit", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("outcome", "kind"), [(RAISE_INTERRUPT, "KeyboardInterrupt"), (RAISE_OVERFLOW, "RecursionError")]
)
def test_what_a_site_raises_ends_the_guest_right_there(visit: int, outcome: int, kind: str) -> None:
    m, sites = machine(CALLS, **{f"v{visit}": outcome})
    finish(m)
    assert m.fault is not None
    assert m.fault.kind == kind
    assert len(sites.visits) == visit + 1
    assert m.location() == sites.visits[-1][2]
    assert m.output == ("2\n" if visit == 3 else ""), "printed between leave and reenter, once"
    assert not m.step()


@pytest.mark.parametrize("visit", range(6))
def test_a_site_that_waits_holds_the_guest_at_its_instruction(visit: int) -> None:
    source = "def f(n):\n    return n\nfor i in range(1):\n    print(f(i))\nprint(7)\n"
    free, log = machine(source)
    finish(free)
    m, sites = machine(source, **{f"v{visit}": [None, None, GO]})
    while m.step():
        pass
    where = m.location()
    assert where == log.visits[visit][2]
    assert not m.ended
    assert not m.step(), "still waits"
    assert not m.step()
    assert m.location() == where
    finish(m)
    assert (m.output, m.ended, m.fault, sites.visits) == (free.output, True, None, log.visits)


def test_an_interrupt_can_come_out_of_a_wait() -> None:
    m, _ = machine(CALLS, v1=[None, RAISE_INTERRUPT])
    while m.step():
        pass
    assert not m.step()
    assert m.step()
    assert m.fault is not None
    assert [(line, f) for _, line, f in m.traceback()] == [(5, "<module>"), (2, "f")]


@pytest.mark.parametrize("call", ["3()", "f()", "f(1, 2)", "None(1)"])
def test_a_call_that_cannot_be_made_visits_no_site(call: str) -> None:
    m, sites = machine(f"def f(a):\n    return a\n{call}\n")
    finish(m)
    assert m.fault is not None
    assert m.fault.kind == "TypeError"
    assert sites.visits == []


def test_a_fork_goes_its_own_way() -> None:
    m, sites = machine("i = 0\nwhile i < 5:\n    i += 1\n    print(i)\n")
    for _ in range(12):
        m.step()
    other = m.fork(sites.copy())
    before = m.location(), m.output, len(sites.visits)
    finish(other)
    assert (m.location(), m.output, len(sites.visits)) == before
    finish(m)
    assert m.output == other.output == "1\n2\n3\n4\n5\n"


def test_a_fork_of_a_waiting_guest_waits_too() -> None:
    m, sites = machine("for i in range(2):\n    print(i)\n", v0=[GO])
    while m.step():
        pass
    other = m.fork(sites.copy())
    assert not other.ended
    assert finish(other).output == "0\n1\n"
    assert m.output == ""
    assert finish(m).output == "0\n1\n"


def test_a_function_prints_without_an_address() -> None:
    m, _ = machine("def f():\n    return f\nprint(f(), None, True, -1)\nprint()\n")
    assert finish(m).output == "<function f> None True -1\n\n"
