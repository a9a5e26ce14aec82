"""Compile expressions of the handler language: words, floats, fields, elements, comparisons, `and`/`or`/`not`."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from safepoint_vm.generate import instruction
from safepoint_vm.generate.instruction import I8, I32, I64
from safepoint_vm.generate.ir_values import DOUBLE, I1, Builder, HandlerError, IrValue, MemoryPlace, Operation, ir_type
from safepoint_vm.language.layout import Field, fields
from safepoint_vm.language.machine import Machine
from safepoint_vm.language.vocabulary import Array, Bytecode, Float, Struct, Value, Word

WORD_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.BitAnd: "and_", ast.BitOr: "or_",
    ast.BitXor: "xor", ast.LShift: "shl", ast.RShift: "ashr",
}  # fmt: skip
FLOAT_OPERATORS: dict[type[ast.AST], str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
COMPARISONS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
STATIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.LShift: operator.lshift, ast.RShift: operator.rshift, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


class ExpressionCompiler(ABC):
    """Compiles the expressions of one function."""

    builder: Builder
    target: ir.Function
    scope: dict[str, Any]  # names known at compile time: operands, globals of the module, switches
    locals: dict[str, tuple[ir.Value, type]]
    registers: dict[str, IrValue]
    slots: dict[str, IrValue]  # operands, to what is known to be in the slots that they name
    stored_in: ir.Block | None = None  # where a slot was written last: `slots` is known there alone; None: nowhere yet
    protocol: bool  # False: only the owner writes a thread's words

    @abstractmethod
    def call(self, node: ast.Call, callee: Any, arguments: list[ast.expr]) -> Any: ...

    @abstractmethod
    def error(self, node: ast.AST, what: str, instead: str) -> HandlerError: ...

    def ir_value(self, node: ast.expr) -> IrValue:
        """The value of an expression in the generated code; constants become IR constants."""
        value = self.value(node)
        match value:
            case bool():
                return IrValue(I1(int(value)), bool)
            case int():
                return IrValue(I64(int(value)), Word)
            case float():
                return IrValue(DOUBLE(value), Float)
            case IrValue():
                return value
        what = f"{ast.unparse(node)} has no value in machine code"
        raise self.error(node, what, "a word, a float, a struct or a bool")

    def value(self, node: ast.expr) -> Any:
        """The IrValue of an expression, or the Python object that it is at compile time already."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.locals:
                address, kind = self.locals[name]
                return IrValue(self.builder.load(address, typ=ir_type(kind)), kind)
            case ast.Name(id=name) if name in self.scope:
                return self.scope[name]
            case ast.Name(id=name):
                right = "a local assigned before, an operand, or a global of the module"
                raise self.error(node, f"unknown name {name}", right)
            case ast.Attribute(value=owner, attr=name):
                return self.attribute(node, self.value(owner), name)
            case ast.Subscript(slice=ast.Name(id=name)) if self.is_slot(node) and (known := self.in_slot(name)):
                return known
            case ast.Subscript(value=owner, slice=index):
                return self.read(self.element(owner, index))
            case ast.UnaryOp(op=sign, operand=operand):
                return self.unary(node, sign, self.value(operand))
            case ast.BinOp(left=left, op=sign, right=right):
                return self.binary(node, sign, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[relation], comparators=[right]) if type(relation) in COMPARISONS:
                return self.compare(node, relation, left, right)
            case ast.BoolOp(op=sign, values=values):
                return self.shortcut(isinstance(sign, ast.And), values)
            case ast.Call(func=callee, args=arguments, keywords=[]):
                return self.call(node, self.value(callee), arguments)
        what = f"no such expression: {ast.unparse(node)}"
        raise self.error(node, what, "words, fields, slots, one comparison, and/or/not, calls")

    # -- memory

    def attribute(self, node: ast.Attribute, owner: Any, name: str) -> Any:
        if owner is Machine:
            return self.registers.get(name) or Operation(Machine, name)
        if not isinstance(owner, IrValue):  # a member of an enumeration
            if not hasattr(owner, name):
                raise self.error(node, f"no such name: {ast.unparse(node)}", "a field, or a member of an enumeration")
            return getattr(owner, name)
        if name == "at":
            return Operation(owner, name)
        place = self.place(node, owner, name)
        return IrValue(place.address, place.type) if self.field(node, owner, name).inplace else self.read(place)

    def place(self, node: ast.AST, owner: IrValue, name: str) -> MemoryPlace:
        found = self.field(node, owner, name)
        width = ir_type(found.type)
        assert not isinstance(width, ir.DoubleType)
        return MemoryPlace(
            self.offset(owner.ir, found.offset),
            width,
            found.type,
            racing=found.shared or (found.racing and self.protocol),
            published=found.published,
        )

    def field(self, node: ast.AST, owner: IrValue, name: str) -> Field:
        table = fields(owner.type) if issubclass(owner.type, Struct) else {}
        if name not in table:
            right = f"one of {', '.join(table)}" if table else "a struct"
            raise self.error(node, f"a {owner.type.__name__} has no field {name}", right)
        return table[name]

    def element(self, owner: ast.expr, index: ast.expr) -> MemoryPlace:
        """`owner[index]`; the elements of the machine are the slots of its frame."""
        array = self.value(owner)
        if array is Machine:
            array = self.registers["frame"]
        if not isinstance(array, IrValue) or not issubclass(array.type, Array):
            raise self.error(owner, f"{ast.unparse(owner)} has no elements", "vm[slot], or an Array")
        return MemoryPlace(self.at(array, index), self.width(array), Value, array.type.shared)

    def is_slot(self, node: ast.Subscript) -> bool:
        """Is this a slot of the frame?"""
        return isinstance(node.value, ast.Name) and self.scope.get(node.value.id) is Machine

    def in_slot(self, operand: str) -> IrValue | None:
        """What is known, here, to be in the slot that an operand names."""
        return self.slots.get(operand) if self.stored_in in (None, self.builder.block) else None

    def at(self, array: IrValue, index: ast.expr) -> ir.Value:
        return self.builder.gep(array.ir, [self.ir_value(index).ir], source_etype=self.width(array))

    @staticmethod
    def width(array: IrValue) -> ir.IntType:
        return I32 if issubclass(array.type, Array) and array.type.bits == 32 else I64

    def offset(self, base: ir.Value, offset: int) -> ir.Value:
        return self.builder.gep(base, [I64(offset)], source_etype=I8)

    def read(self, place: MemoryPlace) -> IrValue:
        """A racing read is an unordered atomic: a plain `mov` that LLVM neither tears nor invents."""
        if place.racing:
            return IrValue(self.builder.load_atomic(place.address, "unordered", 8, typ=place.width), place.type)
        loaded = self.builder.load(place.address, typ=place.width)
        return IrValue(self.builder.zext(loaded, I64) if place.width is I32 else loaded, place.type)

    def write(self, value: ir.Value, place: MemoryPlace) -> None:
        if place.width is I32:
            value = self.builder.trunc(value, I32)
        if place.racing:
            self.builder.atomic_store(value, place.address, "release" if place.published else "unordered")
        else:
            self.builder.store(value, place.address)

    # -- operators

    def unary(self, node: ast.expr, sign: ast.unaryop, operand: Any) -> Any:
        match sign:
            case ast.Not():
                return self.not_(node, operand)
            case ast.Invert() if isinstance(operand, IrValue) and operand.ir.type == I64:
                return IrValue(self.builder.not_(operand.ir), Word)
            case ast.Invert() if isinstance(operand, int):
                return ~operand
            case ast.USub() if isinstance(operand, int | float):
                return -operand
        raise self.error(node, "no such operator", "~x, not x, 0 - x, or a constant")

    def not_(self, node: ast.expr, operand: Any) -> Any:
        if isinstance(operand, IrValue):
            return IrValue(self.builder.not_(self.truth(node, operand)), bool)
        return not operand

    def truth(self, node: ast.AST, value: IrValue) -> ir.Value:
        if value.type is not bool:
            raise self.error(node, "a Word is not a bool", "x != 0")
        return value.ir

    def binary(self, node: ast.expr, sign: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int) and type(sign) in STATIC:
            return STATIC[type(sign)](left, right)
        if all(isinstance(side, float) or (isinstance(side, IrValue) and side.type is Float) for side in (left, right)):
            return self.float_binary(node, sign, left, right)
        x, y = (side.ir if isinstance(side, IrValue) else I64(int(side)) for side in (left, right))
        if isinstance(left, IrValue) and left.type is Bytecode and isinstance(sign, ast.Add):
            return IrValue(instruction.following(self.builder, x, y), Bytecode)
        if type(sign) not in WORD_OPERATORS or x.type != I64 or y.type != I64:
            raise self.error(node, "no such operation", "+ - * // & | ^ << >> of two words, + - * / of two floats")
        return IrValue(getattr(self.builder, WORD_OPERATORS[type(sign)])(x, y), Word)

    def float_binary(self, node: ast.expr, sign: ast.operator, left: Any, right: Any) -> IrValue:
        if type(sign) not in FLOAT_OPERATORS:
            raise self.error(node, "no such operation", "+ - * / of two floats")
        x, y = (side.ir if isinstance(side, IrValue) else DOUBLE(side) for side in (left, right))
        return IrValue(getattr(self.builder, FLOAT_OPERATORS[type(sign)])(x, y), Float)

    def compare(self, node: ast.expr, relation: ast.cmpop, left: ast.expr, right: ast.expr) -> Any:
        one, other = self.value(left), self.value(right)
        if not isinstance(one, IrValue) and not isinstance(other, IrValue) and type(relation) in STATIC:
            return STATIC[type(relation)](one, other)  # known at compile time: a switch of the variant
        x = one if isinstance(one, IrValue) else self.ir_value(left)
        y = other if isinstance(other, IrValue) else self.ir_value(right)
        if x.ir.type != y.ir.type:
            what = f"a {x.type.__name__} is compared with a {y.type.__name__}"
            raise self.error(node, what, "two words, two floats, or two bools")
        sign = COMPARISONS[type(relation)]
        if x.type is Float:
            compare = self.builder.fcmp_unordered if sign == "!=" else self.builder.fcmp_ordered
            return IrValue(compare(sign, x.ir, y.ir), bool)
        return IrValue(self.builder.icmp_signed(sign, x.ir, y.ir), bool)

    def shortcut(self, is_and: bool, values: list[ast.expr]) -> Any:
        """`and`/`or`: the right side is evaluated only if the left one does not decide."""
        done = self.target.append_basic_block("decided")
        incoming = []
        for position, node in enumerate(values):
            test = self.truth(node, self.ir_value(node))
            if position == len(values) - 1:
                incoming.append((test, self.builder.block))
                self.builder.branch(done)
                break
            further = self.target.append_basic_block("and" if is_and else "or")
            incoming.append((I1(int(not is_and)), self.builder.block))
            self.builder.cbranch(test, *((further, done) if is_and else (done, further)))
            self.builder.position_at_end(further)
        self.builder.position_at_end(done)
        phi = self.builder.phi(I1)
        for value, block in incoming:
            phi.add_incoming(value, block)
        return IrValue(phi, bool)
