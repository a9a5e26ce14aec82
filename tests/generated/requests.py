"""Whole programs of several threads that ask each other: to raise, to end, for an operation, for a collection.

Nothing is promised of their output: they race, and what a thread that is ended would have done is missing.  In one order of steps
they do the same on both machines.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.generated.scope import Scope
from tests.generated.threads import Team, Threads, Worker

ASKS = ("terminate", "terminate", "interrupt", "handshake")
BUSY = """\
threads = [Thread(target=None)]
def busy(n):
    try:
        while n > 0:
            n -= 1
    finally:
        log.append(n)
"""
"""`threads` begins with one that is never started, and gets each that is; so a thread may ask itself."""


class Requests(Threads):
    """What is asked of a thread mostly comes while it is at work, or cleans up."""

    imported = ("collect", "handshake", "interrupt", "masked", "terminable", "terminate")

    def statement(self, scope: Scope) -> None:
        nested = len(scope.indent) < 16 and scope.turns * 10 < self.budget
        match self.number(0, 13):
            case 0 | 1 | 2:
                self.write(scope, self.asked(scope))
            case 3 | 4 | 5:
                self.budget -= 40 * scope.turns
                self.write(scope, f"busy({self.number(1, 40)})")
            case 6 if nested:
                self.write(scope, "with terminable():")
                self.block(scope.inner(), 2)
            case 7 | 8 if nested:
                self.guarded(scope)
            case _:
                super().statement(scope)

    def guarded(self, scope: Scope) -> None:
        """What catches everything, or a `finally` that may be left early."""
        self.write(scope, "try:")
        inner = scope.inner()
        self.block(inner, 2)
        if self.number(0, 1):
            self.write(scope, f"except{self.pick((' KeyboardInterrupt', ' BaseException', ''))}:")
            self.block(scope.inner(), 1)
            return
        self.write(scope, "finally:")
        self.block(inner, 2)
        if scope.function and self.number(0, 1):
            self.write(inner, "return 5")
        elif scope.loops and self.number(0, 1):
            self.write(inner, self.pick(("break", "continue")))

    def asked(self, scope: Scope) -> str:
        if self.rarely():
            return "collect()"
        whom = self.pick(("-1", "-2", "0", f"{self.leaf(scope)} % len(threads)"))
        return f"{self.pick(ASKS)}(threads[{whom}])"

    def team(self, scope: Scope) -> None:
        """As `Threads`, of any workers; the others ask them while they run."""
        workers = self.affordable(scope)
        if not workers:
            return
        team = Team(self.name("c"), self.name("k"))
        self.write(scope, f"{team.cell} = [0]")
        self.write(scope, f"{team.lock} = Lock()")
        for _ in range(self.number(1, 3)):
            self.made(scope, team, workers[self.number(0, len(workers) - 1)])
        self.gathered(scope, team)

    def made(self, scope: Scope, team: Team, worker: Worker) -> None:
        super().made(scope, team, worker)
        self.write(scope, f"threads.append({team.threads[-1]})")

    def gathered(self, scope: Scope, team: Team) -> None:
        for thread in team.threads:
            self.write(scope, f"{thread}.start()")
        for _ in range(self.number(1, 4)):
            self.statement(scope)
            self.write(scope, f"{self.pick(ASKS)}({self.pick(team.threads)})")
        for thread in team.threads:
            self.write(scope, f"{thread}.join()")
        self.look(scope, team)

    def program(self) -> str:
        return super().program().replace("log = []\n", f"log = []\n{BUSY}", 1)


@st.composite
def asking(draw: st.DrawFn, wide: bool = False, budget: int = 2500) -> str:
    """A program of a few threads that interrupt and terminate each other; it may wait for ever for what an ended one does not do."""
    return Requests(draw, wide, budget).program()
