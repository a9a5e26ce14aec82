"""Litmus tests: small programs, an outcome of each, and whether RC11 allows it.

The shapes are those of the literature (Alglave, Maranget, Tautschnig: Herding cats, TOPLAS 2014; Lahav et al., PLDI 2017).  The verdicts
come from RC11's definition, not from our machine: herd7 7.57 with rc11.cat was asked of the protocol's own shapes and of some four
hundred random programs while the machine was a prototype, and said the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st

from safepoint.graph.ir import OPERANDS
from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.instructions import Compiled, as_written
from safepoint.model.memory.targets import ORDERS, TARGETS, Target
from safepoint.model.memory.turns import Place, settled
from safepoint.model.memory.views import Access, Machine


@dataclass(frozen=True)
class Op:
    """One statement of a thread: an access of a word, whose result goes to a register; or op "fence" or "fence_others"."""

    op: str
    word: str = ""
    operands: tuple[int, ...] = ()
    order: str = SEQ_CST
    register: str = ""


FENCES = ("fence", "fence_others")
Program = tuple[tuple[Op, ...], ...]
Outcome = tuple[frozenset[tuple[str, int]], tuple[tuple[str, int], ...]]
"""What the registers hold in the end, and the last store of each word."""


def words_of(program: Program) -> list[str]:
    return sorted({op.word for thread in program for op in thread if op.word})


def compiled(program: Program, target: Target | None) -> list[dict[int, Compiled]]:
    """What each access of each thread comes down to."""
    found = []
    for ops in program:
        accesses = [op.op not in FENCES for op in ops]
        if target is None:
            found.append({n: as_written(op.order) for n, op in enumerate(ops) if accesses[n]})
            continue
        places = {
            n: Place(op.word, op.op, target.compiled(op.op, op.order) if accesses[n] else None)
            for n, op in enumerate(ops)
        }
        found.append(settled(places, {n: {n + 1} if n + 1 < len(ops) else set() for n in places}))
    return found


def outcomes(program: Program, memory: str = "", *, in_order: bool = True, normal: bool = True) -> set[Outcome]:
    """All of them, by the machine.  memory: that of a target, by its name."""
    words, target = words_of(program), TARGETS.get(memory)
    to = compiled(program, target)
    who = [{t for t, ops in enumerate(program) if any(o.word == w for o in ops)} for w in words]
    reading = [{t for t, ops in enumerate(program) if any(o.word == w and o.op != "store" for o in ops)} for w in words]
    machine = Machine(
        [0] * len(words),
        reading,
        who,
        len(program),
        fenced=True,
        in_order=in_order,
        appends=target is not None and target.appends,
        publishes=target is not None,
        normal=normal,
    )
    start: tuple[tuple[int, ...], frozenset[tuple[str, int]], int] = ((0,) * len(program), frozenset(), 0)
    seen, todo, found = {start}, [start], set[Outcome]()
    while todo:
        at, registers, number = todo.pop()
        if all(n == len(ops) for n, ops in zip(at, program, strict=True)):
            found.add((registers, tuple(zip(words, machine.newest(number), strict=True))))
        for t, ops in enumerate(program):
            if at[t] == len(ops):
                continue
            op, then = ops[at[t]], (*at[:t], at[t] + 1, *at[t + 1 :])
            if op.op in FENCES:
                fenced = machine.fence if op.op == "fence" else machine.fence_others
                after = [(registers, fenced(number, t))]
            else:
                made = Access(t, words.index(op.word), op.op, op.operands, op.order)
                after = [
                    (registers | {(op.register, o.result)} if op.register else registers, o.memory)
                    for o in machine.compiled(number, made, to[t][at[t]])
                ]
            for registers_after, number_after in after:
                state = then, registers_after, number_after
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
    return found


def allows(found: set[Outcome], registers: dict[str, int], last: dict[str, int]) -> bool:
    return any(registers.items() <= set(r) and last.items() <= set(words) for r, words in found)


@dataclass(frozen=True)
class Shape:
    """A program, an outcome (registers, and last stores of words), and what RC11 says of it."""

    name: str
    program: Program
    registers: dict[str, int]
    last: dict[str, int]
    allowed: bool


def R(register: str, word: str, order: str) -> Op:  # noqa: N802  # as litmus tests are written
    return Op("load", word, (), order, register)


def W(word: str, value: int, order: str) -> Op:  # noqa: N802
    return Op("store", word, (value,), order)


def swap(register: str, word: str, value: int, order: str) -> Op:
    return Op("swap", word, (value,), order, register)


def fetch_or(register: str, word: str, value: int, order: str) -> Op:
    return Op("fetch_or", word, (value,), order, register)


def cas(register: str, word: str, old: int, new: int, order: str) -> Op:
    return Op("cas", word, (old, new), order, register)


F, HEAVY = Op("fence"), Op("fence_others")
RLX, ACQ, REL, AR, SC = RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST

SHAPES: list[Shape] = []


def _add(name: str, program: list[list[Op]], registers: dict[str, int], last: dict[str, int], allowed: bool) -> None:
    SHAPES.append(Shape(name, tuple(map(tuple, program)), registers, last, allowed))


for _w, _r, _n in ((RLX, RLX, "rlx"), (REL, ACQ, "ra"), (SC, SC, "sc")):
    _store, _load = partial(W, order=_w), partial(R, order=_r)
    _add(f"SB+{_n}", [[_store("x", 1), _load("a", "y")], [_store("y", 1), _load("b", "x")]],
         {"a": 0, "b": 0}, {}, _n != "sc")  # fmt: skip
    _add(f"MP+{_n}", [[W("x", 1, RLX), _store("y", 1)], [_load("a", "y"), R("b", "x", RLX)]],
         {"a": 1, "b": 0}, {}, _n == "rlx")  # fmt: skip
    _add(f"2+2W+{_n}", [[_store("x", 1), _store("y", 2)], [_store("y", 1), _store("x", 2)]],
         {}, {"x": 1, "y": 1}, _n != "sc")  # fmt: skip
    _add(f"R+{_n}", [[_store("x", 1), _store("y", 1)], [_store("y", 2), _load("a", "x")]],
         {"a": 0}, {"y": 2}, _n != "sc")  # fmt: skip
    _add(f"S+{_n}", [[_store("x", 2), _store("y", 1)], [_load("a", "y"), _store("x", 1)]],
         {"a": 1}, {"x": 2}, _n == "rlx")  # fmt: skip
    _add(f"IRIW+{_n}", [[_store("x", 1)], [_store("y", 1)], [_load("a", "x"), _load("b", "y")], [_load("c", "y"), _load("d", "x")]],
         {"a": 1, "b": 0, "c": 1, "d": 0}, {}, _n != "sc")  # fmt: skip
    _add(f"WRC+{_n}", [[_store("x", 1)], [_load("a", "x"), _store("y", 1)], [_load("b", "y"), _load("c", "x")]],
         {"a": 1, "b": 1, "c": 0}, {}, _n == "rlx")  # fmt: skip
    _add(f"ISA2+{_n}", [[W("x", 1, RLX), _store("y", 1)], [_load("a", "y"), _store("z", 1)], [_load("b", "z"), R("c", "x", RLX)]],
         {"a": 1, "b": 1, "c": 0}, {}, _n == "rlx")  # fmt: skip
    _add(
        f"LB+{_n}", [[_load("a", "x"), _store("y", 1)], [_load("b", "y"), _store("x", 1)]], {"a": 1, "b": 1}, {}, False
    )
    _add(f"CoRR+{_n}", [[_store("x", 1)], [_load("a", "x"), _load("b", "x")]], {"a": 1, "b": 0}, {}, False)
    _add(f"CoRW+{_n}", [[_store("x", 1)], [_load("a", "x"), _store("x", 2)]], {"a": 1}, {"x": 1}, False)
    _add(f"CoWW+{_n}", [[_store("x", 1), _store("x", 2)]], {}, {"x": 1}, False)
    _add(f"CoRR2+{_n}", [[_store("x", 1)], [_store("x", 2)], [_load("a", "x"), _load("b", "x")], [_load("c", "x"), _load("d", "x")]],
         {"a": 1, "b": 2, "c": 2, "d": 1}, {}, False)  # fmt: skip
_add(
    "SB+fences",
    [[W("x", 1, RLX), F, R("a", "y", RLX)], [W("y", 1, RLX), F, R("b", "x", RLX)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add(
    "SB+fence+ra",
    [[W("x", 1, RLX), F, R("a", "y", RLX)], [W("y", 1, REL), R("b", "x", ACQ)]],
    {"a": 0, "b": 0},
    {},
    True,
)
_add("IRIW+fences", [[W("x", 1, RLX)], [W("y", 1, RLX)], [R("a", "x", RLX), F, R("b", "y", RLX)], [R("c", "y", RLX), F, R("d", "x", RLX)]],
     {"a": 1, "b": 0, "c": 1, "d": 0}, {}, False)  # fmt: skip
_add(
    "2+2W+fences",
    [[W("x", 1, RLX), F, W("y", 2, RLX)], [W("y", 1, RLX), F, W("x", 2, RLX)]],
    {},
    {"x": 1, "y": 1},
    False,
)
_add(
    "R+fences", [[W("x", 1, RLX), F, W("y", 1, RLX)], [W("y", 2, RLX), F, R("a", "x", RLX)]], {"a": 0}, {"y": 2}, False
)
_add("R+rel+fence", [[W("x", 1, RLX), W("y", 1, REL)], [W("y", 2, RLX), F, R("a", "x", RLX)]], {"a": 0}, {"y": 2}, True)
_add(
    "MP+fences",
    [[W("x", 1, RLX), F, W("y", 1, RLX)], [R("a", "y", RLX), F, R("b", "x", RLX)]],
    {"a": 1, "b": 0},
    {},
    False,
)
_add("WRC+fence+acq", [[W("x", 1, RLX)], [R("a", "x", RLX), F, W("y", 1, RLX)], [R("b", "y", ACQ), R("c", "x", RLX)]],
     {"a": 1, "b": 1, "c": 0}, {}, False)  # fmt: skip
_add(
    "SB+swap.sc+acq",
    [[swap("p", "x", 1, SC), R("a", "y", ACQ)], [swap("q", "y", 1, SC), R("b", "x", ACQ)]],
    {"a": 0, "b": 0},
    {},
    True,
)
_add(
    "SB+swap.sc+sc",
    [[swap("p", "x", 1, SC), R("a", "y", SC)], [swap("q", "y", 1, SC), R("b", "x", SC)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add("SB+swap.sc+acq+rel+or.sc+acq", [[swap("p", "x", 1, SC), R("a", "y", ACQ)], [W("y", 1, REL), fetch_or("q", "z", 1, SC), R("b", "x", ACQ)]],
     {"a": 0, "b": 0}, {}, True)  # fmt: skip
_add(
    "SB+swap.sc+sc+sc+sc",
    [[swap("p", "x", 1, SC), R("a", "y", SC)], [W("y", 1, SC), R("b", "x", SC)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add(
    "SB+swap.sc+sc+rel+sc",
    [[swap("p", "x", 1, SC), R("a", "y", SC)], [W("y", 1, REL), R("b", "x", SC)]],
    {"a": 0, "b": 0},
    {},
    True,
)
_add("SB+or.ar of one word", [[W("x", 1, REL), fetch_or("p", "z", 1, AR), R("a", "y", ACQ)], [W("y", 1, REL), fetch_or("q", "z", 2, AR), R("b", "x", ACQ)]],
     {"a": 0, "b": 0}, {}, False)  # fmt: skip
_add(
    "two operations on one store",
    [[fetch_or("p", "x", 1, RLX)], [fetch_or("q", "x", 2, RLX)]],
    {"p": 0, "q": 0},
    {},
    False,
)
_add("MP+release sequence", [[W("x", 1, RLX), W("y", 1, REL)], [fetch_or("p", "y", 2, RLX)], [R("a", "y", ACQ), R("b", "x", RLX)]],
     {"a": 3, "b": 0}, {}, False)  # fmt: skip
_add(
    "MP+or.rlx",
    [[W("x", 1, RLX), fetch_or("p", "y", 1, RLX)], [R("a", "y", ACQ), R("b", "x", RLX)]],
    {"a": 1, "b": 0},
    {},
    True,
)
_add(
    "MP+sc+rlx+rlx+sc",
    [[W("x", 1, SC), W("y", 1, RLX)], [R("a", "y", RLX), R("b", "x", SC)]],
    {"a": 1, "b": 0},
    {},
    True,
)
_add("Z6.U", [[W("x", 1, SC), W("y", 1, REL)], [fetch_or("p", "y", 2, SC), R("c", "y", RLX)], [W("y", 4, SC), R("d", "x", SC)]],
     {"p": 1, "c": 4, "d": 0}, {}, True)  # fmt: skip
_add("R+or.sc+rel+rel+swap.sc+acq", [[fetch_or("p", "x", 1, SC), W("w", 1, REL)], [W("w", 2, REL), swap("q", "s", 1, SC), R("a", "x", ACQ)]],
     {"a": 0}, {"w": 2}, True)  # fmt: skip

_add("SB+fences by way of LB", [[W("x", 1, RLX), F, W("y", 1, RLX)], [R("a", "y", RLX), W("z", 1, RLX)], [R("b", "z", RLX), F, R("c", "x", RLX)]],
     {"a": 1, "b": 1, "c": 0}, {}, True)  # fmt: skip
_add(
    "SB+membarrier+rlx",
    [[W("x", 1, RLX), R("a", "y", RLX)], [W("y", 1, RLX), HEAVY, R("b", "x", RLX)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add(
    "SB+membarrier+ra",
    [[W("x", 1, REL), R("a", "y", ACQ)], [W("y", 1, REL), HEAVY, R("b", "x", ACQ)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add("SB+membarrier too early", [[W("x", 1, REL), R("a", "y", ACQ)], [HEAVY, W("y", 1, REL), R("b", "x", ACQ)]],
     {"a": 0, "b": 0}, {}, True)  # fmt: skip
_add(
    "SB+sc+cas.sc that fails",
    [[W("x", 1, SC), cas("a", "y", 1, 1, SC)], [W("y", 1, SC), cas("b", "x", 1, 1, SC)]],
    {"a": 0, "b": 0},
    {},
    False,
)
_add("SB+swap.sc+rlx", [[swap("p", "x", 1, SC), R("a", "y", RLX)], [swap("q", "y", 1, SC), R("b", "x", RLX)]],
     {"a": 0, "b": 0}, {}, True)  # fmt: skip
_add("SB+cas.sc+acq", [[cas("p", "x", 0, 1, SC), R("a", "y", ACQ)], [cas("q", "y", 0, 1, SC), R("b", "x", ACQ)]],
     {"p": 1, "q": 1, "a": 0, "b": 0}, {}, True)  # fmt: skip
_add("SB+rlx+cas.sc that fails+acq", [[W("x", 1, RLX), cas("p", "z", 1, 2, SC), R("a", "y", ACQ)], [W("y", 1, RLX), cas("q", "w", 1, 2, SC), R("b", "x", ACQ)]],
     {"a": 0, "b": 0}, {}, True)  # fmt: skip
_add("SB+rlx+sc", [[W("x", 1, RLX), R("a", "y", SC)], [W("y", 1, RLX), R("b", "x", SC)]], {"a": 0, "b": 0}, {}, True)

OUT_OF_ORDER = ("SB+fences by way of LB",)
"""What RC11 allows, and the machine does not show, because threads run in order."""

MISSED = (*OUT_OF_ORDER, "MP+sc+rlx+rlx+sc", "Z6.U")
"""The same, and where seq_cst accesses stand in the order of their execution."""


@st.composite
def ops(draw: st.DrawFn, thread: int, number: int) -> Op:
    op = draw(st.sampled_from(("load", "store", "swap", "fetch_or", "cas", "fence")))
    if op == "fence":
        return Op(op)
    order = draw(st.sampled_from(ORDERS[op]))
    operands = tuple(draw(st.integers(0, 2)) for _ in range(OPERANDS[op]))
    return Op(op, draw(st.sampled_from("xy")), operands, order, "" if op == "store" else f"r{thread}{number}")


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Two or three threads, seven statements at most: what a person would still look at."""
    lengths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=3).filter(lambda n: sum(n) <= 7))
    return tuple(tuple(draw(ops(t, n)) for n in range(length)) for t, length in enumerate(lengths))
