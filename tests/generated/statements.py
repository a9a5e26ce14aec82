"""Statements of generated programs: every loop ends, most exceptions are caught, and nothing becomes long."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.generated.expressions import ARITHMETIC, Expressions
from tests.generated.scope import SMALL, Scope


class Statements(Expressions):
    """Blocks of statements, each within the budget."""

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
                self.write(scope, self.shown(scope, self.expression(scope, 1), self.leaf(scope)))
            case 11 if scope.ints:
                self.augmented(scope)
            case 12 if len(scope.ints) > 1:
                a, b = self.pick(scope.ints), self.pick(scope.ints)
                swap = f"{a}, {b} = {b}, {self.leaf(scope)}" if a[0] + b[0] == "vv" else self.shown(scope, a, b)
                self.write(scope, swap)
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

    def shown(self, scope: Scope, *values: str, end: str = "") -> str:
        """A statement that prints; or, in a function that others may run at the same time, notes it in the caller's log."""
        if scope.function and scope.function.logs:
            return f'log.append(f"{" ".join(f"{{{value}}}" for value in (*values, end) if value)}")'
        return f"print({', '.join(values)}{f', end={end}' if end else ''})"

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
                    f"{name}.append({a})", f"{name}[{index}] = {a}", f"{name}[{index}] += {a}", f"{name} += [{a}]", self.shown(scope, f"{name}.pop()", name),
                    f"{name} = {name}[:3]", f"{name}[0], {name}[-1] = {name}[-1], {a}", f"del {name}[{index}]", self.shown(scope, name, f"{name} < [{a}]"),
                )))  # fmt: skip
            case "s":
                self.write(
                    scope,
                    self.pick(
                        (
                            f"{name} += str({a})",
                            f"{name} = {name}[-3:]",
                            self.shown(scope, name, end=name),
                            self.shown(scope, f"{name} * 2", f"{name!r} in {name}"),
                        )
                    ),
                )
            case "d":
                self.write(
                    scope,
                    self.pick(
                        (
                            f"{name} += {a}",
                            f"{name} = {name} * 0.25",
                            self.shown(scope, name, f"{name} // 3", f"{name} % 4"),
                        )
                    ),
                )
            case _:
                self.write(
                    scope,
                    self.pick((self.shown(scope, name), self.shown(scope, f"repr({name})"), f"raise {name}")),
                )

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
            self.write(scope, self.shown(scope, name))
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
