"""The core of a protocol's text, as the induction needs it: three roles, their words, and the places they stand at.

The places are found by what is done there (which word, which access, inside which procedure), never by number, so that a
mutant of the text has the same places, in another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import z3

from safepoint.graph.instance import Instance
from safepoint.graph.ir import Const, Local, Step
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.proof.guarded import GHOSTS
from safepoint.proof.symbolic import Role, Run, State, word

WORDS = ("limit", "entry", "pending", "state", "end", "stop", "lock")
CONSTANTS = ("STOP", "INTERRUPT", "MANAGED")
PROCEDURES = {"post": "post", "await": "stop_world", "operate": "critical", "start": "start_world", "return": "reenter"}
"""What a requester or thread does there -> the procedure of the text."""
LOCALS = {"requests in hand": "bits", "end of the new frame": "end"}
"""What the invariant calls by name.  A text without one of these is refused: it needs an invariant of its own."""


class Core:
    """The core roles of a text, the words of their states, and the places that the invariant speaks of."""

    def __init__(self, text: Text, mutant: str) -> None:
        self.text, self.process, self.chosen = text, z3.Int("process"), z3.Int("chosen")
        self.mutator = Role(compile_graph(text, "mutator", Instance(None, mutant)), self.process)
        self.coordinator = Role(compile_graph(text, "coordinator", Instance(None, mutant)), self.process)
        self.interrupter = Role(compile_graph(text, "interrupter", Instance(1, mutant)), self.chosen)
        self.roles = (self.mutator, self.coordinator, self.interrupter)
        sorts = {k: sort for role in self.roles for k, sort in role.sorts().items()}
        self._check_names({what.split("[")[0] for _, what in sorts}, mutant)
        ghosts = [("thread", ghost) for ghost in GHOSTS]
        sorts |= dict.fromkeys(ghosts, sorts["thread", "pending"])
        self.state: State = {k: _unknown(k, sort) for k, sort in sorts.items()}
        declared = {word: kind for words in text.words.values() for word, kind in words.items()}
        self.words = [k for k in sorts if k in ghosts or k[1].split("[")[0] in declared]  # neither places nor locals
        self.privates = [w for _, w in self.words if declared.get(w) == "int"]
        self.triggers = [w for _, w in self.words if declared.get(w.split("[")[0], "") in ("Trigger", "Triggers")]
        self.stop, self.interrupt, self.managed = (self.constant(n) for n in CONSTANTS)
        self.others = word(~(self.stop | self.interrupt))  # kinds that the core does not know
        self._settle()
        self._places(mutant)

    def _check_names(self, words: set[str], mutant: str) -> None:
        missing = [f"word {w}" for w in WORDS if w not in words]
        missing += [f"constant {n}" for n in CONSTANTS if not isinstance(self.text.constants.get(n), Const)]
        missing += [f"procedure {n}" for n in PROCEDURES.values() if n not in self.text.functions]
        missing += [f"local {n}" for n in LOCALS.values() if not mutant and not self.mutator.called(n)]
        if missing:
            raise ProtocolError(f"the core of the text has no {missing[0]}, of which the invariant speaks")

    def constant(self, name: str) -> int:
        value = self.text.constants[name]
        assert isinstance(value, Const)
        return value.value

    def _settle(self) -> None:
        """Where each role can stand between two steps, if requesters ask for STOP and INTERRUPT only."""
        solver = z3.SimpleSolver()
        solver.add(self.kinds(self.state, self.process))
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
        # the procedure that returns to guest code is the only one that both sets `state` and looks at `stop`
        self.away = [
            s for s in m if (_accesses(s, "stop") and s.guard) or (_accesses(s, "state") and _is_in(s, "return"))
        ]
        self.yielding = [
            s for s in m if _accesses(s, "stop") or _accesses(s, "state")
        ]  # each leads to a look at `stop`
        self.posting = [s for s in c if posts(s)]
        self.awaiting = [s for s in c if _is_in(s, "await") and _accesses(s, "state")]
        self.critical = [s for s in c if _is_in(s, "operate")]
        self.starting = [s for s in c if _is_in(s, "start") and _accesses(s, "stop")]
        self.first = c[:1]
        for place in ("guest", "taking", "away", "posting", "awaiting", "critical", "starting"):
            if not mutant and not getattr(self, place):
                raise ProtocolError(f"the text has no step of the kind that the invariant calls {place!r}")

    def kinds(self, s: State, i: z3.ExprRef) -> z3.ExprRef:
        """Requesters ask thread i for STOP and INTERRUPT only, and it masks nothing."""
        asked = [self.of(s, w, i) for w in ("pending", *GHOSTS, *hands(self.mutator))]
        unused = [self.of(s, w, i) == word(0) for w in self.privates if w != "end"]
        return z3.And([a & self.others == word(0) for a in asked] + unused)

    def of(self, s: State, what: str, i: z3.ExprRef) -> z3.ExprRef:
        return z3.Select(s["thread", what], i)

    def describe(self, role: Role, run: Run) -> str:
        """Describe the step of a role: its actor, the statement, and file:line."""
        step = run.access
        assert step is not None
        who = "the process" if role.threads else f"the {role.name}"
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
    steps = [s for s in role.graph.steps if posts(s) and s.cell]
    poisons = {s.cell.word: s.number for s in steps if s.cell and s.op == "store"}
    return Post(max(s.number for s in steps if s.cell and s.cell.word == "pending"), poisons)


def _accesses(step: Step, word: str) -> bool:
    return step.cell is not None and step.cell.word == word


def _is_in(step: Step, what: str) -> bool:
    return step.where[-1] == PROCEDURES[what]


def posts(step: Step) -> bool:
    return PROCEDURES["post"] in step.where


def hands(role: Role) -> frozenset[str]:
    """The locals that hold requests."""
    return role.called(LOCALS["requests in hand"])


def _unknown(key: tuple[str, str], sort: z3.SortRef) -> z3.ExprRef:
    return z3.Const(".".join(key), z3.ArraySort(z3.IntSort(), sort) if key[0] == "thread" else sort)
