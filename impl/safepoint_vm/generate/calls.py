"""Compile calls of the handler language: handlers, helpers, routines, procedures of the protocol, operations, exits."""

from __future__ import annotations

import ast
import inspect
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from llvmlite import ir

from safepoint_vm.generate import instruction
from safepoint_vm.generate.expressions import ExpressionCompiler
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.ir_values import (
    CALLING_CONVENTION,
    DOUBLE,
    I1,
    IrValue,
    Operation,
    inlined,
    ir_type,
    role_of,
)
from safepoint_vm.generate.page_checks import load_faults
from safepoint_vm.generate.triggers import ALONE
from safepoint_vm.language import vocabulary
from safepoint_vm.language.layout import fields
from safepoint_vm.language.machine import Machine
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Exit, Float, Word


class Callees(Protocol):
    """Provides callees, each compiled once per module."""

    compiling: list[str]

    def handler(self, function: Callable[..., Any]) -> ir.Function: ...
    def helper(self, function: Callable[..., Any]) -> tuple[ir.Function, type]: ...
    def routine(self, function: Callable[..., Any]) -> tuple[ir.Function, type]: ...
    def procedure(self, function: Callable[..., Any]) -> ir.Function: ...


class CallCompiler(ExpressionCompiler):
    """Adds calls to the expressions."""

    compiler: Callees
    operands: list[tuple[str, type]]  # of this handler: name and kind
    definition: ast.FunctionDef

    @abstractmethod
    def enclosing(self) -> str:
        """The name of this handler's Machine parameter."""

    def call(self, node: ast.Call, callee: Any, arguments: list[ast.expr]) -> Any:
        match callee, arguments:
            case Operation(owner=IrValue() as array), [index]:
                return IrValue(self.at(array, index), array.type)
            case Operation(owner=owner, name=name), _ if owner is Machine:
                return self.exit(node, name, [self.ir_value(argument) for argument in arguments])
            case type(), [argument]:
                return self.cast(node, callee, self.ir_value(argument))
        match role_of(callee):
            case "opcode" | "slow":
                self.check_operands(node, callee)
                self.go_on_in(callee)
                return Exit
            case "inline":
                if inlined(callee) in self.compiler.compiling:
                    raise self.error(node, f"{callee.__name__} calls itself", "a loop: helpers are inlined")
                helper, returns = self.compiler.helper(callee)
                return IrValue(self.builder.call(helper, self.matching(node, helper, arguments)), returns)
            case "routine":
                routine, returns = self.compiler.routine(callee)
                return IrValue(self.builder.call(routine, self.matching(node, routine, arguments)), returns)
            case "procedure":
                target = self.compiler.procedure(callee)
                return IrValue(self.builder.call(target, self.matching(node, target, arguments)), Word)
        if inspect.isfunction(callee) and callee.__module__ == vocabulary.__name__:
            return self.operation(node, callee.__name__, arguments)
        what = f"{ast.unparse(node)} does not call a handler, a helper or an operation"
        right = "a function marked @opcode, @slow, @inline or @routine, one of the vocabulary, or Type(x)"
        raise self.error(node, what, right)

    def matching(self, node: ast.AST, target: ir.Function, arguments: list[ast.expr]) -> list[ir.Value]:
        """The arguments of a call, of the types that it declares; a procedure of the protocol takes addresses as words."""
        wanted = target.ftype.args
        if len(wanted) != len(arguments):
            raise self.error(node, f"{len(arguments)} arguments for {len(wanted)} parameters", "one per parameter")
        found = [self.ir_value(argument).ir for argument in arguments]
        found = [
            self.builder.ptrtoint(x, I64) if x.type == POINTER and w == I64 else x
            for x, w in zip(found, wanted, strict=True)
        ]
        if any(x.type != w for x, w in zip(found, wanted, strict=True)):
            raise self.error(node, "an argument is not of the declared type", "a cast: Value(x), Word(x)")
        return found

    def check_operands(self, node: ast.Call, callee: Callable[..., Any]) -> None:
        """The other handler decodes the same instruction, so its operands must be this handler's own, in order."""
        wanted = instruction.operand_types(callee)
        machine, mine = self.enclosing(), self.operands[: len(wanted)]
        names = [argument.id if isinstance(argument, ast.Name) else "" for argument in node.args]
        if names != [machine, *(name for name, _ in mine)] or [kind for _, kind in mine] != list(wanted.values()):
            right = ", ".join([machine, *(name for name, _ in mine)])
            what = "a tail call must pass this handler's own operands, unchanged and in order"
            raise self.error(node, what, f"{callee.__name__}({right}), of the same kinds")

    def cast(self, node: ast.AST, kind: type, value: IrValue) -> IrValue:
        source, wanted = ir_type(value.type), ir_type(kind)
        if source == wanted:
            return IrValue(value.ir, kind)
        if I1 in (source, wanted):
            raise self.error(node, "a bool is not a word", "truth_word(x)")
        if DOUBLE in (source, wanted):
            raise self.error(node, "a float is not a word", "bits_of_float(x), float_from_bits(x), int_to_float(x)")
        convert = self.builder.inttoptr if wanted == POINTER else self.builder.ptrtoint
        return IrValue(convert(value.ir, wanted), kind)

    def operation(self, node: ast.Call, name: str, arguments: list[ast.expr]) -> IrValue:
        """An operation of the vocabulary."""
        build = self.builder
        if name in ("fetch_add", "compare_and_swap", "swap"):
            return self.atomic(node, name, arguments)
        raw = [self.ir_value(argument).ir for argument in arguments]
        match name:
            case "add_overflows" | "sub_overflows" | "mul_overflows":
                return IrValue(getattr(build, f"s{name[:3]}_with_overflow")(*raw), tuple)
            case "below":
                raw = [build.ptrtoint(each, I64) if each.type == POINTER else each for each in raw]
                return IrValue(build.icmp_unsigned("<", *raw), bool)
            case "divide_unsigned":
                return IrValue(build.udiv(*raw), Word)
            case "rotate_left":  # LLVM knows the pattern
                x, by = raw
                return IrValue(build.or_(build.shl(x, by), build.lshr(x, build.sub(I64(64), by))), Word)
            case "bits_of_float":
                return IrValue(build.bitcast(raw[0], I64), Word)
            case "float_from_bits":
                return IrValue(build.bitcast(raw[0], DOUBLE), Float)
            case "int_to_float":
                return IrValue(build.sitofp(raw[0], DOUBLE), Float)
            case "float_to_int":
                return IrValue(build.fptosi(raw[0], I64), Word)
            case "load_faults":
                return IrValue(load_faults(build, *raw), bool)
            case "float_remainder":
                return IrValue(build.frem(*raw), Float)
            case "float_floor" | "float_power":
                intrinsic = "llvm.floor" if name == "float_floor" else "llvm.pow"
                called = self.target.module.declare_intrinsic(intrinsic, [DOUBLE])
                return IrValue(build.call(called, raw), Float)
        raise self.error(node, f"{name} is not an operation", "one that vocabulary.py declares")

    def atomic(self, node: ast.Call, operation: str, arguments: list[ast.expr]) -> IrValue:
        """An atomic read-modify-write of a field."""
        match arguments:
            case [ast.Attribute(value=owner, attr=name), *rest]:
                address = self.place(node, self.ir_value(owner), name).address
                match operation, [self.ir_value(each).ir for each in rest]:
                    case "compare_and_swap", [old, new]:
                        pair = self.builder.cmpxchg(address, old, new, "seq_cst", "seq_cst")
                        return IrValue(self.builder.extract_value(pair, 1), bool)
                    case "fetch_add" | "swap", [new]:
                        locked = "add" if operation == "fetch_add" else "xchg"
                        return IrValue(self.builder.atomic_rmw(locked, address, new, "seq_cst"), Word)
        right = "fetch_add(s.field, amount), swap(s.field, new), compare_and_swap(s.field, old, new)"
        raise self.error(node, f"{operation} needs a field", right)

    # -- the ways to leave a handler

    def exit(self, node: ast.AST, name: str, arguments: list[IrValue]) -> type[Exit]:
        pc = self.registers["pc"].ir
        match name, [each.ir for each in arguments]:
            case "next", []:
                self.next()
            case "jump", [offset]:
                self.jump(offset)
            case "enter", [target, frame]:
                self.enter(target, frame)
            case "execute", [table]:
                self.go(instruction.dispatch(self.builder, pc, table, self.protocol))
            case "execute_alone", [table]:
                self.go(instruction.dispatch(self.builder, pc, table, self.protocol, ALONE))
            case "execute_as", [table, number]:
                self.go(instruction.entry_of(self.builder, table, number, self.protocol))
            case "execute_compiled", []:
                self.go(instruction.compiled(self.builder, pc))
            case "leave", [status]:
                self.save(status)
                self.builder.ret_void()
            case _:
                what = f"Machine has no {name} with {len(arguments)} arguments"
                raise self.error(node, what, "an operation of Machine")
        return Exit

    def next(self) -> None:
        """Go on with the next instruction."""
        self.dispatch(pc=instruction.following(self.builder, self.registers["pc"].ir, I64(1)))

    def jump(self, offset: ir.Value) -> None:
        """Go on with the instruction `offset` bytes after this one."""
        self.dispatch(pc=instruction.jump(self.builder, self.registers["pc"].ir, offset))

    def enter(self, target: ir.Value, frame: ir.Value) -> None:
        """Go on with the instruction at an address, in a frame."""
        self.dispatch(pc=target, frame=frame)

    def go_on_in(self, handler: Callable[..., Any]) -> None:
        """Go on in another handler of this instruction."""
        self.go(self.compiler.handler(handler))

    def save(self, status: ir.Value) -> None:
        thread = self.registers["thread"]
        for name, value in (("pc", self.registers["pc"].ir), ("frame", self.registers["frame"].ir), ("status", status)):
            self.builder.store(value, self.offset(thread.ir, fields(Thread)[name].offset))

    def dispatch(self, **changed: ir.Value) -> None:
        """Jump to the handler of the instruction at the new pc."""
        pc, table = changed["pc"], self.registers["table"].ir
        self.go(instruction.dispatch(self.builder, pc, table, self.protocol), **changed)

    def go(self, handler: ir.Value, **changed: ir.Value) -> None:
        given = [changed.get(name, register.ir) for name, register in self.registers.items()]
        self.builder.call(handler, given, cconv=CALLING_CONVENTION, tail="musttail")
        self.builder.ret_void()
