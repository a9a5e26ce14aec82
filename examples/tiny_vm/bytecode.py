"""The judge's guest programs in Tiny VM's bytecode: functions, while, for, if, integers, print, masked()."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from safepoint.conform.target import NotOffered

OPS = ("CONST", "LOCAL", "SET", "ADD", "MULTIPLY", "LESS", "UNLESS", "LOOP", "CALL", "RETURN", "PRINT", "MASK", "UNMASK",
       "CONS", "SUM", "CHECK", "SLEEP", "HALT")  # fmt: skip
"""As `enum op` of vm.h has them."""
BINARY: dict[type[ast.AST], str] = {ast.Add: "ADD", ast.Mult: "MULTIPLY", ast.Lt: "LESS"}
SAVED, TEMPORARIES = 2, 8
"""Slots of a frame besides its locals."""


@dataclass
class Program:
    """code: opcode and operand; functions: entry, parameters, locals, size.  The module is the first."""

    code: list[tuple[int, int]] = field(default_factory=list)
    functions: list[tuple[int, int, int, int]] = field(default_factory=list)


def compiled(source: str) -> Program:
    """A program of the judge.  Raises NotOffered for what the VM cannot do."""
    tree = ast.parse(source)
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    numbers = {node.name: n for n, node in enumerate(nodes, 1)}
    made = Program()
    rest = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ImportFrom)]
    for n, (body, parameters) in enumerate([(rest, []), *((f.body, [a.arg for a in f.args.args]) for f in nodes)]):
        _Function(made.code, n, numbers, {name: i for i, name in enumerate(parameters)}).all(body, made)
    return made


@dataclass
class _Function:
    code: list[tuple[int, int]]
    number: int
    numbers: dict[str, int]
    slots: dict[str, int]

    def all(self, body: list[ast.stmt], program: Program) -> None:
        entry, parameters = len(self.code), len(self.slots)
        self.block(body)
        if self.number:
            self.emit("CONST", 0)
        self.emit("RETURN" if self.number else "HALT", self.number)
        program.functions.append((entry, parameters, len(self.slots), len(self.slots) + SAVED + TEMPORARIES))

    def emit(self, op: str, operand: int = 0) -> int:
        self.code.append((OPS.index(op), operand))
        return len(self.code) - 1

    def lands(self, at: int) -> None:
        """A jump forward ends here."""
        self.code[at] = (self.code[at][0], len(self.code))

    def slot(self, name: str) -> int:
        return self.slots.setdefault(name, len(self.slots))

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.expression(value)
                self.emit("SET", self.slot(name))
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[value])):
                self.expression(value)
                self.emit("PRINT")
            case ast.Return(value=ast.expr() as value):
                self.expression(value)
                self.emit("RETURN", self.number)
            case ast.While(test=test, body=body):
                self.loop(test, body)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=[end]), body=body):
                self.block([ast.parse(f"{name} = 0").body[0]])
                test = ast.Compare(ast.Name(name), [ast.Lt()], [end])
                self.loop(test, [*body, ast.parse(f"{name} = {name} + 1").body[0]])
            case ast.If(test=test, body=body, orelse=[]):
                self.expression(test)
                over = self.emit("UNLESS")
                self.block(body)
                self.lands(over)
            case ast.With(items=[ast.withitem(context_expr=ast.Call(func=ast.Name(id="masked")))], body=body):
                self.emit("MASK")
                self.block(body)
                self.emit("UNMASK")
            case _:
                raise NotOffered(ast.unparse(node).partition("\n")[0])

    def loop(self, test: ast.expr, body: list[ast.stmt]) -> None:
        start = len(self.code)
        self.expression(test)
        out = self.emit("UNLESS")
        self.block(body)
        self.emit("LOOP", start)
        self.lands(out)

    def expression(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=int(value)):
                self.emit("CONST", value)
            case ast.Name(id=name) if name in self.slots:
                self.emit("LOCAL", self.slots[name])
            case ast.BinOp(left=left, op=ast.Sub(), right=ast.Constant(value=int(value))):
                self.expression(ast.BinOp(left, ast.Add(), ast.Constant(-value)))
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in BINARY
            ):
                self.expression(left)
                self.expression(right)
                self.emit(BINARY[type(op)])
            case ast.Call(func=ast.Name(id=name), args=args) if name in self.numbers:
                for each in args:
                    self.expression(each)
                self.emit("CALL", self.numbers[name])
            case _:
                raise NotOffered(ast.unparse(node))
