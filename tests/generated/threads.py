"""Whole programs of several threads that print the same under every schedule.

Only the main thread prints, or one that it starts and joins at once, when no other prints.  The others note what they see in
a log of their own, and share a list of ints that each only adds to, under a lock: so sums and lengths tell, and the order does
not.  A thread that starts others looks at their logs and their list after it has waited for all of them, or never.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.generated.programs import Writer
from tests.generated.scope import SMALL, Function, Scope

START = 40
"""What the start of a thread costs, in rough steps."""


@dataclass
class Worker(Function):
    """What a thread does: a function of `n, log, cell, lock`, a gate if it is `gated`, and of numbers.

    `gated`: it opens the gate when it ends, whatever happens.  Not `logs`: it prints.
    """

    gated: bool = False


@dataclass
class Team:
    """Threads at work together: the names of the variables that hold them, and what is theirs."""

    cell: str
    lock: str
    threads: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    awaiting: list[str] = field(default_factory=list)


class Threads(Writer):
    """Functions, workers that call them and start each other, then a module that starts them all."""

    logs = True
    imported: tuple[str, ...] = ("masked",)

    def __init__(self, draw: st.DrawFn, wide: bool, budget: int) -> None:
        super().__init__(draw, wide, budget)
        self.workers: list[Worker] = []

    def statement(self, scope: Scope) -> None:
        worker = scope.function if isinstance(scope.function, Worker) else None
        match self.number(0, 7):
            case 0 | 1 if self.affordable(scope) and (worker or not scope.function):
                self.team(scope)
            case 2 | 3 if worker:
                self.share(scope)
            case 4:
                self.write(scope, "sleep(0)")
            case 5 if worker and self.rarely():
                self.write(scope, self.pick(("return", f"raise ValueError({self.leaf(scope)})")))
            case _:
                super().statement(scope)

    # -- what a worker does

    def define_worker(self) -> None:
        numbers = ["n", *(f"p{i}" for i in range(self.number(0, 2)))]
        gated = self.number(0, 3) == 0
        parameters = ["n", "log", "cell", "lock", *["gate"] * gated, *numbers[1:]]
        me = Worker(self.name("w"), len(numbers), 0, bool(self.number(0, 3)), gated)
        before, self.budget = self.budget, min(self.budget, 250)
        start = self.budget
        self.lines.append(f"def {me.name}({', '.join(parameters)}):")
        scope = Scope([*numbers], 1, 0, me, "    ")
        if gated:
            self.write(scope, "try:")
        body = scope.inner() if gated else scope
        self.share(body)
        self.block(body, 4)
        if gated:
            self.write(scope, "finally:")
            self.write(scope, "    gate.release()")
        me.cost = start - self.budget + START
        self.budget = before
        self.workers.append(me)

    def share(self, scope: Scope) -> None:
        """Add to the common list, under the lock; what is added may raise there, or the turn may end there."""
        value = f"int({self.expression(scope, 1)}) % {SMALL}"
        update = self.pick((f"cell[0] += {value}", f"cell.append({value})"))
        inner, by_hand = scope.inner(), self.number(0, 2) == 0
        for line in ("lock.acquire()", "try:") if by_hand else ("with lock:",):
            self.write(scope, line)
        if self.number(0, 3) == 0:
            self.write(inner, "with everybodys:")
            self.write(inner, f"    {self.pick(('sleep(0)', update))}")
        self.write(inner, update)
        if scope.loops and self.rarely():
            self.write(inner, self.pick(("break", "continue")))
        if by_hand:
            self.write(scope, "finally:")
            self.write(scope, "    lock.release()")

    # -- who starts them

    def affordable(self, scope: Scope) -> list[Worker]:
        return [w for w in self.workers if 12 * (w.cost + START) * scope.turns <= self.budget]

    def team(self, scope: Scope) -> None:
        """Some threads, from their making to what they have left behind."""
        workers = self.affordable(scope)
        if not scope.function and self.number(0, 4) == 0:
            speaking = [w for w in self.workers if not w.logs and w in workers]
            if speaking:
                self.speaker(scope, speaking[self.number(0, len(speaking) - 1)])
                return
        team = Team(self.name("c"), self.name("k"))
        self.write(scope, f"{team.cell} = [0]")
        self.write(scope, f"{team.lock} = Lock()")
        silent = [w for w in workers if w.logs]
        if not silent:
            return
        if self.number(0, 3) == 0:
            self.crew(scope, team, silent[self.number(0, len(silent) - 1)])
        else:
            for _ in range(self.number(1, 3)):
                self.made(scope, team, silent[self.number(0, len(silent) - 1)])
            self.gathered(scope, team)

    def arguments(self, scope: Scope, worker: Worker, log: str, team: Team, gate: str, n: str) -> str:
        """Numbers only, so that nothing else is shared; now and then one too few."""
        numbers = [f"{self.leaf(scope)} % {SMALL}" for _ in range(worker.parameters - 1)]
        few = len(numbers) - (not worker.gated and self.rarely())
        given = [n, log, team.cell, team.lock, *[gate] * worker.gated, *numbers]
        return f"({', '.join(given[: len(given) - len(numbers) + few])})"

    def made(self, scope: Scope, team: Team, worker: Worker) -> None:
        """A thread that is not started yet, and how it will be waited for."""
        thread, log, gate = self.name("t"), self.name("o"), self.name("gate")
        self.budget -= 4 * worker.cost * scope.turns
        self.write(scope, f"{log} = []")
        if worker.gated:
            self.write(scope, f"{gate} = Lock()")
            self.write(scope, f"{gate}.acquire()")
        arguments = self.arguments(scope, worker, log, team, gate, str(self.number(0, 4)))
        self.write(scope, f"{thread} = Thread(target={worker.name}, args={arguments})")
        team.threads.append(thread)
        team.logs.append(log)
        team.awaiting.append(f"{gate}.acquire()" if worker.gated and self.number(0, 2) else f"{thread}.join()")

    def gathered(self, scope: Scope, team: Team) -> None:
        """Start them, do something else, wait for all of them (or for none), and look."""
        for thread in team.threads:
            self.write(scope, f"{thread}.{'join' if self.rarely() else 'start'}()")
            if self.number(0, 1):
                super().statement(scope)
        match self.number(0, 5):
            case 0:
                return
            case 1 | 2:
                self.write(scope, "try:")
                self.block(scope.inner(), 2)
                self.write(scope, "finally:")
                for line in team.awaiting:
                    self.write(scope, f"    {line}")
            case _:
                for line in team.awaiting:
                    self.write(scope, line)
        self.look(scope, team)

    def crew(self, scope: Scope, team: Team, worker: Worker) -> None:
        """Several threads in a list, that do the same with different numbers."""
        threads, logs, gates, count = self.name("t"), self.name("o"), self.name("gate"), self.number(2, 3)
        i, each = self.name("i"), self.name("t")
        self.budget -= 4 * count * worker.cost * scope.turns
        lists = {
            threads: "[]",
            logs: str([[]] * count),
            **({gates: f"[{', '.join(['Lock()'] * count)}]"} if worker.gated else {}),
        }
        for name, value in lists.items():
            self.write(scope, f"{name} = {value}")
        self.write(scope, f"for {i} in range({count}):")
        if worker.gated:
            self.write(scope, f"    {gates}[{i}].acquire()")
        arguments = self.arguments(scope, worker, f"{logs}[{i}]", team, f"{gates}[{i}]", i)
        self.write(scope, f"    {threads}.append(Thread(target={worker.name}, args={arguments}))")
        for method in ("start", "join"):
            self.write(scope, f"for {each} in {threads}:")
            self.write(scope, f"    {each}.{method}()")
        team.logs.append(logs)
        self.look(scope, team)

    def speaker(self, scope: Scope, worker: Worker) -> None:
        """A thread that prints; no other does before it has ended."""
        team, gate = Team("[0]", "Lock()"), "Lock()"
        self.budget -= 4 * worker.cost * scope.turns
        thread = self.name("t")
        arguments = self.arguments(scope, worker, "log", team, gate, str(self.number(0, 4)))
        self.write(scope, f"{thread} = Thread(target={worker.name}, args={arguments})")
        self.write(scope, f"{thread}.start()")
        self.write(scope, f"{thread}.join()")

    def look(self, scope: Scope, team: Team) -> None:
        self.write(scope, self.shown(scope, f"{team.cell}[0]", f"len({team.cell})", f"sum({team.cell})", *team.logs))

    # -- the whole

    def program(self) -> str:
        self.lines += [
            "from threading import Lock, Thread",
            "from time import sleep",
            f"from safepoint.guest.api import {', '.join(self.imported)}",
            "g1 = 0",
            "log = []",
            "everybodys = Lock()",
        ]
        for _ in range(self.number(0, 2)):
            self.define()
        for _ in range(self.number(1, 3)):
            self.define_worker()
        main = Scope(["g1"])
        self.team(main)
        self.block(main, 5)
        self.lines.append("print(g1, log)")
        return "\n".join(self.lines) + "\n"


@st.composite
def threaded(draw: st.DrawFn, wide: bool = False, budget: int = 3000) -> str:
    """A program of up to a dozen or so threads without a race, as `programs` otherwise."""
    return Threads(draw, wide, budget).program()
