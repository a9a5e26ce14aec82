"""Compiles expressions."""

from __future__ import annotations

import ast

from safepoint.guest.code import OPCODES
from safepoint.guest.compiler.calls import ACTIONS, CallCompiler
from safepoint.guest.compiler.emitter import Label
from safepoint.guest.compiler.source import Located

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "ADD", ast.Sub: "SUB", ast.Mult: "MUL", ast.FloorDiv: "FLOORDIV", ast.Mod: "MOD", ast.BitAnd: "AND",
    ast.BitOr: "OR", ast.BitXor: "XOR", ast.LShift: "SHL", ast.RShift: "SHR", ast.Div: "TRUEDIV", ast.Pow: "POWER",
}  # fmt: skip
IN_PLACE: dict[type[ast.operator], str] = {ast.Add: "IADD", ast.Mult: "IMUL"}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "NEG", ast.UAdd: "POS", ast.Invert: "INVERT", ast.Not: "NOT"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "LESS", ast.LtE: "LESS_EQUAL", ast.Gt: "GREATER", ast.GtE: "GREATER_EQUAL", ast.Eq: "EQUAL",
    ast.NotEq: "NOT_EQUAL", ast.Is: "IS", ast.IsNot: "IS_NOT", ast.In: "IN", ast.NotIn: "NOT_IN",
}  # fmt: skip


class ExpressionCompiler(CallCompiler):
    def value(self, node: ast.expr) -> int:
        if isinstance(node, ast.Name) and node.id in self.variables:
            return self.local(node)
        return self.push(node)

    def push(self, node: ast.expr) -> int:
        if self.gathers(node):
            return self.gather(node)
        slot = self.allocate()
        self.into(node, slot)
        return slot

    def into(self, node: ast.expr, dst: int) -> None:
        top = self.top
        match node:
            case _ if self.gathers(node):
                self.emit(node, "MOVE", dst, self.gather(node))
            case ast.Constant(value=None | bool() | int() | float() | str() as value):
                self.constant(node, value, dst)
            case ast.JoinedStr():
                self.constant(node, "", dst)
            case ast.Name() if node.id in self.variables:
                self.emit(node, "MOVE", dst, self.local(node))
            case ast.Name():
                self.emit(node, "GLOBAL", dst, self.global_number(node, node.id))
            case ast.Call(func=ast.Attribute() as called):
                self.method(node, called, dst)
            case ast.Call() if self.pythons(node.func, "len"):
                self.length(node, dst)
            case ast.Call() if self.imports(node.func, "Lock", *ACTIONS):
                self.imported(node, dst)
            case ast.Call():
                self.print(node)
                self.constant(node, None, dst)
            case ast.Subscript():
                self.subscript(node, dst)
            case _:
                self.operation(node, dst)
        self.top = top

    def operation(self, node: ast.expr, dst: int) -> None:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if (
                type(number) is not bool
            ):
                self.constant(node, -number, dst)
            case ast.BinOp(left=ast.Constant(value=str()) | ast.JoinedStr(), op=ast.Mod()):
                raise self.error(node, "formatting with % is outside the guest's language", "an f-string")
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
            case _:
                raise self.outside(node, node)

    # -- operators

    def binary(
        self, node: Located, op: ast.operator, left: int, right: ast.expr, dst: int, augmented: bool = False
    ) -> None:
        """dst = left op right.  The sign of ADDI's number tells the operator, which the message of a TypeError names."""
        immediate = OPCODES["ADDI"].operands[2]
        match op, right:
            case ast.Add(), ast.Constant(value=number) if type(number) is int and number <= immediate.high:
                self.emit(node, "ADDI", dst, left, number, augmented=augmented)
            case ast.Sub(), ast.Constant(value=number) if type(number) is int and 0 < number <= -immediate.low:
                self.emit(node, "ADDI", dst, left, -number, augmented=augmented)
            case _ if type(op) in BINARY:
                name = IN_PLACE.get(type(op), BINARY[type(op)]) if augmented else BINARY[type(op)]
                self.emit(node, name, dst, left, self.value(right), augmented=augmented)
            case _:
                raise self.outside(op, node)

    def comparison(self, node: ast.Compare, dst: int) -> None:
        """`a < b < c`: b is evaluated once, and nothing after the first comparison that is false."""
        end = Label()
        left = self.value(node.left)
        known = self.assigned
        for number, (op, comparator) in enumerate(zip(node.ops, node.comparators, strict=True), 1):
            right = self.value(comparator)
            known = self.assigned if number == 1 else known
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
        """Jump if the truth of `node` is `when`, else fall through.  Parts of a condition jump as soon as it is decided."""
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


def in_parts(node: ast.expr) -> bool:
    """Whether `into` may write `dst` before it reads all operands, so that `dst` must not be one of them."""
    return isinstance(node, ast.BoolOp | ast.IfExp) or (isinstance(node, ast.Compare) and len(node.ops) > 1)
