"""Whole programs of one thread that are valid and busy."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.generated.scope import SMALL, Function, Scope
from tests.generated.statements import Statements


class Writer(Statements):
    """Functions, then a module that calls them.  `logs`: the functions neither print nor touch globals."""

    logs = False

    def define(self) -> None:
        own = ["n", *(f"p{i}" for i in range(self.number(0, 2)))]
        parameters = [own[0], *["log"] * self.logs, *own[1:]]
        me = Function(self.name("f"), len(parameters), 0, self.logs)
        before, self.budget = self.budget, min(self.budget, 300)
        start = self.budget
        scope = Scope([*own], 1, 0, me, "    ")
        self.lines.append(f"def {me.name}({', '.join(parameters)}):")
        if not self.logs and self.number(0, 2) == 0:
            self.write(scope, "global g1")
            scope.names.append("g1")
        self.write(scope, "if n <= 0:")
        self.write(scope, f"    return {self.leaf(scope)} % {SMALL}")
        self.block(scope, 4)
        if self.number(0, 1):
            others = [*parameters[1 : 1 + self.logs], *(self.leaf(scope) for _ in own[1:])]
            self.assign(scope, f"{me.name}({', '.join(['n - 1', *others])})")
        self.write(scope, f"return {self.expression(scope)} % {SMALL}")
        me.cost = start - self.budget + 10
        self.budget = before
        self.functions.append(me)

    def program(self) -> str:
        self.lines += ["from safepoint.guest.api import masked", "g1 = 0"]
        for _ in range(self.number(0, 3)):
            self.define()
        self.block(Scope(["g1"]), 6)
        self.lines.append("print(g1)")
        return "\n".join(self.lines) + "\n"


@st.composite
def programs(draw: st.DrawFn, wide: bool = False, budget: int = 1500) -> str:
    """A valid program that ends after about `budget` steps, seldom after several times that, mostly without an exception.

    `wide`: with numbers near the ends of 63 bits, so that OverflowError is in reach too.
    """
    return Writer(draw, wide, budget).program()
