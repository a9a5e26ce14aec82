"""The guest's compiler: a subset of Python -> register code (`code.Program`).

Inside: ints of 63 bits, bools, None; functions defined at the top level, with positional parameters; names, operators (all
but `/`, `**`, `@`, `in`), `and`, `or`, `not`, chained comparison, conditional expressions, calls, `print`; assignment to
names, also chained and to a tuple of names, augmented assignment, `global`; `if`, `while`, `for … in range(…)`, `break`,
`continue`, `pass`, `return`.  Whatever else is one `GuestSyntaxError`.

Every loop is entered at its test, which stands at its bottom and ends in the loop's only back-edge opcode.  So one
execution of that opcode is one evaluation of the test: n + 1 for n turns.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.guest.code import OPCODES, UNSET, Program
from safepoint.guest.emitter import TOO_MUCH, Label, Pending, Tables
from safepoint.guest.expressions import BINARY, SMALL_CODE, Expressions, in_parts
from safepoint.guest.source import Source
from safepoint.guest.subset import outside


def compile_program(source: bytes | str, file: str) -> Program:
    """Compile a program; `file` is its name in messages.  Raises `GuestSyntaxError`, whose text is one line."""
    text = Source(source, file)
    tree = text.parse()
    tables = Tables(text)
    module = Statements(tables, {}, ())
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            module.function(statement)
        else:
            module.statement(statement)
    module.emit(tree.body[-1] if tree.body else ast.Pass(lineno=1, col_offset=0), "HALT")
    return tables.program(module.code("<module>", (), 1))


@dataclass
class Loop:
    """The loop around a statement.  `breaks`: what is assigned at each `break`."""

    test: Label
    end: Label
    breaks: list[frozenset[str]] = field(default_factory=list)


class Statements(Expressions):
    """The code of one function, or of the module: then there are no local variables."""

    loop: Loop | None = None

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        top = self.top
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.Pass() | ast.Global():
                pass
            case ast.Expr(value=ast.Call() as call) if self.is_name(call.func, "print"):
                self.print(call)
            case ast.Expr(value=value):
                self.value(value)
            case ast.Assign():
                self.assign(node)
            case ast.AugAssign():
                self.augmented(node)
            case ast.If():
                self.condition(node)
            case ast.While():
                self.while_loop(node)
            case ast.For():
                self.for_loop(node)
            case ast.Break() | ast.Continue():
                self.leave_turn(node)
            case ast.Return():
                self.emit(node, "RETURN", self.value(node.value or ast.copy_location(ast.Constant(None), node)))
                self.unreachable()
            case _:
                raise self.error(node, *outside(node))
        self.top = top

    def unreachable(self) -> None:
        self.assigned = frozenset(self.variables)

    # -- assignment

    def assign(self, node: ast.Assign) -> None:
        match node.targets:
            case [ast.Name(id=name)] if name in self.variables and not in_parts(node.value):
                self.into(node.value, self.variables[name])
                self.assigned |= {name}
            case [ast.Tuple(elts=targets)]:
                self.assign_tuple(node, targets)
            case targets:
                slot = self.value(node.value)
                for target in targets:
                    self.store(target, slot)

    def assign_tuple(self, node: ast.Assign, targets: list[ast.expr]) -> None:
        """`a, b = b, a`: all values first, then all variables."""
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if len(values) != len(targets):
            what = f"{len(targets)} names on the left, {len(values)} on the right"
            raise self.error(node.value, what, "as many values as names")
        slots = [self.push(value) for value in values]
        for target, slot in zip(targets, slots, strict=True):
            self.store(target, slot)

    def store(self, target: ast.expr, slot: int) -> None:
        if not isinstance(target, ast.Name):
            raise self.error(target, "only names can be assigned to", "x = value")
        if target.id in self.variables:
            self.emit(target, "MOVE", self.variables[target.id], slot)
            self.assigned |= {target.id}
        else:
            self.emit(target, "SET_GLOBAL", slot, self.global_number(target, target.id))

    def augmented(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, ast.Name):
            raise self.error(node.target, "only names can be assigned to", "x += value")
        if type(node.op) not in BINARY:
            raise self.error(node, *outside(node.op))
        left = self.value(node.target)
        self.binary(node, node.op, left, node.value, left)
        if node.target.id not in self.variables:
            self.store(node.target, left)

    # -- control

    def condition(self, node: ast.If) -> None:
        no, end = Label(), Label()
        self.branch(node.test, no, when=False)
        known = self.assigned
        self.block(node.body)
        after, self.assigned = self.assigned, known
        if node.orelse and not isinstance(node.body[-1], ast.Break | ast.Continue | ast.Return):
            self.emit(node.body[-1], "JUMP", end)
        self.place(no)
        self.block(node.orelse)
        self.place(end)
        self.assigned &= after

    def while_loop(self, node: ast.While) -> None:
        self.no_else(node)
        outer, known = self.loop, self.assigned
        loop, body = Loop(Label(), Label()), Label()
        self.loop = loop
        self.emit(node.test, "JUMP", loop.test)
        self.place(body)
        self.block(node.body)
        self.loop, self.assigned = outer, known
        self.place(loop.test)
        self.loop_test(node.test, body)
        self.place(loop.end)
        self.assigned = self.assigned.intersection(*loop.breaks)

    def loop_test(self, test: ast.expr, body: Label) -> None:
        match test:
            case ast.Constant(value=int(value)) if value:
                self.emit(test, "JUMP_BACK", body)
                self.unreachable()
            case ast.Compare(left=left, ops=[ast.Lt()], comparators=[right]):
                first, second = self.value(left), self.value(right)
                if self.distance(body) >= OPCODES["LESS_JUMP_BACK"].operands[2].low:
                    self.emit(test, "LESS_JUMP_BACK", first, second, body)
                else:
                    result = self.allocate()
                    self.emit(test, "LESS", result, first, second)
                    self.emit(test, "TRUE_JUMP_BACK", result, body)
            case _:
                self.emit(test, "TRUE_JUMP_BACK", self.value(test), body)

    def for_loop(self, node: ast.For) -> None:
        self.no_else(node)
        if not isinstance(node.target, ast.Name):
            raise self.error(node.target, "only a name can be the variable of a loop", "for x in range(…)")
        hidden = self.range(node.iter)
        outer, known = self.loop, self.assigned
        loop, body = Loop(Label(), Label()), Label()
        self.loop = loop
        self.emit(node.iter, "FOR_PREPARE", hidden, loop.test)
        self.place(body)
        name = node.target.id
        if name in self.variables:
            variable = self.variables[name]
            self.assigned |= {name}
        else:
            variable = self.allocate()
            self.store(node.target, variable)
        self.block(node.body)
        self.loop, self.assigned = outer, known
        self.place(loop.test)
        self.emit(node, "FOR_RANGE", variable, hidden, body)
        self.place(loop.end)
        self.assigned = known  # each `break` has at least that

    def range(self, node: ast.expr) -> int:
        """Start, end and step in three neighbouring slots, which the loop keeps to itself."""
        if not (isinstance(node, ast.Call) and self.is_name(node.func, "range")):
            raise self.error(node, "a for loop goes over a range only", "for x in range(…)")
        if not 1 <= len(node.args) <= 3:
            raise self.error(node, f"range with {len(node.args)} arguments", "range(end), range(start, end, step)")
        hidden = self.top
        if len(node.args) == 1:
            self.constant(node, 0, self.allocate())
        self.arguments(node)
        if len(node.args) < 3:
            self.constant(node, 1, self.allocate())
        return hidden

    def no_else(self, node: ast.While | ast.For) -> None:
        if node.orelse:
            raise self.error(node.orelse[0], "else of a loop is outside the guest's language", "a variable and an if")

    def leave_turn(self, node: ast.Break | ast.Continue) -> None:
        assert self.loop is not None  # CPython's checks came first
        if isinstance(node, ast.Break):
            self.loop.breaks.append(self.assigned)
        self.emit(node, "JUMP", self.loop.end if isinstance(node, ast.Break) else self.loop.test)
        self.unreachable()

    # -- functions

    def function(self, node: ast.FunctionDef) -> None:
        """A `def` of the module: compiled on its own, and assigned to its global name here."""
        parameters = self.parameters(node)
        names = [*parameters, *(name for name in self.locals(node) if name not in parameters)]
        if len(names) > OPCODES["MOVE"].operands[0].high:
            raise self.error(node, *TOO_MUCH["slot"])  # before any work that grows with their square
        body = Statements(self.tables, {name: slot for slot, name in enumerate(names)}, parameters)
        body.block(node.body)
        if not body.ends_in("RETURN"):
            body.statement(ast.copy_location(ast.Return(None), node.body[-1]))
        function = self.tables.add(body.code(node.name, parameters, node.lineno, body.prologue(node)))
        slot = self.allocate()
        self.emit(node, "CONSTANT", slot, function)
        self.emit(node, "SET_GLOBAL", slot, self.global_number(node, node.name))
        self.top = slot

    def prologue(self, node: ast.FunctionDef) -> list[Pending]:
        """What makes every variable UNSET of which somebody asks whether it is."""
        unset = [slot for name, slot in self.variables.items() if name in self.maybe_unset]
        return [Pending("LOADK", (slot, SMALL_CODE[repr(UNSET)]), node) for slot in unset]

    def locals(self, node: ast.FunctionDef) -> list[str]:
        """The names that the function assigns and does not declare global, in the order of the text."""
        inside = list(ast.walk(node))
        shared = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
        stores = [n for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id not in shared]
        for name in stores:
            self.check_name(name, name.id)
        return list(dict.fromkeys(n.id for n in sorted(stores, key=lambda n: (n.lineno, n.col_offset))))

    def parameters(self, node: ast.FunctionDef) -> tuple[str, ...]:
        """Their names; raise for all that a def may have beside them."""
        a = node.args
        extras: list[tuple[list[ast.expr] | list[ast.arg], str]] = [
            (node.decorator_list, "a decorator"), (a.posonlyargs, "a positional-only parameter"),
            ([a.vararg] if a.vararg else [], "a parameter *args"), (a.kwonlyargs, "a keyword-only parameter"),
            ([a.kwarg] if a.kwarg else [], "a parameter **kwargs"), (a.defaults, "a default value"),
            ([p.annotation for p in a.args if p.annotation], "an annotation"),
            ([node.returns] if node.returns else [], "an annotation"),
        ]  # fmt: skip
        for nodes, what in extras:
            for extra in nodes:
                raise self.error(extra, f"{what} is outside the guest's language", "def f(a, b):")
        for parameter in a.args:
            self.check_name(parameter, parameter.arg)
        return tuple(p.arg for p in a.args)
