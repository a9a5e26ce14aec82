"""The guest's compiler: a subset of Python -> register code (`code.Program`).

Inside: ints of 63 bits, floats, strings, lists, bools, None; functions defined at the top level, with positional
parameters; all operators but `@`, conditional expressions, f-strings without formats, subscripts, slices without steps,
calls, `append` and `pop`; the built-in functions and exceptions of `operations.builtins` and `faults`; assignment to names and
subscripts, also chained, augmented, and to several at once; `global`, `del x[i]`; `if`, `while`, `for` over a range, list or
string, `break`, `continue`, `pass`, `return`; `try`, `raise`, `assert`; `Thread`, `Lock` and `sleep`, imported at the top, and `with` for a
lock; what `api` defines.  Anything else is one `GuestSyntaxError`.

Every loop is entered at its test, which stands at its bottom and ends in the loop's only back-edge opcode.  So one
execution of that opcode is one evaluation of the test: n + 1 for n turns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from safepoint.guest.code import OPCODES, UNSET, Program
from safepoint.guest.compiler.emitter import TOO_MUCH, Label, Pending, Tables
from safepoint.guest.compiler.expressions import in_parts
from safepoint.guest.compiler.loops import LoopCompiler
from safepoint.guest.compiler.names import SMALL_CODE
from safepoint.guest.compiler.source import Located, Source
from safepoint.guest.compiler.subset import IMPORTS


@lru_cache(maxsize=128)
def compile_program(source: bytes | str, file: str) -> Program:
    """Compile a program; `file` is its name in messages.  Raises `GuestSyntaxError`, whose text is one line.

    A program, which never changes, is a function of these two: both machines, and each policy, are given the same object.
    """
    text = Source(source, file)
    tree = text.parse()
    tables = Tables(text)
    module = StatementCompiler(tables, {}, ())
    for statement in module.importing(tree.body):
        if isinstance(statement, ast.FunctionDef):
            module.function(statement)
        else:
            module.statement(statement)
    module.emit(tree.body[-1] if tree.body else ast.Pass(lineno=1, col_offset=0), "HALT")
    return tables.program(module.code("<module>", (), 1))


class StatementCompiler(LoopCompiler):
    """Compiles the statements of one function, or of the module, which has no local variables."""

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def importing(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """The program without the imports at its top."""
        for number, node in enumerate(statements):
            match node:
                case ast.ImportFrom(module=module, names=names):
                    for name in names:
                        if node.level or name.asname or name.name not in IMPORTS.get(module or "", ()):
                            known = (f"from {module} import {', '.join(known)}" for module, known in IMPORTS.items())
                            raise self.error(node, "this import is outside the guest's language", ", or ".join(known))
                        self.tables.imported.add(name.name)
                case ast.Expr(value=ast.Constant(value=str())):
                    pass  # a docstring
                case _:
                    return statements[number:]
        return []

    def statement(self, node: ast.stmt) -> None:
        """Compile a statement; its temporaries are free after it."""
        top = self.top
        if type(node) not in STATEMENTS:
            raise self.outside(node, node)
        STATEMENTS[type(node)](self, node)
        self.top = top

    def expression_statement(self, node: ast.Expr) -> None:
        match node.value:
            case ast.Constant(value=str()):
                pass  # a docstring, or any other string without effect
            case ast.Call(func=ast.Attribute() as called) as call:
                self.method(call, called, None)
            case ast.Call() as call if self.pythons(call.func, "print"):
                self.print(call)
            case value:
                self.value(value)

    def return_statement(self, node: ast.Return) -> None:
        value = node.value or ast.copy_location(ast.Constant(None), node)
        cleanups = any(block.cleanup for block in self.blocks)
        slot = self.push(value) if cleanups else self.value(value)  # a cleanup may assign the variable
        with self.way_out(0):
            self.emit(node, "RETURN", slot)
        self.unreachable()

    # -- assignment

    def assign(self, node: ast.Assign) -> None:
        match node.targets:
            case [ast.Name(id=name)] if name in self.variables and not in_parts(node.value):
                self.into(node.value, self.variables[name])
                self.assigned |= {name}
            case [ast.Tuple(elts=targets) | ast.List(elts=targets)]:
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
        match target:
            case ast.Name(id=name) if name in self.variables:
                self.emit(target, "MOVE", self.variables[name], slot)
                self.assigned |= {name}
            case ast.Name(id=name):
                self.emit(target, "SET_GLOBAL", slot, self.global_number(target, name))
            case ast.Subscript():
                top = self.top
                self.emit(target, "STORE_INDEX", *self.element(target), slot)
                self.top = top
            case _:
                raise self.error(target, "only names and subscripts can be assigned to", "x = value")

    def augmented(self, node: ast.AugAssign) -> None:
        """`x op= y`: old value, operation in place, assignment; the sequence and index of a subscript are evaluated once."""
        if isinstance(node.target, ast.Subscript):
            of, index = self.element(node.target)
            old = self.allocate()
            self.emit(node.target, "INDEX", old, of, index)
            self.binary(node, node.op, old, node.value, old, augmented=True)
            self.emit(node, "STORE_INDEX", of, index, old)
            return
        if not isinstance(node.target, ast.Name):
            raise self.error(node.target, "only names and subscripts can be assigned to", "x += value")
        left = self.value(node.target)
        self.binary(node, node.op, left, node.value, left, augmented=True)
        if node.target.id not in self.variables:
            self.store(node.target, left)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Subscript):
                raise self.error(target, "del is for an item of a list only", "x = None")
            self.emit(target, "DELETE_INDEX", *self.element(target))

    # -- control

    def condition(self, node: ast.If) -> None:
        no, end = Label(), Label()
        self.branch(node.test, no, when=False)
        known = self.assigned
        self.block(node.body)
        after, self.assigned = self.assigned, known
        if node.orelse and not isinstance(node.body[-1], ast.Break | ast.Continue | ast.Return | ast.Raise):
            self.emit(node.body[-1], "JUMP", end)
        self.place(no)
        self.block(node.orelse)
        self.place(end)
        self.assigned &= after

    # -- functions

    def function(self, node: ast.FunctionDef) -> None:
        """A `def` of the module: compile its code, and assign the function to its global name here."""
        parameters = self.parameters(node)
        names = [*parameters, *(name for name in self.locals(node) if name not in parameters)]
        if len(names) > OPCODES["MOVE"].operands[0].high:
            raise self.error(node, *TOO_MUCH["slot"])  # before work that is quadratic in their number
        body = StatementCompiler(self.tables, {name: slot for slot, name in enumerate(names)}, parameters)
        body.block(node.body)
        if not body.ended():
            body.statement(ast.copy_location(ast.Return(None), node.body[-1]))
        function = self.tables.add(body.code(node.name, parameters, node.lineno, body.prologue(node)))
        slot = self.allocate()
        self.emit(node, "CONSTANT", slot, function)
        self.emit(node, "SET_GLOBAL", slot, self.global_number(node, node.name))
        self.top = slot

    def prologue(self, node: ast.FunctionDef) -> list[Pending]:
        """Instructions that make each variable UNSET that a BOUND checks."""
        unset = [slot for name, slot in self.variables.items() if name in self.maybe_unset]
        return [Pending("LOADK", (slot, SMALL_CODE[repr(UNSET)]), node) for slot in unset]

    def locals(self, node: ast.FunctionDef) -> list[str]:
        """The names that the function assigns and does not declare global, in the order of the text."""
        inside = [n for n in ast.walk(node) if isinstance(n, Located)]
        shared = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
        stores = [(n, name) for n in inside if (name := stored_name(n)) and name not in shared]
        for place, name in stores:
            self.check_name(place, name)
        return list(dict.fromkeys(name for _, name in sorted(stores, key=lambda s: (s[0].lineno, s[0].col_offset))))

    def parameters(self, node: ast.FunctionDef) -> tuple[str, ...]:
        """The names of the parameters.  Raises for anything else in the head of a def."""
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


def stored_name(node: Located) -> str | None:
    """The name that the node assigns a value to, if any."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.ExceptHandler(name=name):
            return name
    return None


STATEMENTS: dict[type[ast.stmt], Callable[[StatementCompiler, Any], None]] = {
    ast.Pass: lambda *_: None,
    ast.Global: lambda *_: None,  # `locals` has read it
    ast.Expr: lambda compiler, node: compiler.expression_statement(node),  # an input's own
    ast.Assign: StatementCompiler.assign,
    ast.AugAssign: StatementCompiler.augmented,
    ast.Delete: StatementCompiler.delete,
    ast.If: StatementCompiler.condition,
    ast.While: StatementCompiler.while_loop,
    ast.For: StatementCompiler.for_loop,
    ast.Break: StatementCompiler.leave_turn,
    ast.Continue: StatementCompiler.leave_turn,
    ast.Return: StatementCompiler.return_statement,
    ast.Try: StatementCompiler.try_statement,
    ast.With: StatementCompiler.with_statement,
    ast.Raise: StatementCompiler.raise_statement,
    ast.Assert: StatementCompiler.assert_statement,
}
"""Kind of statement -> what compiles it; any other kind is outside the guest's language."""
