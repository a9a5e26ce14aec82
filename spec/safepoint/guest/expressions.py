"""Expressions -> register code."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from safepoint.guest.code import INT_MAX, INT_MIN, LINK, OPCODES, SMALL
from safepoint.guest.emitter import Emitter, Label, Tables
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.source import Located
from safepoint.guest.subset import BUILTINS, outside

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "ADD", ast.Sub: "SUB", ast.Mult: "MUL", ast.FloorDiv: "FLOORDIV", ast.Mod: "MOD", ast.BitAnd: "AND",
    ast.BitOr: "OR", ast.BitXor: "XOR", ast.LShift: "SHL", ast.RShift: "SHR",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "NEG", ast.UAdd: "POS", ast.Invert: "INVERT", ast.Not: "NOT"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "LESS", ast.LtE: "LESS_EQUAL", ast.Gt: "GREATER", ast.GtE: "GREATER_EQUAL", ast.Eq: "EQUAL",
    ast.NotEq: "NOT_EQUAL", ast.Is: "IS", ast.IsNot: "IS_NOT",
}  # fmt: skip

_small = OPCODES["LOADK"].operands[1]
SMALL_INTS = range(max(SMALL) + 1, _small.high + 1)
SMALL_CODE = {repr(value): number for number, value in SMALL.items()}
"""`repr` of a constant that is no int -> operand of LOADK.  (As keys of a dictionary, True and 1 would be one.)"""


class Expressions(Emitter):
    """`assigned`: the local variables that surely have a value here; all of them, where control cannot come."""

    def __init__(self, tables: Tables, variables: dict[str, int], parameters: Iterable[str]) -> None:
        super().__init__(tables, variables)
        self.assigned = frozenset(parameters)
        self.maybe_unset: set[str] = set()  # of these somebody asks whether they have a value

    def error(self, node: Located, what: str, instead: str) -> GuestSyntaxError:
        return self.tables.source.error(node, what, instead)

    # -- where a value goes: `value` and `push` give a slot, `into` takes one

    def value(self, node: ast.expr) -> int:
        """A slot that holds the value: a local variable's own, or the next temporary."""
        if isinstance(node, ast.Name) and node.id in self.variables:
            return self.local(node)
        return self.push(node)

    def push(self, node: ast.expr) -> int:
        """The value in the next temporary."""
        if isinstance(node, ast.Call) and not self.is_name(node.func, "print"):
            return self.call(node)
        slot = self.allocate()
        self.into(node, slot)
        return slot

    def into(self, node: ast.expr, dst: int) -> None:
        """The value in `dst`, which is written by the last instruction, or (see `in_parts`) is a temporary."""
        top = self.top
        match node:
            case ast.Constant(value=None | bool() | int() as value):
                self.constant(node, value, dst)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=number)) if type(number) is int:
                self.constant(node, -number, dst)
            case ast.Name() if node.id in self.variables:
                self.emit(node, "MOVE", dst, self.local(node))
            case ast.Name():
                self.emit(node, "GLOBAL", dst, self.global_number(node, node.id))
            case ast.BinOp():
                self.binary(node, node.op, self.value(node.left), node.right, dst)
            case ast.UnaryOp():
                self.emit(node, UNARY[type(node.op)], dst, self.value(node.operand))
            case ast.Compare():
                self.comparison(node, dst)
            case ast.BoolOp():
                self.logic(node, dst)
            case ast.IfExp():
                self.choice(node, dst)
            case ast.Call() if self.is_name(node.func, "print"):
                self.print(node)
                self.constant(node, None, dst)
            case ast.Call():
                self.emit(node, "MOVE", dst, self.call(node))
            case _:
                raise self.error(node, *outside(node))
        self.top = top

    # -- names and constants

    def constant(self, node: Located, value: int | None, dst: int) -> None:
        if value is None or isinstance(value, bool):
            self.emit(node, "LOADK", dst, SMALL_CODE[repr(value)])
        elif value in SMALL_INTS:
            self.emit(node, "LOADK", dst, value)
        elif INT_MIN <= value <= INT_MAX:
            constants = self.tables.constants
            self.emit(node, "CONSTANT", dst, constants.setdefault(value, len(constants)))
        else:
            raise self.error(node, "an int literal that does not fit in 63 bits", f"{INT_MIN} to {INT_MAX}")

    def local(self, node: ast.Name) -> int:
        """The variable's slot, after a check that it has a value, where that is not sure."""
        slot = self.variables[node.id]
        if node.id not in self.assigned:
            names = self.tables.names
            self.emit(node, "BOUND", slot, names.setdefault(node.id, len(names)))
            self.maybe_unset.add(node.id)
            self.assigned |= {node.id}
        return slot

    def global_number(self, node: Located, name: str) -> int:
        self.check_name(node, name)
        if name in BUILTINS or (name.startswith("__") and name.endswith("__")):
            raise self.error(node, f"the name '{name}' has a meaning in Python that the guest does not know", "another")
        return self.tables.globals.setdefault(name, len(self.tables.globals))

    def check_name(self, node: Located, name: str) -> None:
        if name == "print":
            raise self.error(node, "'print' can only be called", "another name, or a def that prints")
        if name == "range":
            raise self.error(node, "'range' stands only in a for loop", "for x in range(…)")

    def is_name(self, node: ast.expr, name: str) -> bool:
        return isinstance(node, ast.Name) and node.id == name

    # -- operators

    def binary(self, node: Located, op: ast.operator, left: int, right: ast.expr, dst: int) -> None:
        """dst = left op right.  The sign of ADDI's number tells which operator it was, for the message of a TypeError."""
        immediate = OPCODES["ADDI"].operands[2]
        match op, right:
            case ast.Add(), ast.Constant(value=number) if type(number) is int and number <= immediate.high:
                self.emit(node, "ADDI", dst, left, number)
            case ast.Sub(), ast.Constant(value=number) if type(number) is int and 0 < number <= -immediate.low:
                self.emit(node, "ADDI", dst, left, -number)
            case _ if type(op) in BINARY:
                self.emit(node, BINARY[type(op)], dst, left, self.value(right))
            case _:
                raise self.error(node, *outside(op))

    def comparison(self, node: ast.Compare, dst: int) -> None:
        """`a < b < c`: the middle is computed once, and what follows a false comparison is not."""
        end = Label()
        left = self.value(node.left)
        known = self.assigned
        for number, (op, comparator) in enumerate(zip(node.ops, node.comparators, strict=True), 1):
            right = self.value(comparator)
            known = self.assigned if number == 1 else known
            if type(op) not in COMPARE:
                raise self.error(comparator, *outside(op))
            self.emit(node, COMPARE[type(op)], dst, left, right)
            if number < len(node.ops):
                self.emit(node, "FALSE_JUMP", dst, end)
            left = right
        self.assigned = known
        self.place(end)

    def logic(self, node: ast.BoolOp, dst: int) -> None:
        end = Label()
        jump = "FALSE_JUMP" if isinstance(node.op, ast.And) else "TRUE_JUMP"
        self.into(node.values[0], dst)
        known = self.assigned
        for operand in node.values[1:]:
            self.emit(operand, jump, dst, end)
            self.into(operand, dst)
        self.assigned = known
        self.place(end)

    def choice(self, node: ast.IfExp, dst: int) -> None:
        no, end = Label(), Label()
        self.branch(node.test, no, when=False)
        known = self.assigned
        self.into(node.body, dst)
        self.emit(node, "JUMP", end)
        self.place(no)
        self.assigned = known
        self.into(node.orelse, dst)
        self.assigned = known
        self.place(end)

    def branch(self, node: ast.expr, target: Label, when: bool) -> None:
        """Jump if the truth of `node` is `when`, else go on.  Parts of a condition jump as soon as it is decided."""
        top = self.top
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.branch(operand, target, not when)
            case ast.BoolOp(op=op, values=[first, *others]):
                decides = isinstance(op, ast.Or)  # the truth of a part that decides the whole
                end = target if when == decides else Label()
                self.branch(first, end, decides)
                known = self.assigned
                for operand in others[:-1]:
                    self.branch(operand, end, decides)
                self.branch(others[-1], target, when)
                self.assigned = known
                if end is not target:
                    self.place(end)
            case _:
                self.emit(node, "TRUE_JUMP" if when else "FALSE_JUMP", self.value(node), target)
        self.top = top

    # -- calls

    def call(self, node: ast.Call) -> int:
        """The callee, two words of link and the arguments in neighbouring slots; the result replaces the callee."""
        base = self.push(node.func)
        self.allocate(LINK - 1)
        self.arguments(node)
        self.emit(node, "CALL", base, len(node.args))
        self.top = base + 1
        return base

    def print(self, node: ast.Call) -> None:
        first = self.top
        self.arguments(node)
        self.emit(node, "PRINT", first, len(node.args))
        self.top = first

    def arguments(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            raise self.error(keyword, "a keyword argument is outside the guest's language", "the arguments in order")
        for argument in node.args:
            self.push(argument)


def in_parts(node: ast.expr) -> bool:
    """Whether `into` writes its slot before all of the expression is read: not into a variable that it may read."""
    return isinstance(node, ast.BoolOp | ast.IfExp) or (isinstance(node, ast.Compare) and len(node.ops) > 1)
