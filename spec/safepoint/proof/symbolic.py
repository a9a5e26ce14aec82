"""A role of the protocol's text as logic: each atomic step, for any number of threads, as a condition and the state after it.

Made from the same `Graph` that the explorer runs, and with the same idea of a step: one access, what follows it locally, and
the choice before it.  Where the explorer has a number this has a term: a word of a thread is an array over thread numbers.
A requester that chooses a thread is compiled for a world of one, and that one stands for any: a text has no way to name a
thread by its number, so the other cases of its choice would be the same tree again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import z3

from safepoint.graph.execute import POISON
from safepoint.graph.ir import (
    FOLD,
    RESULT,
    SELF,
    WORLD,
    Cell,
    Claim,
    Const,
    Done,
    Expr,
    Fixed,
    Ghost,
    Goto,
    Graph,
    If,
    Let,
    Local,
    Op,
    Population,
    Private,
    Step,
    Tree,
    When,
    atoms,
)
from safepoint.proof.turns import Endless, endless

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
    """A role under way through one step: `conditions` under which it went this way, and the claims of the text it met."""

    state: State
    env: dict[str, z3.ExprRef]
    conditions: tuple[z3.BoolRef, ...] = ()
    claims: tuple[tuple[str, z3.BoolRef], ...] = ()
    cases: tuple[str, ...] = ()
    access: Step | None = None  # the step that was made, after the choices
    at: Step | None = None
    passed: tuple[int, ...] = ()  # labels since the access


@dataclass
class Role:
    """One graph.  `me`: the number of the thread that runs it, or that it has chosen."""

    graph: Graph
    me: z3.ExprRef
    numbers: frozenset[str] = field(init=False)  # locals that are thread numbers
    rests: dict[int, Step] = field(default_factory=dict)  # where it can stand between two steps

    def __post_init__(self) -> None:
        owners = [c.owner for c in self.graph.cells()]
        owners += [t.owner for t in self.graph.trees() if isinstance(t, Ghost)]
        owners += [a.cell.owner for e in self.graph.expressions() for a in atoms(e) if isinstance(a, Fixed)]
        self.numbers = frozenset(o.name for o in owners if isinstance(o, Local))

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def threads(self) -> bool:
        """Does every thread run a copy of it?"""
        return self.graph.owner == SELF

    def hands(self) -> frozenset[str]:
        """The locals that hold requests: a text calls them `bits`."""
        return frozenset(n for names in self.graph.live.values() for n in names if n.endswith(".bits"))

    def sorts(self) -> dict[Key, z3.SortRef]:
        """What a state has to hold for it, and of which sort."""
        whose = "thread" if self.threads else self.name
        kept = {n for names in self.graph.live.values() for n in names}
        sorts: dict[Key, z3.SortRef] = {(whose, "at"): z3.IntSort()}
        sorts |= {(whose, n): z3.IntSort() if n in self.numbers else z3.BitVecSort(BITS) for n in kept}
        for cell in self.graph.cells():
            sorts["world" if cell.owner == WORLD else "thread", cell.word] = z3.BitVecSort(BITS)
        targets = [t.target for t in self.graph.trees() if isinstance(t, Let)]
        privates = {a.word for e in self.graph.expressions() for a in atoms(e) if isinstance(a, Private)}
        privates |= {t.word for t in targets if isinstance(t, Private)}
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

    def stands(self, state: State, steps: Iterable[Step], me: z3.ExprRef | None = None) -> z3.BoolRef:
        """Is it at one of these steps?"""
        return z3.Or([self.get(state, "at", me) == s.number for s in steps])

    # -- steps

    def begin(self, state: State) -> Iterator[Run]:
        yield from self._settle(self.graph.start, Run(state, {}))

    def moves(self, step: Step, state: State) -> Iterator[Run]:
        """Every way to make the step it stands at."""
        env = {n: self.get(state, n) for n in self.graph.live[step.number]}
        here = self.get(state, "at") == step.number
        yield from self._from(step, step, Run(state, env, (here,)))

    def _from(self, start: Step, step: Step, run: Run) -> Iterator[Run]:
        if step.op != "choose":
            yield from self._perform(step, run)
            return
        for case, tree in zip(step.cases, step.then, strict=True):
            for chosen in self._settle(tree, replace(run, cases=(*run.cases, case))):
                assert chosen.at is not None
                if chosen.at is start:
                    yield replace(chosen, access=step)  # all local: it is where it was
                else:
                    yield from self._from(start, chosen.at, chosen)

    def _perform(self, step: Step, run: Run) -> Iterator[Run]:
        run = replace(run, access=step)
        if step.cell is not None:
            old = self._load(step.cell, run)
            operands = [number(self.value(o, run)) for o in step.operands]
            new, result = _access(step.op, old, operands)
            run = replace(run, state=self._store(step.cell, new, run), env={**run.env, RESULT.name: result})
        if step.guard is not None:
            run = replace(run, conditions=(*run.conditions, truth(self.value(step.guard, run))))
        yield from self._settle(step.then[0], run)

    def _settle(self, tree: Tree, run: Run) -> Iterator[Run]:
        """Local work up to the next step, each way that it can go."""
        match tree:
            case Step():
                state = self.put(run.state, "at", z3.IntVal(tree.number))
                for name in self.graph.live[tree.number]:
                    state = self.put(state, name, run.env[name])
                yield replace(run, state=state, at=tree, passed=())
            case Goto(label):
                if label in run.passed:
                    raise Endless(endless(self.graph, label))
                yield from self._settle(self.graph.labels[label], replace(run, passed=(*run.passed, label)))
            case Let(Local(name), value, then):
                term = self.value(value, run, name in self.numbers)
                yield from self._settle(then, replace(run, env={**run.env, name: number(term)}))
            case Let(Private(name), value, then):
                array = z3.Store(run.state["thread", name], self.me, number(self.value(value, run)))
                yield from self._settle(then, replace(run, state={**run.state, ("thread", name): array}))
            case If(test, yes, no):
                term = z3.simplify(truth(self.value(test, run)))
                for way, condition in ((yes, term), (no, z3.simplify(z3.Not(term)))):
                    if not z3.is_false(condition):
                        yield from self._settle(way, replace(run, conditions=(*run.conditions, condition)))
            case When(test, then):
                condition = z3.simplify(truth(self.value(test, run)))
                if not z3.is_false(condition):
                    yield from self._settle(then, replace(run, conditions=(*run.conditions, condition)))
            case Claim(name, test, then):
                met = z3.Implies(z3.And(run.conditions), truth(self.value(test, run)))
                yield from self._settle(then, replace(run, claims=(*run.claims, (name, met))))
            case Ghost(op, owner, kind, then):
                owed, thread, bits = run.state["thread", "owed"], self._index(owner, run), self.value(kind, run)
                now = z3.Select(owed, thread)
                after = now | bits if op == "posted" else now & ~bits
                array = z3.Store(owed, thread, after)
                yield from self._settle(then, replace(run, state={**run.state, ("thread", "owed"): array}))
            case Done():
                raise ValueError(
                    f"{self.name}: a role of the model must not end (write instead: `return {self.name}(…)`)"
                )

    # -- terms

    def value(self, e: Expr, run: Run, integer: bool = False) -> z3.ExprRef:
        """`integer`: it is a thread number, which has no bound; everything else is a machine word."""
        match e:
            case Const(value):
                return z3.IntVal(value) if integer else word(value)
            case Local(name):
                return run.env[name]
            case Private(name):
                return z3.Select(run.state["thread", name], self.me)
            case Population():
                return THREADS
            case Fixed(cell, which):
                return (
                    word(POISON) if which == "poison" else real(cell.word.split("[")[0], self._index(cell.owner, run))
                )
            case Op(name, args):
                counts = any(
                    isinstance(a, Population) or (isinstance(a, Local) and a.name in self.numbers) for a in atoms(e)
                )
                terms = [number(self.value(a, run, counts)) for a in args]
                return cast("Callable[..., z3.ExprRef]", FOLD[name])(*terms)  # the same operators, on terms
        raise ValueError(f"{self.name}: {e} has no meaning for any number of threads")

    def _index(self, owner: int | str | Local, run: Run) -> z3.ExprRef:
        """SELF, or the one thread of a world of one: whoever `me` is."""
        return run.env[owner.name] if isinstance(owner, Local) else self.me

    def _load(self, cell: Cell, run: Run) -> z3.ExprRef:
        if cell.owner == WORLD:
            return run.state["world", cell.word]
        return z3.Select(run.state["thread", cell.word], self._index(cell.owner, run))

    def _store(self, cell: Cell, value: z3.ExprRef, run: Run) -> State:
        if cell.owner == WORLD:
            return {**run.state, ("world", cell.word): value}
        array = z3.Store(run.state["thread", cell.word], self._index(cell.owner, run), value)
        return {**run.state, ("thread", cell.word): array}


def _access(op: str, old: z3.ExprRef, operands: list[z3.ExprRef]) -> tuple[z3.ExprRef, z3.ExprRef]:
    """What the word holds afterwards, and what the access gives."""
    match op:
        case "load":
            return old, old
        case "store" | "swap":
            return operands[0], old
        case "fetch_or":
            return old | operands[0], old
        case "fetch_and":
            return old & operands[0], old
        case "cas":
            return z3.If(old == operands[0], operands[1], old), old == operands[0]
    raise ValueError(f"an access of the kind {op} has no meaning for any number of threads")
