"""The core of a protocol's text, as the induction of `proof` needs it: three roles, their words, and the places they stand at.

The places are found by what is done there (which word, which access, inside which procedure), never by number, so that a
mutant of the text has the same places, in another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import z3

from safepoint.graph.expressions import Instance
from safepoint.graph.ir import Const, Local, Step
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.proof.symbolic import Role, Run, State, word

WORDS = ("limit", "entry", "pending", "state", "stop", "lock")
"""The words that the invariant speaks of: a text without them needs an invariant of its own."""


class Core:
    """The core roles of a text, the words of their states, and the places that the invariant speaks of."""

    def __init__(self, text: Text, mutant: str) -> None:
        self.text, self.mover, self.chosen = text, z3.Int("mover"), z3.Int("chosen")
        self.mutator = Role(compile_graph(text, "mutator", Instance(None, mutant)), self.mover)
        self.coordinator = Role(compile_graph(text, "coordinator", Instance(None, mutant)), self.mover)
        self.interrupter = Role(compile_graph(text, "interrupter", Instance(1, mutant)), self.chosen)
        self.roles = (self.mutator, self.coordinator, self.interrupter)
        sorts = {k: sort for role in self.roles for k, sort in role.sorts().items()}
        missing = [w for w in WORDS if not any(what.split("[")[0] == w for _, what in sorts)]
        if missing:
            raise ProtocolError(f"the core of the text has no word {missing[0]}, of which the invariant speaks")
        self.owed = ("thread", "owed")
        sorts[self.owed] = sorts["thread", "pending"]
        self.state: State = {k: _unknown(k, sort) for k, sort in sorts.items()}
        declared = {**text.words["World"], **text.words["Me"]}
        self.words = [k for k in sorts if k == self.owed or k[1].split("[")[0] in declared]  # neither places nor locals
        self.privates = [w for _, w in self.words if declared.get(w) == "int"]
        self.triggers = [w for _, w in self.words if declared.get(w.split("[")[0], "") in ("Trigger", "Triggers")]
        self.stop, self.interrupt, self.managed = (self.constant(n) for n in ("STOP", "INTERRUPT", "MANAGED"))
        self.others = word(~(self.stop | self.interrupt))  # kinds that the core does not know
        self._settle()
        self._places(mutant)

    def constant(self, name: str) -> int:
        value = self.text.constants.get(name)
        if not isinstance(value, Const):
            raise ProtocolError(f"the text has no constant {name}, of which the invariant speaks")
        return value.value

    def _settle(self) -> None:
        """Where each role can stand between two steps, if nobody asks for anything but STOP and INTERRUPT."""
        solver = z3.SimpleSolver()
        solver.add(self.kinds(self.state, self.mover))
        for role in self.roles:
            todo = [run.at for run in role.begin(self.state)]
            while todo:
                step = todo.pop()
                if step is not None and step.number not in role.rests:
                    role.rests[step.number] = step
                    possible = (r for r in role.moves(step, self.state) if solver.check(z3.And(r.conditions)) == z3.sat)
                    todo += [run.at for run in possible]

    def _places(self, mutant: str) -> None:
        m, c = list(self.mutator.rests.values()), list(self.coordinator.rests.values())
        self.guest = [s for s in m if s.op == "choose"]
        self.taking = [s for s in m if s.cell and s.cell.word in (*self.triggers, "pending")]
        self.away = [s for s in m if (_accesses(s, "stop") and s.guard) or (_accesses(s, "state") and _comes_back(s))]
        self.yielding = [
            s for s in m if _accesses(s, "stop") or _accesses(s, "state")
        ]  # each leads to a look at `stop`
        self.posting = [s for s in c if "post" in s.where]
        self.awaiting = [s for s in c if s.where[-1] == "stop_world" and _accesses(s, "state")]
        self.critical = [s for s in c if s.where[-1] == "critical"]
        self.starting = [s for s in c if s.where[-1] == "start_world" and _accesses(s, "stop")]
        self.first = c[:1]
        for place in ("guest", "taking", "away", "posting", "awaiting", "critical", "starting"):
            if not mutant and not getattr(self, place):
                raise ProtocolError(f"the text has no step of the kind that the invariant calls {place!r}")

    def kinds(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """Nobody asks thread i for anything but STOP and INTERRUPT, and it keeps nothing back."""
        asked = [self.of(s, w, i) for w in ("pending", "owed", *self.mutator.hands())]
        unused = [self.of(s, w, i) == word(0) for w in self.privates if w != "end"]
        return z3.And([a & self.others == word(0) for a in asked] + unused)

    def of(self, s: State, what: str, i: z3.ExprRef) -> z3.ExprRef:
        return z3.Select(s["thread", what], i)

    def told_of(self, role: Role, run: Run) -> str:
        """The step that a role makes: who, the statement, and where it stands."""
        step = run.access
        assert step is not None
        who = "the mover" if role.threads else f"the {role.name}"
        cases = f" ({', '.join(run.cases)})" if run.cases else ""
        return f"{who}{cases}: {step.source}  [{self.text.functions[step.where[-1]].file}:{step.line}]"

    def portrait(self, model: z3.ModelRef, after: State, named: dict[str, z3.ExprRef]) -> Iterator[str]:
        """A state of a counterexample, line by line; what the step changed as before -> after."""

        def say(role: Role | None, before: z3.ExprRef, now: z3.ExprRef) -> str:
            a, b = (model.eval(t, model_completion=True).as_long() for t in (before, now))
            names = {n: f"{s.name} (line {s.line})" for n, s in role.rests.items()} if role else {}
            return f"{names.get(a, a)}" if a == b else f"{names.get(a, a)} -> {names.get(b, b)}"

        numbers = {who: model.eval(x, model_completion=True).as_long() for who, x in named.items()}
        for who, x in named.items():
            if who != "i" and numbers[who] == numbers["i"]:
                yield f"{who} is thread {numbers[who]} too"
                continue
            yield f"{who} is thread {numbers[who]}, at {say(self.mutator, *self._both('at', x, after))}"
            yield ", ".join(
                f"{w} {say(None, *self._both(w, x, after))}" for whose, w in self.words if whose == "thread"
            )
        for role in self.roles[1:]:
            yield f"the {role.name} is at {say(role, role.get(self.state, 'at'), role.get(after, 'at'))}"
        yield ", ".join(
            f"{w} {say(None, self.state[k], after[k])}" for k in self.words if k[0] == "world" for w in k[1:]
        )

    def _both(self, what: str, x: z3.ExprRef, after: State) -> tuple[z3.ExprRef, z3.ExprRef]:
        return z3.Select(self.state["thread", what], x), z3.Select(after["thread", what], x)

    def targets(self) -> list[z3.ExprRef]:
        """The threads that requesters work on."""
        return [self.chosen, *(self.coordinator.get(self.state, n) for n in self.coordinator.numbers)]

    def target(self, role: Role, step: Step, s: State) -> z3.ExprRef:
        owner = step.cell.owner if step.cell else None
        return role.get(s, owner.name) if isinstance(owner, Local) else role.me


@dataclass(frozen=True)
class Post:
    """Where a requester posts: the step that says why, and the steps that poison each word.  A graph numbers steps in order."""

    said: int
    poisons: dict[str, int]


def post_of(role: Role) -> Post:
    steps = [s for s in role.graph.steps if "post" in s.where and s.cell]
    poisons = {s.cell.word: s.number for s in steps if s.cell and s.op == "store"}
    return Post(max(s.number for s in steps if s.cell and s.cell.word == "pending"), poisons)


def _accesses(step: Step, word: str) -> bool:
    return step.cell is not None and step.cell.word == word


def _comes_back(step: Step) -> bool:
    """Does it set `state`, on the way back to guest code?  Its procedure is the only one that both sets it and looks."""
    return step.where[-1] == "reenter"


def _unknown(key: tuple[str, str], sort: z3.SortRef) -> z3.ExprRef:
    return z3.Const(".".join(key), z3.ArraySort(z3.IntSort(), sort) if key[0] == "thread" else sort)
