"""A role of the protocol's text as logic: each atomic step, for any number of threads, as a condition and the state after it.

Made from the same `Graph` that the explorer runs, and with the same idea of a step: one access, what follows it locally, and
the choice before it.  Where the explorer has a number this has a term: a word of a thread is an array over thread numbers.
A requester that chooses a thread is compiled for a world of one, and that one stands for any: a text has no way to name a
thread by its number, so the other cases of its choice would be the same tree again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import z3

from safepoint.graph import ir
from safepoint.proof.guarded import Command, Commands, NoCommand, Word

BITS = 16
LARGE = 1 << BITS - 2
"""No stack ends beyond it, so that "one frame more" never goes round the end of a word."""

THREADS = z3.Int("threads")

Key = tuple[str, str]
State = dict[Key, z3.ExprRef]
"""(whose, what) -> term; whose: "thread" (an array over thread numbers), "world", or the name of a role."""


def word(value: int) -> z3.ExprRef:
    return z3.BitVecVal(value, BITS)


def real(base: str, thread: z3.ExprRef) -> z3.ExprRef:
    """The real value of a trigger word: each thread has its own stack, of any size."""
    return z3.Function(f"{base}.real", z3.IntSort(), z3.BitVecSort(BITS))(thread)


def truth(term: z3.ExprRef) -> z3.BoolRef:
    return z3.simplify(term) if z3.is_bool(term) else term != 0


def number(term: z3.ExprRef) -> z3.ExprRef:
    return z3.If(term, word(1), word(0)) if z3.is_bool(term) else term


@dataclass(frozen=True)
class Run:
    """A command on terms: the state after it, the `conditions` under which it can be made, and the claims that it meets."""

    state: State
    conditions: tuple[z3.BoolRef, ...]
    claims: tuple[tuple[str, z3.BoolRef], ...]
    cases: tuple[str, ...]
    access: ir.Step | None
    at: ir.Step


@dataclass
class Role:
    """One graph.  `me`: the number of the thread that runs it, or that it has chosen."""

    graph: ir.Graph
    me: z3.ExprRef
    numbers: frozenset[str] = field(init=False)  # locals that are thread numbers
    rests: dict[int, ir.Step] = field(default_factory=dict)  # where it can stand between two steps

    def __post_init__(self) -> None:
        owners = [c.owner for c in self.graph.cells()]
        owners += [t.owner for t in self.graph.trees if isinstance(t, ir.Ghost)]
        owners += [a.cell.owner for e in self.graph.expressions() for a in ir.atoms(e) if isinstance(a, ir.Fixed)]
        self.numbers = frozenset(o.name for o in owners if isinstance(o, ir.Local))

    @property
    def name(self) -> str:
        return self.graph.name

    @cached_property
    def commands(self) -> Commands:
        return Commands(self.graph)

    @property
    def threads(self) -> bool:
        """Whether every thread runs a copy of it."""
        return self.graph.owner == ir.SELF

    def called(self, name: str) -> frozenset[str]:
        """The locals of this name, in any procedure, that a step keeps."""
        return frozenset(n for names in self.graph.live.values() for n in names if n.rpartition(".")[2] == name)

    def sorts(self) -> dict[Key, z3.SortRef]:
        """What a state has to hold for it, and of which sort."""
        whose = "thread" if self.threads else self.name
        kept = {n for names in self.graph.live.values() for n in names}
        sorts: dict[Key, z3.SortRef] = {(whose, "at"): z3.IntSort()}
        sorts |= {(whose, n): z3.IntSort() if n in self.numbers else z3.BitVecSort(BITS) for n in kept}
        for cell in self.graph.cells():
            sorts["world" if cell.owner == ir.WORLD else "thread", cell.word] = z3.BitVecSort(BITS)
        targets = [t.target for t in self.graph.trees if isinstance(t, ir.Let)]
        privates = {a.word for e in self.graph.expressions() for a in ir.atoms(e) if isinstance(a, ir.Private)}
        privates |= {t.word for t in targets if isinstance(t, ir.Private)}
        return sorts | {("thread", p): z3.BitVecSort(BITS) for p in privates}

    # -- states

    def get(self, state: State, name: str, me: z3.ExprRef | None = None) -> z3.ExprRef:
        """`at` or a local of the role."""
        if not self.threads:
            return state[self.name, name]
        return z3.Select(state["thread", name], self.me if me is None else me)

    def put(self, state: State, name: str, value: z3.ExprRef) -> State:
        if not self.threads:
            return {**state, (self.name, name): value}
        return {**state, ("thread", name): z3.Store(state["thread", name], self.me, value)}

    def stands(self, state: State, steps: Iterable[ir.Step], me: z3.ExprRef | None = None) -> z3.BoolRef:
        """Whether it stands at one of these steps."""
        return z3.Or([self.get(state, "at", me) == s.number for s in steps])

    # -- steps

    def begin(self, state: State) -> Iterator[Run]:
        yield from (self._run(c, state, ()) for c in self.commands.begin())

    def moves(self, step: ir.Step, state: State) -> Iterator[Run]:
        """Every way to make the step it stands at.  Raises NoCommand."""
        here = self.get(state, "at") == step.number
        yield from (self._run(c, state, (here,)) for c in self.commands.of(step))

    def _run(self, c: Command, before: State, given: tuple[z3.BoolRef, ...]) -> Run:
        """What the command makes of a state."""
        assert c.end is not None
        conditions = (*given, *(truth(self.value(g, before)) for g in c.guards))
        claims = tuple((name, z3.Implies(z3.And(conditions), truth(self.value(t, before)))) for name, t in c.claims)
        state = self.put(before, "at", z3.IntVal(c.end.number))
        for target, value in c.writes.items():
            match target:
                case ir.Local(name) if name in self.graph.live[c.end.number]:
                    state = self.put(state, name, number(self.value(value, before, name in self.numbers)))
                case ir.Private(name):
                    state = self._store(ir.Cell(ir.SELF, name), number(self.value(value, before)), before, state)
                case ir.Cell():
                    state = self._store(target, number(self.value(value, before)), before, state)
        return Run(state, conditions, claims, c.cases, c.access, c.end)

    # -- terms

    def value(self, e: ir.Expr, state: State, integer: bool = False) -> z3.ExprRef:
        """`integer`: it is a thread number, which has no bound; everything else is a machine word."""
        match e:
            case ir.Const(value):
                return z3.IntVal(value) if integer else word(value)
            case Word(_, cell):
                return self._load(cell, state)
            case ir.Local(name):
                return self.get(state, name)
            case ir.Private(name):
                return self._load(ir.Cell(ir.SELF, name), state)
            case ir.Population():
                return THREADS
            case ir.Fixed(cell):
                return real(cell.word.split("[")[0], self._index(cell.owner, state))
            case ir.Op(name, args):
                counts = any(
                    isinstance(a, ir.Population) or (isinstance(a, ir.Local) and a.name in self.numbers)
                    for a in ir.atoms(e)
                )
                terms = [number(self.value(a, state, counts)) for a in args]
                return cast("Callable[..., z3.ExprRef]", ir.FOLD[name])(*terms)  # the same operators, on terms
        raise NoCommand(f"{self.name}: {e} has no form for any number of threads")

    def _index(self, owner: int | str | ir.Local, state: State) -> z3.ExprRef:
        """SELF, or the one thread of a world of one: whichever `me` is."""
        return self.get(state, owner.name) if isinstance(owner, ir.Local) else self.me

    def _load(self, cell: ir.Cell, state: State) -> z3.ExprRef:
        if cell.owner == ir.WORLD:
            return state["world", cell.word]
        return z3.Select(state["thread", cell.word], self._index(cell.owner, state))

    def _store(self, cell: ir.Cell, value: z3.ExprRef, before: State, state: State) -> State:
        if cell.owner == ir.WORLD:
            return {**state, ("world", cell.word): value}
        array = z3.Store(state["thread", cell.word], self._index(cell.owner, before), value)
        return {**state, ("thread", cell.word): array}
