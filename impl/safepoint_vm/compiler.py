"""Handlers, which are restricted Python functions, compiled to LLVM IR.

One pass over the `ast`.  Every local variable is an `alloca` (LLVM makes registers of them); helpers marked `@inline`
become functions that LLVM inlines; `return other_handler(vm, …)` becomes a jump (`musttail`).  An `if` whose test is known
now (a constant, a variant's switch) compiles one branch only.  A path that ends in a `@slow` handler is unlikely: the fast
path is what falls through, and nobody writes a hint.
"""

from __future__ import annotations

import ast
import inspect
import operator
import textwrap
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir

from safepoint_vm import encoding, vocabulary
from safepoint_vm.encoding import HANDLER, I8, I64, POINTER
from safepoint_vm.machine import Machine
from safepoint_vm.vocabulary import Array, Bytecode, Exit, Struct, Table, Value, Word
from safepoint_vm.words import Field, Frame, Thread, fields

I1, VOID = ir.IntType(1), ir.VoidType()
CALLING_CONVENTION = "preserve_nonecc"
REGISTERS: dict[str, type[Struct]] = {"pc": Bytecode, "frame": Frame, "thread": Thread, "table": Table}

WORD_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "sdiv", ast.BitAnd: "and_", ast.BitOr: "or_",
    ast.BitXor: "xor", ast.LShift: "shl", ast.RShift: "ashr",
}  # fmt: skip
COMPARISONS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.Gt: ">", ast.LtE: "<=", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
STATIC: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip


@dataclass(frozen=True)
class Staged:
    """A value of the generated code, and its type in the handler language."""

    ir: ir.Value
    type: type


@dataclass(frozen=True)
class Operation:
    """`x.at`, `vm.next`: an operation waiting for its arguments."""

    owner: Any
    name: str


class HandlerError(Exception):
    """A handler uses Python that the language does not have: `file:line:column: what (write instead: …)`."""


class Builder(ir.IRBuilder):
    def atomic_store(self, value: ir.Value, where: ir.Value, order: str) -> None:
        """llvmlite's own store_atomic asks an opaque pointer for what it points to, and fails."""
        self._insert(ir.instructions.StoreAtomicInstr(self.block, value, where, order, 8))


@dataclass
class Compiler:
    """Compiles handlers, and the helpers they use, into one module.  `switches`: the variant."""

    module: ir.Module
    switches: dict[str, bool]
    functions: dict[str, ir.Function] = field(default_factory=dict)
    compiling: list[str] = field(default_factory=list)

    def handler(self, function: Callable[..., Any]) -> ir.Function:
        """The machine code of an opcode or a slow path, compiled once."""
        name = function.__name__
        if name not in self.functions:
            made = self._define(name, HANDLER)
            made.calling_convention = CALLING_CONVENTION
            if role_of(function) == "slow":
                made.attributes.add("cold")
                made.attributes.add("noinline")
            Body(self, function, made).compile_handler()
        return self.functions[name]

    def helper(self, function: Callable[..., Any]) -> tuple[ir.Function, type]:
        """An inline helper, and what it returns."""
        hints = typing.get_type_hints(function)
        returns: type = hints.pop("return")
        name = "inline." + function.__name__
        if name not in self.functions:
            result = VOID if returns is type(None) else ir_type(returns)
            made = self._define(name, ir.FunctionType(result, [ir_type(hint) for hint in hints.values()]))
            made.linkage = "internal"
            made.attributes.add("alwaysinline")
            self.compiling.append(name)
            Body(self, function, made).compile_helper(hints)
            self.compiling.pop()
        return self.functions[name], returns

    def procedure(self, function: Callable[..., Any]) -> ir.Function:
        """A procedure of the protocol's text; `protocol_code` gives it a body."""
        return self.declare(function.__name__, len(inspect.signature(function).parameters))

    def declare(self, name: str, parameters: int) -> ir.Function:
        """A function of the C calling convention: a record's address and words."""
        if name not in self.functions:
            self._define(name, ir.FunctionType(I64, [POINTER, *[I64] * (parameters - 1)]))
        return self.functions[name]

    def _define(self, name: str, signature: ir.FunctionType) -> ir.Function:
        self.functions[name] = made = ir.Function(self.module, signature, name)
        made.attributes.add("nounwind")
        return made


class Body:
    """Compiles one function."""

    def __init__(self, compiler: Compiler, function: Callable[..., Any], target: ir.Function) -> None:
        self.compiler = compiler
        self.function = function
        self.target = target
        closure = inspect.getclosurevars(function).nonlocals
        self.scope: dict[str, Any] = {**function.__globals__, **closure, **compiler.switches}
        self.locals: dict[str, tuple[ir.Value, type]] = {}
        self.operands: list[tuple[str, type]] = []
        self.registers: dict[str, Staged] = {}
        self.entry = Builder(target.append_basic_block("entry"))
        self.builder = Builder(target.append_basic_block("body"))
        lines, self.first_line = inspect.getsourcelines(function)
        self.indent = len(lines[0]) - len(lines[0].lstrip())
        definition = ast.parse(textwrap.dedent("".join(lines))).body[0]
        assert isinstance(definition, ast.FunctionDef)
        self.definition = definition

    # -- whole functions

    def compile_handler(self) -> None:
        for (name, kind), argument in zip(REGISTERS.items(), self.target.args, strict=True):
            self.registers[name] = Staged(argument, kind)
        self.scope[self.definition.args.args[0].arg] = Machine
        self.operands = list(encoding.operand_types(self.function).items())
        for number, (name, kind) in enumerate(self.operands):
            loaded = encoding.operand(self.builder, self.registers["pc"].ir, number, kind)
            self.scope[name] = Staged(loaded, kind)
        self.finish()

    def compile_helper(self, hints: dict[str, type]) -> None:
        for (name, kind), argument in zip(hints.items(), self.target.args, strict=True):
            self.assign(self.definition, name, Staged(argument, kind))
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
            if self.builder.block.is_terminated:  # behind a `return` of a branch that was decided now
                return
            rest = self.is_cold(statements[position + 1 :], after)
            match statement:
                case ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=value):
                    self.value(value)
                case ast.Assign(targets=[target], value=value):
                    self.store(target, value)
                case ast.If():
                    self.branch(statement, rest)
                case ast.Return(value=ast.expr() as value):
                    self.leave(value)
                case _:
                    what = f"no {type(statement).__name__} in a handler"
                    raise self.error(statement, what, "=, if, return and calls")

    def is_cold(self, body: list[ast.stmt], after: bool = False) -> bool:
        """Does every way through `body`, and what follows it, end in a slow handler?"""
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
                self.assign(target, name, self.staged(value))
            case ast.Tuple(elts=targets) if isinstance(value, ast.Tuple) and len(targets) == len(value.elts):
                for one, each in zip(targets, value.elts, strict=True):
                    self.store(one, each)
            case ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)]):
                pair = self.staged(value)
                if pair.type is not tuple:
                    raise self.error(value, "not a pair", "total, overflow = add_overflows(x, y)")
                self.assign(target, first, Staged(self.builder.extract_value(pair.ir, 0), Word))
                self.assign(target, second, Staged(self.builder.extract_value(pair.ir, 1), bool))
            case ast.Subscript(value=owner, slice=index):
                stored = self.staged(value)
                address, racing = self.element(owner, index)
                self.write(stored.ir, address, racing)
            case ast.Attribute(value=owner, attr=name):
                struct = self.staged(owner)
                place = self.field(target, struct, name)
                self.write(self.staged(value).ir, self.offset(struct.ir, place.offset), place.racing)
            case _:
                raise self.error(target, "no such assignment", "a name, a slot, an element or a field on the left")

    def assign(self, node: ast.AST, name: str, value: Staged) -> None:
        address, kind = self.locals.setdefault(name, (self.entry.alloca(ir_type(value.type), name=name), value.type))
        if ir_type(kind) != ir_type(value.type):
            raise self.error(node, f"{name} was a {kind.__name__} before", "another name for it")
        self.builder.store(value.ir, address)

    def branch(self, statement: ast.If, rest: bool) -> None:
        test = self.value(statement.test)
        if not isinstance(test, Staged):  # known now: a variant's switch
            self.block(statement.body if test else statement.orelse, rest)
            return
        yes, no, join = (self.target.append_basic_block(name) for name in ("then", "else", "join"))
        cold_yes, cold_no = self.is_cold(statement.body, rest), self.is_cold(statement.orelse, rest)
        decision = self.builder.cbranch(self.truth(statement.test, test), yes, no)
        if cold_yes != cold_no:
            decision.set_weights([1, 2000] if cold_yes else [2000, 1])
        elif statement.orelse:
            decision.set_weights([4, 1])  # `elif`: what is written first is likelier
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

    def leave(self, value: ast.expr) -> None:
        result = self.value(value)
        if result is Exit:
            return
        if self.registers:
            raise self.error(value, "a handler has no value", "return vm.next(), or another handler")
        self.builder.ret(self.staged(value).ir if not isinstance(result, Staged) else result.ir)

    # -- expressions

    def staged(self, node: ast.expr) -> Staged:
        value = self.value(node)
        match value:
            case bool():
                return Staged(I1(int(value)), bool)
            case int():
                return Staged(I64(int(value)), Word)
            case Staged():
                return value
        raise self.error(node, f"{ast.unparse(node)} is not a value of the machine", "a word, a struct or a bool")

    def value(self, node: ast.expr) -> Any:
        """A Staged value, or whatever Python object the expression already is when the handler is compiled."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.locals:
                address, kind = self.locals[name]
                return Staged(self.builder.load(address, typ=ir_type(kind)), kind)
            case ast.Name(id=name) if name in self.scope:
                return self.scope[name]
            case ast.Name(id=name):
                raise self.error(
                    node, f"unknown name {name}", "a local set before, an operand, or a global of the module"
                )
            case ast.Attribute(value=owner, attr=name):
                return self.attribute(node, self.value(owner), name)
            case ast.Subscript(value=owner, slice=index):
                return Staged(self.read(*self.element(owner, index), I64), Value)
            case ast.UnaryOp(op=sign, operand=operand):
                return self.unary(node, sign, self.value(operand))
            case ast.BinOp(left=left, op=sign, right=right):
                return self.binary(node, sign, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[relation], comparators=[right]) if type(relation) in COMPARISONS:
                return self.compare(node, relation, self.staged(left), self.staged(right))
            case ast.BoolOp(op=sign, values=values):
                return self.shortcut(isinstance(sign, ast.And), values)
            case ast.Call(func=callee, args=arguments, keywords=[]):
                return self.call(node, self.value(callee), arguments)
        raise self.error(
            node, f"no such expression: {ast.unparse(node)}", "words, fields, slots, one comparison, and/or/not, calls"
        )

    def attribute(self, node: ast.Attribute, owner: Any, name: str) -> Any:
        if owner is Machine:
            return self.registers.get(name) or Operation(Machine, name)
        if not isinstance(owner, Staged):  # a member of an enumeration
            if not hasattr(owner, name):
                raise self.error(node, f"no such name: {ast.unparse(node)}", "a field, or a member of an enumeration")
            return getattr(owner, name)
        if name == "at":
            return Operation(owner, name)
        place = self.field(node, owner, name)
        address = self.offset(owner.ir, place.offset)
        return Staged(address if place.inplace else self.read(address, place.racing, ir_type(place.type)), place.type)

    def field(self, node: ast.AST, owner: Staged, name: str) -> Field:
        table = fields(owner.type) if issubclass(owner.type, Struct) else {}
        if name not in table:
            raise self.error(
                node, f"a {owner.type.__name__} has no field {name}", f"one of {', '.join(table) or 'no fields'}"
            )
        return table[name]

    def element(self, owner: ast.expr, index: ast.expr) -> tuple[ir.Value, bool]:
        """The address of `owner[index]`, and whether others write it; the machine's elements are its frame's slots."""
        array = self.value(owner)
        if array is Machine:
            array = self.registers["frame"]
        if not isinstance(array, Staged) or not issubclass(array.type, Array):
            raise self.error(owner, f"{ast.unparse(owner)} has no elements", "vm[slot], or an Array")
        return self.builder.gep(array.ir, [self.staged(index).ir], source_etype=I64), array.type.racing

    def offset(self, base: ir.Value, offset: int) -> ir.Value:
        return self.builder.gep(base, [I64(offset)], source_etype=I8)

    def read(self, address: ir.Value, racing: bool, kind: ir.Type) -> ir.Value:
        """An unordered atomic is a plain `mov`, that LLVM neither tears nor makes up."""
        if self.races(racing):
            return self.builder.load_atomic(address, "unordered", 8, typ=kind)
        return self.builder.load(address, typ=kind)

    def write(self, value: ir.Value, address: ir.Value, racing: bool) -> None:
        if self.races(racing):
            self.builder.atomic_store(value, address, "unordered")
        else:
            self.builder.store(value, address)

    def races(self, racing: bool) -> bool:
        """Without a protocol no other thread writes anything: the code to compare with is allowed every optimization."""
        return racing and self.compiler.switches["PROTOCOL"]

    def unary(self, node: ast.expr, sign: ast.unaryop, operand: Any) -> Any:
        match sign:
            case ast.Not():
                return self.not_(node, operand)
            case ast.Invert() if isinstance(operand, Staged) and operand.type is not bool:
                return Staged(self.builder.not_(operand.ir), Word)
            case ast.Invert() if isinstance(operand, int):
                return ~operand
            case ast.USub() if isinstance(operand, int):
                return -operand
        raise self.error(node, "no such operator", "~x, not x, 0 - x, or a constant")

    def not_(self, node: ast.expr, operand: Any) -> Any:
        return (
            Staged(self.builder.not_(self.truth(node, operand)), bool) if isinstance(operand, Staged) else not operand
        )

    def truth(self, node: ast.AST, value: Staged) -> ir.Value:
        if value.type is not bool:
            raise self.error(node, "a word has no truth of its own", "x != 0")
        return value.ir

    def binary(self, node: ast.expr, sign: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int) and type(sign) in STATIC:
            return STATIC[type(sign)](left, right)
        x, y = (side.ir if isinstance(side, Staged) else I64(int(side)) for side in (left, right))
        if isinstance(left, Staged) and left.type is Bytecode and isinstance(sign, ast.Add):
            return Staged(encoding.following(self.builder, x, y), Bytecode)
        if type(sign) not in WORD_OPERATORS or x.type != I64 or y.type != I64:
            raise self.error(node, "no such operation", "+ - * // & | ^ << >> of two words")
        return Staged(getattr(self.builder, WORD_OPERATORS[type(sign)])(x, y), Word)

    def compare(self, node: ast.expr, relation: ast.cmpop, left: Staged, right: Staged) -> Staged:
        if left.ir.type != right.ir.type:
            raise self.error(
                node, f"a {left.type.__name__} compared with a {right.type.__name__}", "two words, or two bools"
            )
        return Staged(self.builder.icmp_signed(COMPARISONS[type(relation)], left.ir, right.ir), bool)

    def shortcut(self, is_and: bool, values: list[ast.expr]) -> Any:
        """`and`/`or`: the right side runs only when the left one did not decide."""
        done = self.target.append_basic_block("decided")
        incoming = []
        for position, node in enumerate(values):
            test = self.truth(node, self.staged(node))
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
        return Staged(phi, bool)

    # -- calls

    def call(self, node: ast.Call, callee: Any, arguments: list[ast.expr]) -> Any:
        match callee, arguments:
            case Operation(owner=Staged() as array), [index]:
                return Staged(self.builder.gep(array.ir, [self.staged(index).ir], source_etype=I64), array.type)
            case Operation(owner=owner, name=name), _ if owner is Machine:
                return self.exit(node, name, [self.staged(argument) for argument in arguments])
            case type(), [argument]:
                return self.cast(node, callee, self.staged(argument))
        match role_of(callee):
            case "opcode" | "slow":
                self.check_operands(node, callee)
                self.go(self.compiler.handler(callee))
                return Exit
            case "inline":
                if "inline." + callee.__name__ in self.compiler.compiling:
                    raise self.error(node, f"{callee.__name__} calls itself", "a helper that does not: it is inlined")
                helper, returns = self.compiler.helper(callee)
                return Staged(self.builder.call(helper, self.matching(node, helper, arguments)), returns)
            case "procedure":
                target = self.compiler.procedure(callee)
                return Staged(self.builder.call(target, self.matching(node, target, arguments)), Word)
        if inspect.isfunction(callee) and callee.__module__ == vocabulary.__name__:
            return self.operation(node, callee.__name__, [self.staged(argument) for argument in arguments])
        what = f"{ast.unparse(node)} is no call of a handler, a helper or an operation"
        raise self.error(node, what, "a function marked @opcode, @slow or @inline, one of the vocabulary, or Type(x)")

    def matching(self, node: ast.AST, target: ir.Function, arguments: list[ast.expr]) -> list[ir.Value]:
        """Arguments of a call; a procedure of the protocol takes addresses as words."""
        wanted = target.ftype.args
        if len(wanted) != len(arguments):
            raise self.error(node, f"{len(arguments)} arguments for {len(wanted)} parameters", "as many as it declares")
        found = [self.staged(argument).ir for argument in arguments]
        found = [
            self.builder.ptrtoint(x, I64) if x.type == POINTER and w == I64 else x
            for x, w in zip(found, wanted, strict=True)
        ]
        if any(x.type != w for x, w in zip(found, wanted, strict=True)):
            raise self.error(node, "an argument of another type than declared", "a cast: Value(x), Word(x)")
        return found

    def check_operands(self, node: ast.Call, callee: Callable[..., Any]) -> None:
        """The other handler decodes its operands from the same instruction: they must be ours, in order."""
        wanted = encoding.operand_types(callee)
        machine, mine = self.definition.args.args[0].arg, self.operands[: len(wanted)]
        names = [argument.id if isinstance(argument, ast.Name) else "" for argument in node.args]
        if names != [machine, *(name for name, _ in mine)] or [kind for _, kind in mine] != list(wanted.values()):
            right = ", ".join([machine, *(name for name, _ in mine)])
            raise self.error(
                node, "operands are passed on as they are, in order", f"{callee.__name__}({right}), of the same kinds"
            )

    def cast(self, node: ast.AST, kind: type, value: Staged) -> Staged:
        source, wanted = ir_type(value.type), ir_type(kind)
        if source == wanted:
            return Staged(value.ir, kind)
        if I1 in (source, wanted):
            raise self.error(node, "a bool is not a word", "truth_word(x)")
        convert = self.builder.inttoptr if wanted == POINTER else self.builder.ptrtoint
        return Staged(convert(value.ir, wanted), kind)

    def operation(self, node: ast.AST, name: str, arguments: list[Staged]) -> Staged:
        build, raw = self.builder, [argument.ir for argument in arguments]
        match name:
            case "add_overflows" | "sub_overflows" | "mul_overflows":
                return Staged(getattr(build, f"s{name[:3]}_with_overflow")(*raw), tuple)
            case "below":
                raw = [build.ptrtoint(each, I64) if each.type == POINTER else each for each in raw]
                return Staged(build.icmp_unsigned("<", *raw), bool)
            case "divide_unsigned":
                return Staged(build.udiv(*raw), Word)
        raise self.error(
            node, f"{name} is no operation", "add_overflows, sub_overflows, mul_overflows, below, divide_unsigned"
        )

    # -- the ways to leave a handler

    def exit(self, node: ast.AST, name: str, arguments: list[Staged]) -> type[Exit]:
        pc = self.registers["pc"].ir
        match name, [each.ir for each in arguments]:
            case "next", []:
                self.dispatch(pc=encoding.following(self.builder, pc, I64(1)))
            case "jump", [offset]:
                self.dispatch(pc=encoding.jump(self.builder, pc, offset))
            case "enter", [target, frame]:
                self.dispatch(pc=target, frame=frame)
            case "execute", [table]:
                self.go(encoding.dispatch(self.builder, pc, table, self.races(True)))
            case "leave", [status]:
                self.save(status)
                self.builder.ret_void()
            case _:
                raise self.error(
                    node, f"the machine has no {name} with {len(arguments)} arguments", "an operation of Machine"
                )
        return Exit

    def save(self, status: ir.Value) -> None:
        thread = self.registers["thread"]
        for name, value in (("pc", self.registers["pc"].ir), ("frame", self.registers["frame"].ir), ("status", status)):
            self.builder.store(value, self.offset(thread.ir, fields(Thread)[name].offset))

    def dispatch(self, **changed: ir.Value) -> None:
        """Go on with the instruction at the new pc."""
        pc, table = changed["pc"], self.registers["table"].ir
        self.go(encoding.dispatch(self.builder, pc, table, self.races(True)), **changed)

    def go(self, handler: ir.Value, **changed: ir.Value) -> None:
        given = [changed.get(name, register.ir) for name, register in self.registers.items()]
        self.builder.call(handler, given, cconv=CALLING_CONVENTION, tail="musttail")
        self.builder.ret_void()

    def error(self, node: ast.AST, what: str, instead: str) -> HandlerError:
        line = self.first_line + getattr(node, "lineno", 1) - 1
        column = self.indent + getattr(node, "col_offset", 0) + 1
        file = self.function.__code__.co_filename
        return HandlerError(f"{file}:{line}:{column}: {self.function.__name__}: {what} (write instead: {instead})")


def role_of(function: object) -> str | None:
    return getattr(function, "role", None)


def ir_type(kind: type) -> ir.Type:
    if kind is bool:
        return I1
    return POINTER if issubclass(kind, Struct) else I64
