"""Compile handlers, which are functions of restricted Python, to LLVM IR.

One pass over the `ast`.  Every local variable is an `alloca`, which LLVM promotes to registers; a helper marked `@inline`
becomes a function that LLVM inlines; `return other_handler(vm, …)` becomes a jump (`musttail`).  An `if` whose test is
known at compile time (a constant, a switch of the variant) compiles only one branch.  A path that ends in a `@slow` handler
is unlikely: the fast path falls through, without hints in the source.

`FunctionCompiler` compiles functions and statements; it inherits calls from `CallCompiler`, and that expressions from
`ExpressionCompiler`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from safepoint_vm.generate import instruction
from safepoint_vm.generate.calls import CallCompiler
from safepoint_vm.generate.instruction import HANDLER
from safepoint_vm.generate.ir_values import (
    CALLING_CONVENTION,
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
from safepoint_vm.language.machine import Machine
from safepoint_vm.language.vocabulary import Exit, Word

Switches = dict[str, bool | int | str]
"""What the names of the switches in `language.machine` stand for in a variant."""


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
            FunctionCompiler(self, function, target).compile_handler()
        return self.functions[name]

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


class FunctionCompiler(CallCompiler):
    """Compiles one function."""

    def __init__(self, compiler: ModuleCompiler, function: Callable[..., Any], target: ir.Function) -> None:
        self.compiler = compiler
        self.protocol = bool(compiler.switches["PROTOCOL"])
        self.function = function
        self.target = target
        closure = inspect.getclosurevars(function).nonlocals
        self.scope = {**function.__globals__, **closure, **compiler.switches}
        self.locals = {}
        self.operands = []
        self.registers = {}
        self.entry = Builder(target.append_basic_block("entry"))
        self.builder = Builder(target.append_basic_block("body"))
        self.definition = definitions(function.__code__.co_filename)[function.__code__.co_firstlineno]

    def enclosing(self) -> str:
        return self.definition.args.args[0].arg

    # -- whole functions

    def compile_handler(self) -> None:
        for (name, kind), argument in zip(REGISTERS.items(), self.target.args, strict=True):
            self.registers[name] = IrValue(argument, kind)
        self.scope[self.enclosing()] = Machine
        self.operands = list(instruction.operand_types(self.function).items())
        for number, (name, kind) in enumerate(self.operands):
            loaded = instruction.operand(self.builder, self.registers["pc"].ir, number, kind)
            self.scope[name] = IrValue(loaded, kind)
        self.finish()

    def compile_helper(self) -> None:
        for (name, kind), argument in zip(parameters_of(self.function).items(), self.target.args, strict=True):
            self.assign(self.definition, name, IrValue(argument, kind))
        self.finish()

    def finish(self) -> None:
        self.block(self.definition.body, after=False)
        if not self.builder.block.is_terminated:
            if self.target.ftype.return_type != VOID or self.registers:
                raise self.error(self.definition, "a path ends without leaving", "return at the end of every path")
            self.builder.ret_void()
        self.entry.branch(self.target.basic_blocks[1])

    # -- statements

    def block(self, statements: list[ast.stmt], after: bool) -> None:
        for position, statement in enumerate(statements):
            if self.builder.block.is_terminated:  # after a `return` in a branch decided at compile time
                return
            rest = self.is_cold(statements[position + 1 :], after)
            match statement:
                case ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=value):
                    self.value(value)
                case ast.Assign(targets=[target], value=value):
                    self.store(target, value)
                case ast.AugAssign(target=ast.Name(id=name) as target, op=sign, value=value):
                    changed = ast.BinOp(ast.copy_location(ast.Name(name, ast.Load()), target), sign, value)
                    self.store(target, ast.copy_location(changed, statement))
                case ast.If():
                    self.branch(statement, rest)
                case ast.While(orelse=[]):
                    self.loop(statement)
                case ast.Return(value=ast.expr() as value):
                    self.leave(value)
                case _:
                    what = f"a handler cannot contain {type(statement).__name__}"
                    raise self.error(statement, what, "=, if, while, return and calls")

    def is_cold(self, body: list[ast.stmt], after: bool = False) -> bool:
        """Does every path through `body` end in a slow handler?  `after`: whether the path that follows it does."""
        if not body:
            return after
        match body[-1]:
            case ast.Return(value=ast.Call(func=ast.Name(id=name))):
                return role_of(self.scope.get(name)) == "slow"
            case ast.Return():
                return False
            case ast.If(body=yes, orelse=no):
                return self.is_cold(yes, after) and self.is_cold(no, after)
        return after

    def store(self, target: ast.expr, value: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.assign(target, name, self.ir_value(value))
            case ast.Tuple(elts=[*names]) if isinstance(value, ast.Tuple) and len(names) == len(value.elts):
                for one, each in list(zip(names, [self.ir_value(each) for each in value.elts], strict=True)):
                    if not isinstance(one, ast.Name):
                        raise self.error(one, "a tuple on the left may contain names only", "one assignment per target")
                    self.assign(one, one.id, each)
            case ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]):
                pair = self.ir_value(value)
                if pair.type is not tuple:
                    raise self.error(value, "not a pair", "total, overflow = add_overflows(x, y)")
                self.assign(target, first, IrValue(self.builder.extract_value(pair.ir, 0), Word))
                self.assign(target, second, IrValue(self.builder.extract_value(pair.ir, 1), bool))
            case ast.Subscript(value=owner, slice=index):
                stored = self.ir_value(value)
                self.write(stored.ir, self.element(owner, index))
            case ast.Attribute(value=owner, attr=name):
                place = self.place(target, self.ir_value(owner), name)
                self.write(self.ir_value(value).ir, place)
            case _:
                raise self.error(target, "cannot assign to this", "a name, a slot, an element or a field on the left")

    def assign(self, node: ast.AST, name: str, value: IrValue) -> None:
        if name not in self.locals:
            self.locals[name] = self.entry.alloca(ir_type(value.type), name=name), value.type
        address, kind = self.locals[name]
        if ir_type(kind) != ir_type(value.type):
            raise self.error(node, f"{name} already is a {kind.__name__}", "another name")
        self.builder.store(value.ir, address)

    def branch(self, statement: ast.If, rest: bool) -> None:
        test = self.value(statement.test)
        if not isinstance(test, IrValue):  # known at compile time: a switch of the variant
            self.block(statement.body if test else statement.orelse, rest)
            return
        yes, no, join = (self.target.append_basic_block(name) for name in ("then", "else", "join"))
        cold_yes, cold_no = self.is_cold(statement.body, rest), self.is_cold(statement.orelse, rest)
        decision = self.builder.cbranch(self.truth(statement.test, test), yes, no)
        if cold_yes != cold_no:
            decision.set_weights([1, 2000] if cold_yes else [2000, 1])
        elif statement.orelse:
            decision.set_weights([4, 1])  # the branch written first is likelier
        joined = False
        for block, body in ((yes, statement.body), (no, statement.orelse)):
            self.builder.position_at_end(block)
            self.block(body, rest)
            if not self.builder.block.is_terminated:
                self.builder.branch(join)
                joined = True
        self.builder.position_at_end(join)
        if not joined:
            self.builder.unreachable()

    def loop(self, statement: ast.While) -> None:
        test, body, after = (self.target.append_basic_block(name) for name in ("test", "loop", "after"))
        self.builder.branch(test)
        self.builder.position_at_end(test)
        self.builder.cbranch(self.truth(statement.test, self.ir_value(statement.test)), body, after)
        self.builder.position_at_end(body)
        self.block(statement.body, after=False)
        if not self.builder.block.is_terminated:
            self.builder.branch(test)
        self.builder.position_at_end(after)

    def leave(self, value: ast.expr) -> None:
        result = self.value(value)
        if result is Exit:
            return
        if self.registers:
            raise self.error(value, "a handler does not return a value", "return vm.next(), or another handler")
        self.builder.ret(self.ir_value(value).ir if not isinstance(result, IrValue) else result.ir)

    def error(self, node: ast.AST, what: str, instead: str) -> HandlerError:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        file = self.function.__code__.co_filename
        return HandlerError(f"{file}:{line}:{column}: {self.function.__name__}: {what} (write instead: {instead})")
