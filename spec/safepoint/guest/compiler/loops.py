"""Compiles `while` and `for`: each loop is entered at its test, which ends in its only back-edge opcode."""

from __future__ import annotations

import ast

from safepoint.guest.code import OPCODES
from safepoint.guest.compiler.emitter import Label
from safepoint.guest.compiler.exceptions import ExceptionCompiler, Loop, unset_by


class LoopCompiler(ExceptionCompiler):
    def while_loop(self, node: ast.While) -> None:
        self.no_else(node)
        outer, known = self.loop, self.assigned - unset_by([node])
        loop, body = Loop(Label(), Label(), len(self.blocks)), Label()
        self.loop, self.assigned = loop, known
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
        hidden, prepare, step = self.iterated(node.iter)
        outer, known = self.loop, self.assigned - unset_by([node])
        loop, body = Loop(Label(), Label(), len(self.blocks)), Label()
        self.loop, self.assigned = loop, known
        self.emit(node.iter, prepare, hidden, loop.test)
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
        self.emit(node, step, variable, hidden, body)
        self.place(loop.end)
        self.assigned = known.intersection(*loop.breaks)

    def iterated(self, node: ast.expr) -> tuple[int, str, str]:
        """Push what the loop iterates over.  Returns its first hidden slot, the opcode before the loop, that of each turn."""
        if isinstance(node, ast.Call) and self.pythons(node.func, "range"):
            return self.range(node), "FOR_PREPARE", "FOR_RANGE"
        hidden = self.push(node)
        self.allocate()
        return hidden, "EACH_PREPARE", "FOR_EACH"

    def range(self, node: ast.Call) -> int:
        """Push start, end and step into three adjacent slots."""
        self.count(node, "range", 1, 3)
        hidden = self.top
        if len(node.args) == 1:
            self.constant(node, 0, self.allocate())
        for argument in node.args:
            self.push(argument)
        if len(node.args) < 3:
            self.constant(node, 1, self.allocate())
        return hidden

    def no_else(self, node: ast.While | ast.For) -> None:
        if node.orelse:
            raise self.error(node.orelse[0], "else of a loop is outside the guest's language", "a variable and an if")

    def leave_turn(self, node: ast.Break | ast.Continue) -> None:
        loop = self.loop
        assert loop is not None  # CPython's checks have refused a break outside a loop
        with self.way_out(loop.depth):
            if isinstance(node, ast.Break):
                loop.breaks.append(self.assigned)
            self.emit(node, "JUMP", loop.end if isinstance(node, ast.Break) else loop.test)
        self.unreachable()
