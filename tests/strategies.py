"""Hypothesis strategies: guest programs that are valid and busy, and sources that are anything at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

SMALL = 1009
"""Every assignment is taken modulo this, and expressions are shallow: so no result is beyond 63 bits."""

EDGES = (2**62 - 1, -(2**62), 2**61, -(2**61), 2**31, 2**30 - 1, -(2**30), 2**32 + 1, -1, 0)
ARITHMETIC = ("+", "-", "*", "&", "|", "^")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


@dataclass
class Function:
    """`cost`: of one call, in very rough steps, for each unit of its first argument."""

    name: str
    parameters: int
    cost: int


@dataclass
class Scope:
    """`names`: those that have a value here; the first letter says of what kind: lists `l`, strings `s`, floats `d`,
    exceptions `e`, else ints.  `turns`: how often this place is executed at most, per call.
    """

    names: list[str]
    turns: int = 1
    loops: int = 0
    function: Function | None = None
    indent: str = ""
    outer: Scope | None = None
    attempts: int = 0

    def of_kind(self, letters: str) -> list[str]:
        return [n for n in self.names if n[0] in letters]

    @property
    def ints(self) -> list[str]:
        return [n for n in self.names if n[0] not in "lsde"]

    def inner(self, turns: int = 1, loop: bool = False) -> Scope:
        names, indent = list(self.names), self.indent + "    "
        return Scope(names, self.turns * turns, self.loops + loop, self.function, indent, self, self.attempts)


class Writer:
    """Draws one program.  `budget`: rough steps that may still be spent, so that every program ends soon."""

    def __init__(self, draw: st.DrawFn, wide: bool, budget: int) -> None:
        self.draw, self.wide, self.budget = draw, wide, budget
        self.lines: list[str] = []
        self.functions: list[Function] = []
        self.fresh = 0

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def rarely(self) -> bool:
        return self.number(0, 29) == 17  # not an end of the range: hypothesis likes those

    def pick(self, among: tuple[str, ...] | list[str]) -> str:
        return self.draw(st.sampled_from(among))

    def name(self, prefix: str) -> str:
        self.fresh += 1
        return f"{prefix}{self.fresh}"

    def write(self, scope: Scope, text: str) -> None:
        self.lines.append(scope.indent + text)

    # -- expressions

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
        arguments = [str(self.number(0, 4)), *(self.leaf(scope) for _ in range(f.parameters - 1))]
        return f"{f.name}({', '.join(arguments[: f.parameters + 1 if not self.rarely() else 1])})"

    # -- statements

    def block(self, scope: Scope, length: int) -> None:
        for _ in range(self.number(1, length) + (not scope.indent) * 3):
            self.budget -= 4 * scope.turns
            self.statement(scope)
        if scope.outer and self.rarely():
            scope.outer.names.append(self.pick(scope.names or ["nowhere"]))  # which may have no value out there

    def statement(self, scope: Scope) -> None:
        nested = scope.loops < 3 and scope.turns * 30 < self.budget
        match self.number(0, 22):
            case 0 | 1 if nested:
                self.for_loop(scope)
            case 2 | 3 if nested:
                self.while_loop(scope)
            case 4 | 5:
                self.write(scope, f"if {self.condition(scope)}:")
                self.block(scope.inner(), 2)
                if self.number(0, 1):
                    self.write(scope, self.pick(("else:", f"elif {self.condition(scope)}:")))
                    self.block(scope.inner(), 2)
            case 6 | 7 | 8 | 9 if call := self.call(scope):
                self.assign(scope, call)
            case 10:
                self.write(scope, f"print({self.expression(scope, 1)}, {self.leaf(scope)})")
            case 11 if scope.ints:
                self.augmented(scope)
            case 12 if len(scope.ints) > 1:
                a, b = self.pick(scope.ints), self.pick(scope.ints)
                self.write(scope, f"{a}, {b} = {b}, {self.leaf(scope)}" if a[0] + b[0] == "vv" else f"print({a}, {b})")
            case 13 if scope.loops:
                self.write(scope, f"if {self.condition(scope)}:")
                self.write(scope, f"    {self.pick(('break', 'continue'))}")
            case 14 | 15 if len(scope.indent) < 12 and scope.turns * 15 < self.budget:
                self.attempt(scope)
            case 16 if (scope.attempts and self.number(0, 1)) or self.rarely():
                self.write(
                    scope,
                    f"raise {self.pick(('ValueError', 'KeyError', 'IndexError', 'RuntimeError'))}({self.leaf(scope)})",
                )
            case 17 | 18:
                self.object(scope)
            case 19 if len(scope.indent) < 12 and scope.turns * 10 < self.budget:
                self.write(scope, "with masked():")
                self.block(scope.inner(), 2)
            case 20 | 21 if names := scope.of_kind("lsde"):
                self.change(scope, self.pick(names))
            case _:
                self.assign(scope, self.expression(scope))

    def object(self, scope: Scope) -> None:
        """A new list, string or float."""
        a, b = self.expression(scope, 1), self.leaf(scope)
        name = self.name(self.pick(("l", "l", "s", "d")))
        made = {"l": (f"[{a}, {b}]", f"[{a}] * {self.number(1, 3)}", f"[{b}, {b}, {a}][1:]"), "s": (f'f"{{{a}}}{{{b}!r}}"', f"str({a}) + 'x'", "'aé'"),
                "d": (f"{a} / {self.number(1, 9)}", f"({a}) * 0.5", "0.1")}  # fmt: skip
        self.write(scope, f"{name} = {self.pick(made[name[0]])}")
        scope.names.append(name)

    def change(self, scope: Scope, name: str) -> None:
        """Something done with an object; lists and strings grow by little, so that none becomes long."""
        a, index = self.leaf(scope), self.number(-3, 2) if self.rarely() else self.number(-1, 0)
        match name[0]:
            case "l":
                self.write(scope, self.pick((
                    f"{name}.append({a})", f"{name}[{index}] = {a}", f"{name}[{index}] += {a}", f"{name} += [{a}]", f"print({name}.pop(), {name})",
                    f"{name} = {name}[:3]", f"{name}[0], {name}[-1] = {name}[-1], {a}", f"del {name}[{index}]", f"print({name}, {name} < [{a}])",
                )))  # fmt: skip
            case "s":
                self.write(
                    scope,
                    self.pick(
                        (
                            f"{name} += str({a})",
                            f"{name} = {name}[-3:]",
                            f"print({name}, end={name})",
                            f"print({name} * 2, {name!r} in {name})",
                        )
                    ),
                )
            case "d":
                self.write(
                    scope,
                    self.pick((f"{name} += {a}", f"{name} = {name} * 0.25", f"print({name}, {name} // 3, {name} % 4)")),
                )
            case _:
                self.write(scope, self.pick((f"print({name})", f"print(repr({name}))", f"raise {name}")))

    def attempt(self, scope: Scope) -> None:
        """A `try`, with most of what one can have."""
        self.write(scope, "try:")
        inner = scope.inner()
        inner.attempts = 1
        self.block(inner, 2)
        shape = self.number(0, 5)
        if shape != 5:
            caught = self.pick(
                (
                    "ArithmeticError",
                    "(ValueError, TypeError)",
                    "LookupError",
                    "Exception",
                    "(IndexError, ZeroDivisionError)",
                )
            )
            name = self.name("e")
            self.write(scope, f"except {caught} as {name}:" if shape else f"except {caught}:")
            handler = scope.inner()
            handler.names += [name] if shape else []
            handler.attempts = scope.attempts
            self.block(handler, 1)
            if self.number(0, 3) == 0:
                self.write(handler, "raise")
        if shape == 1:
            self.write(scope, "else:")
            self.block(scope.inner(), 1)
        if shape in (2, 5):
            self.write(scope, "finally:")
            self.block(scope.inner(), 1)

    def assign(self, scope: Scope, value: str) -> None:
        old = [n for n in scope.names if n[0] in "vg"]
        name = self.pick(old) if old and self.number(0, 1) else self.name("v")
        self.write(scope, f"{name} = {value}" if self.wide else f"{name} = {value} % {SMALL}")
        scope.names.append(name)

    def augmented(self, scope: Scope) -> None:
        name = self.pick(scope.ints)
        if name[0] not in "vg":
            self.write(scope, f"print({name})")
            return
        self.write(scope, f"{name} {self.pick((*ARITHMETIC, '>>'))}= {self.number(0, 9)}")
        if not self.wide:
            self.write(scope, f"{name} %= {SMALL}")

    def for_loop(self, scope: Scope) -> None:
        name, start, step = self.name("v"), self.number(-4, 4), self.draw(st.sampled_from((-3, -1, 1, 2)))
        turns = self.number(0, 6)
        end = start + step * turns
        simple = f"range({turns})" if self.number(0, 1) else f"range({start}, {start + turns})"
        objects = [f"{n}[:{turns}]" for n in scope.of_kind("l")]
        self.write(scope, f"for {name} in {self.pick((simple, f'range({start}, {end}, {step})', *objects[:2]))}:")
        inner = scope.inner(turns + 1, loop=True)
        inner.names.append(name)
        self.block(inner, 3)
        if (turns and not objects) or self.rarely():
            scope.names.append(name)

    def while_loop(self, scope: Scope) -> None:
        """The counter `w…` is stepped first, and nothing else assigns it: so it ends, whatever its body does."""
        name, turns = self.name("w"), self.number(0, 6)
        inner = scope.inner(turns + 1, loop=True)
        inner.names.append(name)
        tests = (f"{name} < {turns}", f"{name} < {turns} and ({self.condition(scope)})", f"{name} - {turns}",
                 f"not {name} >= {turns}", "True")  # fmt: skip
        test = self.pick(tests)
        self.write(scope, f"{name} = 0")
        self.write(scope, f"while {test}:")
        if test == "True":
            self.write(inner, f"if {name} >= {turns}:")
            self.write(inner, f"    {'return 7' if scope.function and self.rarely() else 'break'}")
        self.write(inner, f"{name} += 1")
        self.block(inner, 3)
        scope.names.append(name)

    # -- the whole

    def define(self) -> None:
        parameters = ["n", *(f"p{i}" for i in range(self.number(0, 2)))]
        me = Function(self.name("f"), len(parameters), 0)
        before, self.budget = self.budget, min(self.budget, 300)
        start = self.budget
        scope = Scope([*parameters], 1, 0, me, "    ")
        self.lines.append(f"def {me.name}({', '.join(parameters)}):")
        if self.number(0, 2) == 0:
            self.write(scope, "global g1")
            scope.names.append("g1")
        self.write(scope, "if n <= 0:")
        self.write(scope, f"    return {self.leaf(scope)} % {SMALL}")
        self.block(scope, 4)
        if self.number(0, 1):
            self.assign(scope, f"{me.name}({', '.join(['n - 1', *(self.leaf(scope) for _ in parameters[1:])])})")
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


EXAMPLES = sorted(Path(__file__).with_name("programs").glob("*.py"))
THREADED = sorted((Path(__file__).with_name("programs") / "threads").glob("*.py"))
PIECES = (
    "def f(a, b):", "while x < 3:", "for i in range(3):", "if a:", "elif b:", "else:", "return", "return a", "break", "continue", "global x", "x = 1",
    "x, y = y, x", "x += 1", "print(x)", "f(1)", "(", ")", ":", ",", "\n", "\n    ", "\n        ", " ", "-", "~", "not ", " and ", " is ", " in ",
    "lambda x: x", "[1]", "{}", "'s'", "1.5", "/", "**", "@", ":=", "class C:", "import os", "try:", "except:", "with a:", "yield", "await f",
    "assert a", "del x", "async def g():", "match x:", "*a", "**b", "x: int = 1", "...", "4611686018427387904", "\0", "\t", "\f", "\\\n", "#", "é", "\ufeff",
    "# coding: latin-1\n", "raise", "finally:", "except ValueError as e:", "f'{x!r:>3}'", "x[0]", "x[1:]", "x.append(1)", "print(x, end='')", "ValueError(1)", "0x", "1_000", "1__0", "'''", "f'{x}'", "b''", "print", "range", "len", "__name__",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good program with pieces put in, taken out or doubled."""
    text = draw(st.sampled_from(EXAMPLES)).read_text()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + draw(st.sampled_from((*PIECES, text[start:end] * 2))) + text[end:]
    return text


def sources() -> st.SearchStrategy[str | bytes]:
    """Anything that somebody may call a program."""
    soup = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    return st.one_of(st.text(), st.binary(), soup, mutated(), mutated().map(str.encode), programs(budget=300))
