"""Compile handlers, which are functions of restricted Python, to LLVM IR.

One pass over the `ast`.  A helper marked `@inline` becomes a function that LLVM inlines; `return other_handler(vm, …)` becomes a jump
(`musttail`).  A superinstruction is one function: each handler goes on in the next one instead of dispatching it.

`FunctionCompiler` compiles functions; it inherits statements from `StatementCompiler`, that calls from `CallCompiler`, and that
expressions from `ExpressionCompiler`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from safepoint_vm.generate import instruction
from safepoint_vm.generate.instruction import HANDLER, I64
from safepoint_vm.generate.ir_values import (
    CALLING_CONVENTION,
    I1,
    REGISTERS,
    VOID,
    Builder,
    HandlerError,
    IrValue,
    inlined,
    ir_type,
    role_of,
)
from safepoint_vm.generate.procedures import COUNTING, LOGGING, PROCEDURES, SAMPLING, declare
from safepoint_vm.generate.statements import StatementCompiler
from safepoint_vm.handlers.fused import Fused
from safepoint_vm.language.machine import Machine

Switches = dict[str, bool | int | str]
"""What the names of the switches in `language.machine` stand for in a variant."""


Following = tuple[tuple[Callable[..., Any], Mapping[str, int]], ...]
"""The handlers that a superinstruction goes on with, and the operands of each that are slots which one before has written, and how many before."""

ASSUME = "llvm.assume"


@dataclass
class ModuleCompiler:
    """Compiles handlers, and the helpers they use, into one module.  `switches`: of the variant."""

    module: ir.Module
    switches: Switches
    functions: dict[str, ir.Function] = field(default_factory=dict)
    compiling: list[str] = field(default_factory=list)

    def handler(self, function: Callable[..., Any], prefix: str = "") -> ir.Function:
        """The machine code of an opcode or a slow path, compiled once.  `prefix`: of its name in the object file."""
        name = prefix + function.__name__
        if name not in self.functions:
            target = self._define(name, HANDLER)
            target.calling_convention = CALLING_CONVENTION
            if role_of(function) == "slow":
                target.attributes.add("cold")
                target.attributes.add("noinline")
            self.body(function, target).compile_handler()
        return self.functions[name]

    def fused(self, sequence: Fused, handlers: Mapping[str, Callable[..., Any]]) -> ir.Function:
        """The machine code of a superinstruction.  `handlers`: of the opcodes."""
        target = self._define(sequence.name, HANDLER)
        target.calling_convention = CALLING_CONVENTION
        then = tuple((handlers[each.op], dict(each.reads)) for each in sequence.then)
        self.body(handlers[sequence.first], target, then).compile_handler(of_int=sequence.of_int)
        return target

    def body(self, function: Callable[..., Any], target: ir.Function, then: Following = ()) -> FunctionCompiler:
        """What compiles a handler."""
        return FunctionCompiler(self, function, target, then)

    def helper(self, function: Callable[..., Any]) -> tuple[ir.Function, type]:
        """An inline helper and its result type."""
        name = inlined(function)
        if name not in self.functions:
            target = self._define(name, signature(function))
            target.linkage = "internal"
            target.attributes.add("alwaysinline")
            self.compiling.append(name)
            FunctionCompiler(self, function, target).compile_helper()
            self.compiling.pop()
        return self.functions[name], returned(function)

    def routine(self, function: Callable[..., Any]) -> tuple[ir.Function, type]:
        """A function of the C calling convention, for handlers and the host, and its result type."""
        name = function.__name__
        if name not in self.functions:
            target = self._define(name, signature(function))
            target.attributes.add("noinline")
            FunctionCompiler(self, function, target).compile_helper()
        return self.functions[name], returned(function)

    def procedure(self, function: Callable[..., Any]) -> ir.Function:
        """A procedure of the protocol's text, declared: `generate.protocol` compiles it, apart."""
        name = function.__name__
        if name not in self.functions:
            self.functions[name] = declare(self.module, name, (PROCEDURES | LOGGING | COUNTING | SAMPLING)[name])
        return self.functions[name]

    def assume(self) -> ir.Function:
        """The intrinsic that tells LLVM what is true."""
        if ASSUME not in self.functions:
            self.functions[ASSUME] = ir.Function(self.module, ir.FunctionType(VOID, [I1]), ASSUME)
        return self.functions[ASSUME]

    def _define(self, name: str, kind: ir.FunctionType) -> ir.Function:
        self.functions[name] = target = ir.Function(self.module, kind, name)
        target.attributes.add("nounwind")
        return target


@functools.cache
def definitions(file: str) -> dict[int, ast.FunctionDef]:
    """The functions of a source file, by first line, decorators included."""
    nodes = ast.walk(ast.parse("".join(linecache.getlines(file))))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return {min([node.lineno, *[each.lineno for each in node.decorator_list]]): node for node in functions}


def parameters_of(function: Callable[..., Any]) -> dict[str, type]:
    """The types of a helper's or routine's parameters, by name."""
    return {name: hint for name, hint in instruction.hints(function).items() if name != "return"}


def returned(function: Callable[..., Any]) -> type:
    return instruction.hints(function)["return"]


def signature(function: Callable[..., Any]) -> ir.FunctionType:
    """The LLVM type of a helper or routine."""
    result = VOID if returned(function) is type(None) else ir_type(returned(function))
    return ir.FunctionType(result, [ir_type(hint) for hint in parameters_of(function).values()])


Written = tuple[IrValue, IrValue | None]
"""The number of a slot, and what a handler of a superinstruction has written there, if that is known."""


class FunctionCompiler(StatementCompiler):
    """Compiles one function.  `then`: what a handler goes on with instead of dispatching the next instruction.

    `before`: the compiler of the handler that goes on with this one, in whose place its code stands.
    """

    compiler: ModuleCompiler
    entry: Builder
    builder: Builder

    def __init__(
        self,
        compiler: ModuleCompiler,
        function: Callable[..., Any],
        target: ir.Function,
        then: Following = (),
        before: FunctionCompiler | None = None,
    ) -> None:
        self.compiler, self.then = compiler, then
        self.protocol = bool(compiler.switches["PROTOCOL"])
        self.function = function
        self.target = target
        closure = inspect.getclosurevars(function).nonlocals
        self.scope = {**function.__globals__, **closure, **compiler.switches}
        self.locals = {}
        self.operands = []
        self.registers = {}
        self.slots = {}
        self.written: tuple[Written, ...] = ()
        self.entry = before.entry if before else Builder(target.append_basic_block("entry"))
        self.builder = before.builder if before else Builder(target.append_basic_block("body"))
        self.definition = definitions(function.__code__.co_filename)[function.__code__.co_firstlineno]

    def enclosing(self) -> str:
        return self.definition.args.args[0].arg

    # -- whole functions

    def compile_handler(self, of_int: bool = False) -> None:
        """`of_int`: its second operand is known to be an int."""
        for (name, kind), argument in zip(REGISTERS.items(), self.target.args, strict=True):
            self.registers[name] = IrValue(argument, kind)
        self.decode()
        if of_int:
            self.assume_int(self.scope[self.operands[1][0]].ir)
        self.finish()

    def decode(self, **known: IrValue) -> None:
        """Load the operands, but for what is known."""
        self.scope[self.enclosing()] = Machine
        self.operands = list(instruction.operand_types(self.function).items())
        for number, (name, kind) in enumerate(self.operands):
            if name not in known:
                known[name] = IrValue(instruction.operand(self.builder, self.registers["pc"].ir, number, kind), kind)
        self.scope |= known

    def assume_int(self, word: ir.Value) -> None:
        """Tell LLVM that a tagged word is an int."""
        is_int = self.builder.icmp_unsigned("==", self.builder.and_(word, I64(1)), I64(0))
        self.builder.call(self.compiler.assume(), [is_int])

    def next(self) -> None:
        if not self.then:
            super().next()
            return
        (function, reads), *rest = self.then
        after = type(self)(self.compiler, function, self.target, tuple(rest), self)
        pc = instruction.following(self.builder, self.registers["pc"].ir, I64(1))
        after.registers = {**self.registers, "pc": IrValue(pc, self.registers["pc"].type)}
        dst = self.operands[0][0]
        after.written = (*self.written, (self.scope[dst], self.in_slot(dst)))
        read = {name: after.written[-back] for name, back in reads.items()}
        after.slots = {name: value for name, (_, value) in read.items() if value is not None}
        after.decode(**{name: slot for name, (slot, _) in read.items()})
        after.body()

    def compile_helper(self) -> None:
        for (name, kind), argument in zip(parameters_of(self.function).items(), self.target.args, strict=True):
            self.assign(self.definition, name, IrValue(argument, kind))
        self.finish()

    def finish(self) -> None:
        self.body()
        self.entry.branch(self.target.basic_blocks[1])

    def body(self) -> None:
        self.block(self.definition.body, after=False)
        if not self.builder.block.is_terminated:
            if self.target.ftype.return_type != VOID or self.registers:
                raise self.error(self.definition, "a path ends without leaving", "return at the end of every path")
            self.builder.ret_void()

    def error(self, node: ast.AST, what: str, instead: str) -> HandlerError:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        file = self.function.__code__.co_filename
        return HandlerError(f"{file}:{line}:{column}: {self.function.__name__}: {what} (write instead: {instead})")
