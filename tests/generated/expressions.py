"""Expressions of generated programs: mostly of small ints that exist, now and then of what is not there."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from tests.generated.scope import Function, Scope

EDGES = (2**62 - 1, -(2**62), 2**61, -(2**61), 2**31, 2**30 - 1, -(2**30), 2**32 + 1, -1, 0)
ARITHMETIC = ("+", "-", "*", "&", "|", "^")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

_between = cache(st.integers)
"""To make a strategy takes as long as to draw from it."""


@cache
def _one_of(count: int) -> st.SearchStrategy[int]:
    """An index; its own strategy for each length, for Hypothesis puts what it drew from one in the place of another of the same kind."""
    return st.sampled_from(range(count))


class Expressions:
    """Draws one program.  `budget`: rough steps that may still be spent, so that every program ends soon."""

    def __init__(self, draw: st.DrawFn, wide: bool, budget: int) -> None:
        self.draw, self.wide, self.budget = draw, wide, budget
        self.lines: list[str] = []
        self.functions: list[Function] = []
        self.fresh = 0

    def number(self, low: int, high: int) -> int:
        return self.draw(_between(low, high))

    def rarely(self) -> bool:
        return self.number(0, 29) == 17  # not an end of the range: hypothesis likes those

    def pick(self, among: tuple[str, ...] | list[str]) -> str:
        return among[self.draw(_one_of(len(among)))]

    def name(self, prefix: str) -> str:
        self.fresh += 1
        return f"{prefix}{self.fresh}"

    def write(self, scope: Scope, text: str) -> None:
        self.lines.append(scope.indent + text)

    def leaf(self, scope: Scope) -> str:
        if scope.ints and self.number(0, 2):
            return self.pick(scope.names if self.rarely() else scope.ints)
        if self.rarely():
            return self.pick(("None", "True", "False", "nowhere"))
        if self.wide and self.number(0, 3) == 0:
            return str(self.draw(st.sampled_from(EDGES)))
        return str(self.number(-9, 99))

    def of_object(self, scope: Scope) -> str:
        """An int that comes from a list, string or float; now and then there is no such item, or no int."""
        index = self.number(-3, 2) if self.rarely() else self.number(-1, 0)
        if floats := scope.of_kind("d"):
            return f"({self.pick(floats)} {self.pick(COMPARISONS)} {self.leaf(scope)})"
        name = self.pick(scope.of_kind("ls") or ["'ab'"])
        if name[0] == "l":
            return self.pick(
                (
                    f"len({name})",
                    f"{name}[{index}]",
                    f"max({name})",
                    f"({self.leaf(scope)} in {name})",
                    f"len({name}[{index}:])",
                )
            )
        return self.pick(
            (
                f"len({name})",
                f"ord({name}[{index}])",
                f"({name} < 'b')",
                f"int('3' + {name}[{index}:0])",
                f"('1' not in {name})",
            )
        )

    def expression(self, scope: Scope, depth: int = 2) -> str:
        if depth == 0:
            return self.leaf(scope) if self.number(0, 5) else self.of_object(scope)
        left, right = self.expression(scope, depth - 1), self.expression(scope, depth - 1)
        match self.number(0, 9):
            case 0:
                return f"({left} {self.pick(COMPARISONS)} {right})"
            case 1:
                return f"({left} {self.pick(('//', '%'))} {right if self.rarely() else self.number(1, 9)})"
            case 2:
                return f"({left} {self.pick(('<<', '>>'))} {self.number(-1 if self.rarely() else 0, 7)})"
            case 3:
                return f"({self.pick(('-', '~', '+', 'not '))}{left})"
            case 4:
                return f"({left} {self.pick(('and', 'or'))} {right})"
            case 5:
                return f"({left} if {right} else {self.leaf(scope)})"
            case 6:
                return f"({left} {self.pick(('+', '-'))} {self.number(0, 9)})"
            case 7 if self.number(0, 3) == 0:
                return self.pick(
                    (
                        f"abs({left})",
                        f"min({left}, {right})",
                        f"int({left} / {self.number(1, 9)})",
                        f"bool({left})",
                        f"({left}) ** 2",
                    )
                )
            case _:
                return f"({left} {self.pick(ARITHMETIC)} {right})"

    def condition(self, scope: Scope) -> str:
        left, right = self.expression(scope, 1), self.leaf(scope)
        match self.number(0, 4):
            case 0:
                return f"{self.number(-9, 9)} {self.pick(COMPARISONS)} {left} {self.pick(COMPARISONS)} {right}"
            case 1:
                return f"not {left}"
            case 2:
                return f"{left} > {right} {self.pick(('and', 'or'))} {self.leaf(scope)} % 3 == 0"
            case _:
                return f"{left} {self.pick(COMPARISONS)} {right}"

    def call(self, scope: Scope) -> str | None:
        """A call that the budget allows; a function calls itself with a smaller first argument only."""
        affordable = [f for f in self.functions if 4 * f.cost * scope.turns <= self.budget]
        if not affordable:
            return None
        f = affordable[self.number(0, len(affordable) - 1)]
        self.budget -= 4 * f.cost * scope.turns
        others = [*["log"] * f.logs, *(self.leaf(scope) for _ in range(f.parameters - 1 - f.logs))]
        arguments = [str(self.number(0, 4)), *others]
        return f"{f.name}({', '.join(arguments[: f.parameters + 1 if not self.rarely() else 1])})"
