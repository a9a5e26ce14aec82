"""The core rules for any number of threads, by induction: an invariant that holds at first, and that no step can break.

The steps come from the text, as `symbolic` reads its graphs: one coordinator, one interrupter, and as many threads as one
likes, each with a stack of its own size.  Only `invariant` is written by hand: what one would say in prose of each place
where a thread can stand.  Sequential consistency only; the stores that x86-TSO delays are for `any_number`.

The invariant says something of the world (W) and the same of every thread (P).  To show: if W and P(x) hold for every x and
some role makes one step, then W and P(i) hold afterwards, for an i of which nothing is known.  Of the hypotheses "for every
x" the solver gets only P(i), P(the thread that moves) and P(the thread that a requester works on).  That is sound, because to
assume less can only make a proof fail.  And it is enough, because a step touches no other thread's words; if one did, the
solver would show a counterexample that no real world has, never a proof that is none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from safepoint.graph.execute import POISON
from safepoint.graph.text import Text
from safepoint.model.properties import ALWAYS
from safepoint.proof.guarded import NoCommand

try:
    import z3

    from safepoint.proof.invariant import Invariant, Part, conjunction
    from safepoint.proof.symbolic import LARGE, THREADS, State, real, word
except ModuleNotFoundError as missing:
    if missing.name != "z3":
        raise
    WHY_NOT = "z3-solver is not installed: pip install z3-solver"
else:
    WHY_NOT = ""

COVERS = (
    "for every number of threads, each with a stack of its own size (up to 2^14 frames), one coordinator and one interrupter, policy folded, "
    "sequential consistency: world-stopped, owed-is-pending, pending-was-posted, taken-is-served, raises-what-is-due, "
    "served-once, pending-is-poisoned, awaited-is-poisoned, no-fake-overflow, no-missed-overflow"
)


class NoProof(Exception):
    """No verdict: there is no solver, it gave up, or the text has a loop whose turns need not end in a step."""


@dataclass(frozen=True)
class Induction:
    """`steps`: how many ways to make a step were checked.  `vacuous`: steps that the invariant says can never be made.

    `counterexample`: a state that the invariant allows and a step from it to one that it does not; or "".
    """

    holds: bool
    seconds: float
    steps: int
    vacuous: tuple[str, ...]
    counterexample: str
    covers: str = COVERS


def induction(text: Text, mutant: str = "") -> Induction:
    """Try the induction on a text, or on one of its mutants.  Raises NoProof, ProtocolError."""
    if WHY_NOT:
        raise NoProof(WHY_NOT)
    try:
        return Attempt(Invariant(text, mutant)).run()
    except NoCommand as error:
        raise NoProof(str(error)) from None


class Attempt:
    """One solver, with "W, and P of the threads that matter, of the state before" as its standing hypothesis."""

    def __init__(self, core: Invariant) -> None:
        self.core, self.i, self.steps = core, z3.Int("i"), 0
        self.parts = [*core.world(core.state), *core.thread(core.state, self.i)]
        self.solver = z3.SimpleSolver()
        self.solver.set("timeout", 20_000)  # milliseconds for each question; one takes about 30

    def run(self) -> Induction:
        began = time.perf_counter()
        found = self._initially()
        self.solver.add(*self._hypothesis())
        found = found or self._enough() or self._kept()
        vacuous = () if found else tuple(self._vacuous())
        return Induction(not found, time.perf_counter() - began, self.steps, vacuous, found)

    def _hypothesis(self) -> Iterator[z3.ExprRef]:
        core = self.core
        for x in (self.i, core.process, core.chosen):
            yield z3.And(x >= 0, x < THREADS)
        for x in (self.i, core.process, *core.targets()):
            yield z3.Implies(z3.And(x >= 0, x < THREADS), z3.substitute(conjunction(self.parts), (self.i, x)))

    def _after(self, state: State) -> list[Part]:
        """The invariant, said of another state: the same terms, with the words that have changed replaced."""
        new = [(term, state[k]) for k, term in self.core.state.items() if state[k] is not term]
        return [Part(p.sentence, z3.substitute(p.term, *new)) for p in self.parts]

    def _initially(self) -> str:
        """Check the initial state: trigger words are real, all else is 0, and each role stands at its first step."""
        core, x = self.core, self.core.process
        zero = [z3.And(x >= 0, x < THREADS), self.i == x]
        for (whose, what), term in core.state.items():
            if what in core.triggers:
                base = real(what.split("[")[0], x)
                zero += [base > POISON, base < word(LARGE), z3.Select(term, x) == base]
            elif what != "at":
                zero.append((z3.Select(term, x) if whose == "thread" else term) == 0)
        states: list[tuple[State, tuple[z3.BoolRef, ...]]] = [(core.state, ())]
        for role in core.roles:
            states = [(run.state, (*given, *run.conditions)) for state, given in states for run in role.begin(state)]
        for state, given in states:
            if found := self._refute((*zero, *given), self._after(state), "before the first step", state):
                return found
        return ""

    def _enough(self) -> str:
        """The invariant implies what it is for."""
        state = self.core.state
        return self._refute((), list(self.core.properties(state, self.i)), "a state that the invariant allows", state)

    def _kept(self) -> str:
        """No step leads out of the invariant, and none breaks a claim that the text makes on its way."""
        for role in self.core.roles:
            for step in role.rests.values():
                for run in role.moves(step, self.core.state):
                    self.steps += 1
                    claims = [Part(f"{name}: {ALWAYS.get(name, name)}", term) for name, term in run.claims]
                    after = [*claims, *self._after(run.state)]
                    if found := self._refute(run.conditions, after, self.core.describe(role, run), run.state):
                        return found
        return ""

    def _refute(self, given: tuple[z3.ExprRef, ...], parts: list[Part], where: str, after: State) -> str:
        """Look for a state where all of `given` holds and one of the parts is false.  Returns its description, or ""."""
        self.solver.push()
        self.solver.add(*given, z3.Not(conjunction(parts)))
        answer = self.solver.check()
        if answer == z3.unsat:
            self.solver.pop()
            return ""
        if answer != z3.sat:
            raise NoProof(f"the solver gives up ({self.solver.reason_unknown()}): {where}")
        model = self._small(self.solver.model())
        broken = [p.sentence for p in parts if z3.is_false(model.eval(p.term, model_completion=True))]
        shown = [
            f"    {line}" for line in self.core.portrait(model, after, {"i": self.i, "process": self.core.process})
        ]
        self.solver.pop()
        return "\n".join([where, *(f"breaks, for thread i: {b}" for b in broken), *shown])

    def _small(self, found: z3.ModelRef) -> z3.ModelRef:
        """The same counterexample with few threads and short stacks, if there is one: easier to read."""
        self.solver.push()
        self.solver.add(THREADS <= 3, *(real("limit", x) <= word(2) for x in (self.i, self.core.process)))
        smaller = self.solver.model() if self.solver.check() == z3.sat else found
        self.solver.pop()
        return smaller

    def _vacuous(self) -> Iterator[str]:
        """Steps that can be made in no state of the invariant: of these it would say nothing at all."""
        for role in self.core.roles:
            for step in role.rests.values():
                ways = [z3.And(run.conditions) for run in role.moves(step, self.core.state)]
                if self.solver.check(z3.Or(ways)) != z3.sat:
                    yield f"{role.name}: {step.name} (line {step.line})"
